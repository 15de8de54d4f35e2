#!/usr/bin/env -S invivo run
/*
 * TCP connections as they change state: ports, old and new state.
 *
 * Usage: invivo run examples/tcp-states.d        (Ctrl-C ends it)
 *
 * python           44263 >     0  CLOSE        -> LISTEN
 * python               0 > 44263  CLOSE        -> SYN_SENT
 * python           36458 > 44263  SYN_SENT     -> ESTABLISHED
 * python           44263 > 36458  LISTEN       -> SYN_RECV
 * python           44263 > 36458  SYN_RECV     -> ESTABLISHED
 * python           36458 > 44263  ESTABLISHED  -> FIN_WAIT1
 * python           44263 > 36458  ESTABLISHED  -> CLOSE_WAIT
 * python           44263 > 36458  CLOSE_WAIT   -> LAST_ACK
 * ...
 */
#pragma D option quiet

inline string STATE[int s] =
    s == 1 ? "ESTABLISHED" : s == 2 ? "SYN_SENT" : s == 3 ? "SYN_RECV" : s == 4 ? "FIN_WAIT1" :
    s == 5 ? "FIN_WAIT2" : s == 6 ? "TIME_WAIT" : s == 7 ? "CLOSE" : s == 8 ? "CLOSE_WAIT" :
    s == 9 ? "LAST_ACK" : s == 10 ? "LISTEN" : s == 11 ? "CLOSING" : "NEW_SYN_RECV";

sdt:sock::inet_sock_set_state
/args.protocol == 6/
{
    printf("%-16s %5d > %5d  %-12s -> %s\n", execname, args.sport, args.dport,
        STATE[args.oldstate], STATE[args.newstate]);
}
