"""Which of the waits are only for work to come: they hide those that hold work up.

    epoll_wait, poll, select, accept, sigtimedwait, wait4, pause: by the kernel's function, for each sample
    a thread that spends 95 percent of the time in one wait for a condition (futex): a pool's idle worker
"""

from __future__ import annotations

from array import array

from invivo.flame.units import amount, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.flame.profile import Profile

__all__ = ["leave_out_idle"]

# Functions of the kernel inside which a thread waits for whoever wants something of it next.
_FOR_WORK = frozenset((
    "ep_poll", "do_epoll_wait", "do_sys_poll", "do_poll", "do_select", "core_sys_select", "inet_csk_accept",
    "inet_csk_wait_for_connect", "unix_accept", "do_sigtimedwait", "__do_sys_pause", "do_wait", "sigsuspend",
    "io_cqring_wait", "read_events", "signalfd_read_iter", "inotify_read", "timerfd_read_iter", "worker_thread",
    "kthread_worker_fn", "rescuer_thread", "smpboot_thread_fn", "rcu_gp_kthread", "kswapd", "kcompactd", "kthreadd",
))  # fmt: skip
_WORKER = frozenset(("futex_wait_queue", "futex_wait_queue_me"))
_IDLE = 0.95


def leave_out_idle(profile: Profile) -> None:
    """Remove the samples of waits for work, and say so in the profile's notes."""
    for_work = profile.inside([frame.name in _FOR_WORK for frame in profile.frames])
    worker = profile.inside([frame.name in _WORKER for frame in profile.frames])
    total = profile.total
    threads = profile.sample_threads or array("i", (0,)) * len(profile.nodes)
    by_stack: dict[tuple[int, int], int] = {}
    sums: dict[int, int] = {}
    for node, weight, thread in zip(profile.nodes, profile.weights, threads, strict=True):
        sums[thread] = sums.get(thread, 0) + weight
        by_stack[thread, node] = by_stack.get((thread, node), 0) + weight
    idle = {
        (thread, node) for (thread, node), weight in by_stack.items()
        if worker[node] and weight >= _IDLE * sums[thread]
    }  # fmt: skip
    kept = [
        place for place, (node, thread) in enumerate(zip(profile.nodes, threads, strict=True))
        if not for_work[node] and (thread, node) not in idle
    ]  # fmt: skip
    profile.keep(kept)
    hidden = total - profile.total
    if hidden:
        text = f"waits for work are left out: {amount(hidden, profile.unit)}, {share(hidden, total)} of all"
        profile.notes.append(text)
