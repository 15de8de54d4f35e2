"""Calls whose arguments or results mean more than the kernel's prototypes tell.

    PARAMETERS["setsockopt", "optval"](3)      the piece that shows the option's value by its size
    ORDERS["fcntl"](frame)                     which arguments its command has
    RESULTS["poll"](frame)                     "1 ([{fd=3, revents=POLLIN}])"

Names are the kernel's (`newfstatat`, `newuname`). Sources: the calls' manual pages, and strace(1)'s output.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from invivo.strace import pieces
from invivo.strace.file_structures import statx_mask
from invivo.strace.flags import Names, signal_name
from invivo.strace.frame import Frame
from invivo.strace.pieces import Piece
from invivo.strace.special import capabilities, files, processes, sockets, terminals, waiting

__all__ = ["ORDERS", "PARAMETERS", "RESULTS"]

_ITIMER = "struct __kernel_old_itimerval *"


def _of(**codes: int) -> Callable[[int], Piece]:
    names = Names({}, codes)
    return lambda index: pieces.flags(index, names)


def _bits(**bits: int) -> Callable[[int], Piece]:
    names = Names(bits)
    return lambda index: pieces.flags(index, names)


_user = _of(RUSAGE_SELF=0, RUSAGE_CHILDREN=0xFFFFFFFF, RUSAGE_THREAD=1)
_timers = _of(ITIMER_REAL=0, ITIMER_VIRTUAL=1, ITIMER_PROF=2)
_priorities = _of(PRIO_PROCESS=0, PRIO_PGRP=1, PRIO_USER=2)
_policies = {"SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_IDLE": 5, "SCHED_DEADLINE": 6}

PARAMETERS: dict[tuple[str, str], Callable[[int], Piece]] = {
    ("setsockopt", "level"): _of(**sockets.LEVELS), ("getsockopt", "level"): _of(**sockets.LEVELS),
    ("setsockopt", "optname"): sockets.option_name, ("getsockopt", "optname"): sockets.option_name,
    ("setsockopt", "optval"): sockets.option_in, ("getsockopt", "optval"): sockets.option_out,
    ("getsockopt", "optlen"): pieces.in_out_number,
    ("socket", "protocol"): sockets.protocol,
    ("getsockname", "usockaddr"): sockets.address_out, ("getpeername", "usockaddr"): sockets.address_out,
    ("accept", "upeer_sockaddr"): sockets.address_out, ("accept4", "upeer_sockaddr"): sockets.address_out,
    ("recvfrom", "addr"): sockets.address_out, ("recvmsg", "msg"): sockets.message_out,
    ("getsockname", "usockaddr_len"): pieces.in_out_number, ("getpeername", "usockaddr_len"): pieces.in_out_number,
    ("accept", "upeer_addrlen"): pieces.in_out_number, ("accept4", "upeer_addrlen"): pieces.in_out_number,
    ("recvfrom", "addr_len"): pieces.in_out_number,
    ("connect", "addrlen"): pieces.number,
    ("sendfile64", "offset"): lambda index: pieces.in_out_number(index, 8, True),
    ("ioctl", "arg"): terminals.ioctl,
    ("capget", "header"): capabilities.header, ("capset", "header"): capabilities.header,
    ("capget", "dataptr"): lambda index: capabilities.data(index, True),
    ("capset", "data"): lambda index: capabilities.data(index, False),
    ("fcntl", "arg"): files.fcntl, ("getdents64", "dirent"): files.entries, ("getdents", "dirent"): files.entries,
    ("getcwd", "buf"): pieces.string_out, ("utimensat", "utimes"): files.times,
    ("mknod", "mode"): files.node_mode, ("mknodat", "mode"): files.node_mode,
    ("fadvise64", "advice"): files.advice, ("fallocate", "mode"): _bits(
        FALLOC_FL_KEEP_SIZE=1, FALLOC_FL_PUNCH_HOLE=2, FALLOC_FL_COLLAPSE_RANGE=8, FALLOC_FL_ZERO_RANGE=16),
    ("statx", "mask"): lambda index: Piece(lambda frame: statx_mask(frame.words[index] & 0xFFFFFFFF)),
    ("msync", "flags"): _bits(MS_ASYNC=1, MS_INVALIDATE=2, MS_SYNC=4),
    ("pselect6", "inp"): waiting.descriptor_set,
    ("pselect6", "outp"): waiting.descriptor_set,
    ("pselect6", "exp"): waiting.descriptor_set,
    ("pselect6", "sig"): waiting.mask_and_size,
    ("select", "inp"): waiting.descriptor_set,
    ("select", "outp"): waiting.descriptor_set,
    ("select", "exp"): waiting.descriptor_set,
    ("poll", "ufds"): waiting.polled, ("ppoll", "ufds"): waiting.polled,
    ("clock_nanosleep", "rmtp"): waiting.remaining, ("nanosleep", "rmtp"): waiting.remaining,
    ("clock_nanosleep", "flags"): _bits(TIMER_ABSTIME=1), ("timerfd_settime", "flags"): _bits(TFD_TIMER_ABSTIME=1),
    ("clone", "clone_flags"): processes.clone, ("clone3", "uargs"): processes.clone3,
    ("wait4", "stat_addr"): processes.wait_status_at, ("wait4", "ru"): processes.usage_if_any,
    ("waitid", "which"): _of(P_ALL=0, P_PID=1, P_PGID=2, P_PIDFD=3), ("waitid", "infop"): processes.siginfo_at,
    ("waitid", "options"): _bits(WNOHANG=1, WSTOPPED=2, WEXITED=4, WCONTINUED=8, WNOWAIT=0x1000000),
    ("rt_sigtimedwait", "uinfo"): processes.siginfo_at, ("rt_sigtimedwait", "uthese"): processes.handled,
    ("rt_sigpending", "uset"): lambda index: pieces.structure_out(index, "sigset_t *"),
    ("rt_sigsuspend", "unewset"): processes.handled,
    ("sched_getaffinity", "user_mask_ptr"): lambda index: processes.cpus(index, True),
    ("sched_setaffinity", "user_mask_ptr"): lambda index: processes.cpus(index, False),
    ("sched_setscheduler", "policy"): _of(**_policies),
    ("getrusage", "who"): _user, ("getpriority", "which"): _priorities, ("setpriority", "which"): _priorities,
    ("setitimer", "which"): _timers, ("getitimer", "which"): _timers,
    ("setitimer", "value"): lambda index: pieces.structure_in(index, _ITIMER),
    ("setitimer", "ovalue"): lambda index: pieces.structure_out(index, _ITIMER),
    ("getitimer", "value"): lambda index: pieces.structure_out(index, _ITIMER),
    ("timerfd_settime", "otmr"): lambda index: pieces.structure_out(index, "struct __kernel_itimerspec *"),
    ("timerfd_gettime", "otmr"): lambda index: pieces.structure_out(index, "struct __kernel_itimerspec *"),
    ("times", "tbuf"): lambda index: pieces.structure_out(index, "struct tms *"),
    ("umask", "mask"): lambda index: Piece(lambda frame: f"{frame.words[index] & 0o777:03o}"),
    ("prctl", "option"): _of(**processes.PRCTL),
    ("prctl", "arg2"): processes.prctl,
    ("prctl", "arg3"): processes.prctl,
    ("prctl", "arg4"): processes.prctl,
    ("prctl", "arg5"): processes.prctl,
    ("rseq", "rseq_len"): lambda index: pieces.hexadecimal(index, bits=32),
    ("rseq", "sig"): lambda index: pieces.hexadecimal(index, bits=32), ("rseq", "rseq"): pieces.address,
    ("getrandom", "ubuf"): processes.random, ("getrandom", "buf"): processes.random,
    ("futex", "val3"): processes.futex_mask,
    ("set_robust_list", "head"): pieces.address, ("memfd_create", "uname"): pieces.text,
    ("close_range", "flags"): _bits(CLOSE_RANGE_UNSHARE=2, CLOSE_RANGE_CLOEXEC=4),
    ("timerfd_create", "flags"): _bits(TFD_NONBLOCK=0o4000, TFD_CLOEXEC=0o2000000),
    ("inotify_init1", "flags"): _bits(IN_NONBLOCK=0o4000, IN_CLOEXEC=0o2000000),
    ("signalfd4", "flags"): _bits(SFD_NONBLOCK=0o4000, SFD_CLOEXEC=0o2000000),
    ("epoll_pwait", "sigmask"): processes.handled, ("epoll_pwait", "timeout"): pieces.number,
    ("getresuid", "ruidp"): pieces.number_at, ("getresuid", "euidp"): pieces.number_at,
    ("getresuid", "suidp"): pieces.number_at, ("getresgid", "rgidp"): pieces.number_at,
    ("getresgid", "egidp"): pieces.number_at, ("getresgid", "sgidp"): pieces.number_at,
    ("sched_getparam", "param"): lambda index: pieces.structure_out(index, "struct sched_param *"),
    ("sigaltstack", "uss"): pieces.address, ("sigaltstack", "uoss"): pieces.address,
    **{(call, "list"): lambda index: pieces.buffer_out(index, index + 1) for call in (
        "listxattr", "llistxattr", "flistxattr",
    )},
    **{(call, "vec"): sockets.vectors_out for call in ("readv", "preadv", "preadv2")},
    ("epoll_ctl", "event"): files.event,
    ("arch_prctl", "arg2"): pieces.address,
    ("getgroups", "grouplist"): lambda index: pieces.array(index, pieces.RESULT, 4, str, True),
}  # fmt: skip


def _open_arguments(at: int) -> Callable[[Frame], Sequence[int]]:
    """A mode counts only where a file may be made."""
    makes = os.O_CREAT | (getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY)
    with_mode, without = range(at + 2), range(at + 1)
    return lambda frame: with_mode if frame.words[at] & makes else without


# By operation of futex(2): WAIT, WAKE, REQUEUE, CMP_REQUEUE, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, the BITSETs, LOCK_PI2.
_FUTEX = {
    0: (0, 1, 2, 3), 1: (0, 1, 2), 3: (0, 1, 2, 3, 4), 6: (0, 1, 3), 7: (0, 1), 8: (0, 1), 9: (0, 1, 2, 3, 5),
    10: (0, 1, 2, 5), 13: (0, 1, 3),
}  # fmt: skip
_ALL = range(6)

# Which arguments are shown, in which order, where that depends on one of them.
ORDERS: dict[str, Callable[[Frame], Sequence[int]]] = {
    "open": _open_arguments(1), "openat": _open_arguments(2),
    "fcntl": lambda frame: range(2 if frame.words[1] & 0xFFFFFFFF in (1, 3, 9, 11, 1025, 1032, 1034) else 3),
    "futex": lambda frame: _FUTEX.get(frame.words[1] & 0x7F, _ALL),
    "mremap": lambda frame: range(5 if frame.words[3] & 6 else 4),
    "clone": lambda frame: range(1),
    # FIONCLEX and FIOCLEX
    "ioctl": lambda frame: range(2 if frame.words[1] & 0xFFFFFFFF in (0x5450, 0x5451) else 3),
    "mknod": lambda frame: range(3 if frame.words[1] & 0o170000 in (0o020000, 0o060000) else 2),
    "mknodat": lambda frame: range(4 if frame.words[2] & 0o170000 in (0o020000, 0o060000) else 3),
    "prctl": lambda frame: range(processes.PRCTL_ARGUMENTS.get(frame.words[0] & 0xFFFFFFFF, 5)),
}


def _signal_result(frame: Frame) -> str | None:
    return f"{frame.result} ({signal_name(frame.result)})"


def _octal_result(frame: Frame) -> str | None:
    return f"{frame.result:03o}"


def _policy_result(frame: Frame) -> str | None:
    name = next((name for name, value in _policies.items() if value == frame.result), "")
    return f"{frame.result} ({name})" if name else None


# Results that are more than a number; of calls that succeeded.
RESULTS: dict[str, Callable[[Frame], str | None]] = {
    "fcntl": files.fcntl_result,
    "poll": waiting.poll_result,
    "ppoll": waiting.poll_result,
    "pselect6": waiting.select_result,
    "select": waiting.select_result, "rt_sigtimedwait": _signal_result, "umask": _octal_result,
    "sched_getscheduler": _policy_result,
}  # fmt: skip
