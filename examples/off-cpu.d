#!/usr/bin/env -S invivo run
/*
 * Where threads leave the CPU, to wait or because another has its turn: kernel stacks by process, the ten most frequent.
 *
 * Usage: invivo run examples/off-cpu.d        (Ctrl-C ends it)
 *
 * ...
 *   wc
 *               vmlinux`__schedule+0x618
 *               vmlinux`schedule+0x23
 *               vmlinux`anon_pipe_read+0x366
 *               vmlinux`vfs_read+0x32c
 *               vmlinux`ksys_read+0xba
 *               vmlinux`do_syscall_64+0x71
 *               vmlinux`entry_SYSCALL_64_after_hwframe+0x76
 *              1497
 *   find
 *               vmlinux`__schedule+0x618
 *               vmlinux`schedule+0x23
 *               vmlinux`exit_to_user_mode_loop+0x51
 *               vmlinux`do_syscall_64+0x23b
 *               vmlinux`entry_SYSCALL_64_after_hwframe+0x76
 *              1504
 */
#pragma D option quiet

sched:::off-cpu
/pid != 0/
{
    @[execname, stack()] = count();
}

END
{
    trunc(@, 10);
}
