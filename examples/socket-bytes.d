#!/usr/bin/env -S invivo run
/*
 * Bytes sent and received on sockets, by process and protocol (6 TCP, 17 UDP).
 *
 * Usage: invivo run examples/socket-bytes.d        (Ctrl-C ends it)
 *
 * PROCESS          PROTOCOL         SENT     RECEIVED
 * python                  6         4116         4116
 */
#pragma D option quiet

sdt:sock::sock_send_length
/args.ret > 0/
{
    @sent[execname, args.protocol] = sum(args.ret);
}

sdt:sock::sock_recv_length
/args.ret > 0/
{
    @received[execname, args.protocol] = sum(args.ret);
}

END
{
    printf("%-16s %8s %12s %12s\n", "PROCESS", "PROTOCOL", "SENT", "RECEIVED");
    printa("%-16s %8d %@12d %@12d\n", @sent, @received);
}
