#!/usr/bin/env -S invivo run
/*
 * What the kernel is busy with: kernel stacks sampled 997 times a second, the ten most frequent.
 *
 * Usage: invivo run examples/cpu-stacks.d        (Ctrl-C ends it)
 *
 *               vmlinux`iowrite16+0xc
 *               vmlinux`vp_notify+0x12
 *               vmlinux`virtqueue_notify+0x1b
 *               vmlinux`virtio_queue_rq+0xef
 *               vmlinux`blk_mq_dispatch_rq_list+0x115
 *               vmlinux`__blk_mq_sched_dispatch_requests+0x446
 *               vmlinux`blk_mq_sched_dispatch_requests+0x29
 *               vmlinux`blk_mq_run_hw_queue+0x267
 *               vmlinux`blk_mq_dispatch_list+0x193
 *               vmlinux`blk_mq_flush_plug_list+0x45
 *               vmlinux`__blk_flush_plug+0xee
 *               vmlinux`__submit_bio+0x18a
 *               vmlinux`submit_bio_noacct_nocheck+0x284
 *               vmlinux`ext4_read_bh+0x55
 *               vmlinux`ext4_bread+0x60
 *               vmlinux`__ext4_read_dirblock+0x74
 *               vmlinux`htree_dirblock_to_tree+0x7c
 *               vmlinux`ext4_htree_fill_tree+0xb4
 *               vmlinux`ext4_readdir+0x7a1
 *               vmlinux`iterate_dir+0xba
 *               vmlinux`__x64_sys_getdents64+0x76
 *               vmlinux`do_syscall_64+0x71
 *               vmlinux`entry_SYSCALL_64_after_hwframe+0x76
 *                12
 */
#pragma D option quiet

profile-997
/arg0 != 0/
{
    @[stack()] = count();
}

END
{
    trunc(@, 10);
}
