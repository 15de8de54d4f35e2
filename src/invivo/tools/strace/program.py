"""The D program that records what `invivo strace` shows.

    text(Request(command=["ls"]))       'int followed[int]; BEGIN { followed[$target] = 1; } syscall:::entry ...'

Each clause records a Tag, the thread's number, and its values. What an argument leads to comes in records of its own
(Tag.DATA) before that of the call's entry or return; where memory cannot be read only that clause ends. Pieces of
strace say what to read; calls that read alike share a clause.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

from invivo.strace.calls import call, numbers
from invivo.strace.pieces import MASK_IN_FRAME, RESULT, Capture
from invivo.strace.printer import Request
from invivo.strace.render import renderer_of

__all__ = ["RAX_IN_FRAME", "Tag", "text"]

_MOST_BYTES = 1 << 14  # of tracemem()
_MOST_STRING = 4096
_MOST_ELEMENTS, _MOST_ARGUMENTS = 3, 8
_RARE = frozenset(
    "acct add_key capget capset fanotify_mark fgetxattr flistxattr fremovexattr fsconfig fsetxattr fsmount fsopen "
    "fspick futex_wait futex_waitv futimesat get_mempolicy getxattrat init_module finit_module io_cancel io_destroy "
    "io_getevents io_pgetevents io_setup io_submit io_uring_enter io_uring_register io_uring_setup ioprio_get "
    "kexec_file_load keyctl listxattrat lookup_dcookie lsm_get_self_attr lsm_list_modules map_shadow_stack mincore "
    "move_mount move_pages mq_open mq_timedreceive mq_timedsend mq_unlink mq_notify mq_getsetattr mremap open_tree "
    "open_tree_attr pivot_root quotactl quotactl_fd removexattrat request_key rt_sigtimedwait sched_setparam "
    "sched_getparam sched_rr_get_interval sched_setaffinity semtimedop setdomainname setgroups sethostname "
    "setxattrat settimeofday clock_settime statmount swapon swapoff timer_create timer_gettime timer_settime uselib "
    "ustat utime utimes vmsplice tee splice rt_sigpending rt_sigsuspend epoll_pwait2 copy_file_range getitimer".split()
)
_ENVIRONMENT = 2048  # bytes of pointers, which are counted
RAX_IN_FRAME = 144  # arch/x86/include/uapi/asm/sigcontext.h, in struct ucontext


class Tag(enum.IntEnum):
    """What a record tells; the first of its values."""

    ENTRY = 1  # tid, pid, ns, name, six arguments, stack pointer
    DATA = 2  # tid, address, bytes
    RETURN = 3  # tid, pid, ns, name, result
    EXIT = 5  # tid, pid, ns, wait status
    FORK = 6  # tid, pid, ns, new tid, new pid
    SIGNAL = 7  # tid, pid, ns, number, siginfo
    EXEC = 8  # tid, pid, ns, former tid
    SIZED = 9  # tid, address, bytes, how many of them count


def text(request: Request) -> str:
    """The program for a request; `$target` is the command or the first process."""
    only_thread = "" if request.follows else " && tid == pid"
    who = f"/followed[pid]{only_thread}/"
    chosen = sorted(request.calls if request.calls is not None else numbers().values())
    names = {number: call(number).name for number in chosen}
    roots = "".join(f" followed[{pid}] = 1;" for pid in request.pids[1:])
    head = "trace(tid); trace(pid); trace(timestamp);"
    clauses = ["int followed[int];", f"BEGIN {{ followed[$target] = 1;{roots} }}"]
    if not request.counts:
        clauses += _captures(names, who, request.limit + 1, is_all=request.calls is None)
    if names:
        everything = request.calls is None
        entries = "syscall:::entry" if everything else _probes(names.values(), "entry")
        returns = "syscall:::return" if everything else _probes(names.values(), "return")
        words = "".join(f" trace((uint64_t)arg{index});" for index in range(6))
        clauses.append(
            f"{entries} {who} {{ trace({Tag.ENTRY}); {head} trace(probefunc);{words} trace((uint64_t)uregs[R_RSP]); }}"
        )
        clauses.append(
            f"{returns} {who} {{ trace({Tag.RETURN}); {head} trace(probefunc); trace((int64_t)arg1); }}"
        )
    fork = f"trace({Tag.FORK}); {head} trace(args[1]->pid); trace(args[1]->tgid);"
    if request.follows:
        clauses.append(f"rawtp:sched::sched_process_fork {who} {{ {fork} followed[args[1]->tgid] = 1; }}")
        clauses.append(f"rawtp:sched::sched_process_exec {who} {{ trace({Tag.EXEC}); {head} trace((int)args[1]); }}")
    end = f"trace({Tag.EXIT}); {head} trace(curthread->exit_code);"
    clauses.append(f"rawtp:sched::sched_process_exit {who} {{ {end} }}")
    if request.signals is None or request.signals:
        info = f"trace({Tag.SIGNAL}); {head}"
        delivered = f"{info} trace(args[0]); tracemem(args[1], 48);"
        clauses.append(f"rawtp:signal::signal_deliver {who} {{ {delivered} }}")
        # A signal that is ignored is never delivered: under ptrace(2), as strace(1) works, it is.
        ignored = f"trace({Tag.SIGNAL}); trace(args[2]->pid); trace(args[2]->tgid); trace(timestamp); trace(args[0]); "
        clauses.append(
            "rawtp:signal::signal_generate /args[4] == 1 && (uint64_t)args[1] > 2 && followed[args[2]->tgid]/ "
            f"{{ {ignored} tracemem(args[1], 48); }}"
        )
    return "\n".join(clauses) + "\n"


def _probes(names: Iterable[str], end: str) -> str:
    """By the names of the manual pages and of the kernel, whichever the probes have."""
    table = numbers()
    both = dict.fromkeys(each for name in names for each in (name, call(table[name]).kernel) if each)
    return ",\n".join(f"syscall::{name}:{end}" for name in both)


# --- memory -----------------------------------------------------------------------------------------------------------


def _captures(names: dict[int, str], who: str, shown: int, is_all: bool) -> list[str]:
    """Clauses that record memory; `shown` bytes of buffers are enough. If all calls are traced (`is_all`), what rare
    ones read is left out, for it makes the program large."""
    by_capture: dict[Capture, list[str]] = {}
    saved: dict[int, set[str]] = {}
    for number, name in names.items():
        if name in _RARE and is_all:
            continue
        captures = renderer_of(number).captures
        for capture in _NESTED.get(name, ()) if captures is None else captures:
            if capture.size == 0:
                continue  # a structure that is not known
            by_capture.setdefault(capture, []).append(name)
            if capture.at_return:
                for index in {capture.argument, capture.times} & set(range(6)):
                    saved.setdefault(index, set()).add(name)
    clauses = [
        f"{_probes(sorted(users), 'entry')} {who} {{ self->a{index} = (uint64_t)arg{index}; }}"
        for index, users in sorted(saved.items())
    ]
    for capture, users in by_capture.items():
        clauses.append(_clause(capture, users, who, shown))
    chosen = set(names.values())
    for name in ("execve", "execveat"):
        if name in chosen:
            clauses += _program_arguments(name, 1 if name == "execve" else 2, who, shown)
    for group in (("writev", "pwritev", "pwritev2"), ("readv", "preadv", "preadv2")):
        if users := [name for name in group if name in chosen]:
            clauses += _vectors(users, who, shown)
    return clauses


def _clause(capture: Capture, users: list[str], who: str, shown: int) -> str:
    """One clause for all calls that read alike."""
    if capture.argument < 0:
        return "\n".join(
            f"{_probes(users, 'entry')} {who} {{ trace({Tag.DATA}); trace(tid); trace((uint64_t)uregs[R_RSP] + {at}); "
            f"tracemem(copyin((uintptr_t)uregs[R_RSP] + {at}, 8), 8); }}"
            for at in (MASK_IN_FRAME, RAX_IN_FRAME)
        )
    at = f"self->a{capture.argument}" if capture.at_return else f"arg{capture.argument}"
    condition = f"{at} != 0"
    if capture.at_return:
        condition += " && ((int64_t)arg1 >= 0 || (int64_t)arg1 == -516)"
    place = f"trace(tid); trace((uint64_t){at});"
    if capture.is_string:
        body = f"trace({Tag.DATA}); {place} trace(copyinstr((uintptr_t){at}, {min(capture.size, _MOST_STRING)}));"
    else:
        most = min(shown if capture.size < 0 else capture.size, _MOST_BYTES)
        if capture.times < 0:
            body = f"trace({Tag.DATA}); {place} tracemem(copyin((uintptr_t){at}, {most}), {most});"
        else:
            count = "(int64_t)arg1" if capture.times == RESULT else _word(capture)
            body = (
                f"this->n = (int64_t)({count}) * {capture.unit}; this->n = this->n > {most} ? {most} : this->n; "
                f"if (this->n > 0) {{ trace({Tag.SIZED}); {place} "
                f"tracemem(copyin((uintptr_t){at}, this->n), {most}); trace(this->n); }}"
            )
    end = "return" if capture.at_return else "entry"
    return f"{_probes(users, end)} {who[:-1]} && {condition}/ {{ {body} }}"


def _word(capture: Capture) -> str:
    return f"self->a{capture.times}" if capture.at_return else f"arg{capture.times}"


def _program_arguments(name: str, index: int, who: str, shown: int) -> list[str]:
    """The strings of argv, a clause for each, for a loop is much for the verifier; and envp, which is counted."""
    probe = f"syscall::{name}:entry"
    clauses = []
    for word in range(_MOST_ARGUMENTS):
        before = who if word == 0 else "/this->p/"
        clauses.append(
            f"{probe} {before} {{ this->p = *(uint64_t *)copyin(arg{index} + {8 * word}, 8); "
            f"trace({Tag.DATA}); trace(tid); trace((uint64_t)arg{index} + {8 * word}); trace(this->p); }}"
        )
        string = f"trace({Tag.DATA}); trace(tid); trace(this->p); trace(copyinstr((uintptr_t)this->p, {shown + 1}));"
        clauses.append(f"{probe} /this->p/ {{ {string} }}")
    environment = f"trace({Tag.DATA}); trace(tid); trace((uint64_t)arg{index + 1}); "
    environment += f"tracemem(copyin(arg{index + 1}, {_ENVIRONMENT}), {_ENVIRONMENT});"
    clauses.append(f"{probe} {who} {{ {environment} }}")
    return [*clauses, _clause(Capture(index - 1, _MOST_STRING, is_string=True), [name], who, shown)]


def _vectors(names: Sequence[str], who: str, shown: int) -> list[str]:
    """An array of struct iovec, and what its buffers hold: when the call begins, or if it fills them at its end."""
    reads = "readv" in names[0] or "preadv" in names[0]
    at, count = ("self->a1", "self->a2") if reads else ("arg1", "arg2")
    filter_ = f"{who[:-1]} && (int64_t)arg1 > 0" if reads else who[:-1]
    clauses = []
    for index in range(_MOST_ELEMENTS):
        body = (
            f"this->v = (uint64_t *)copyin((uintptr_t){at} + {16 * index}, 16); "
            f"this->n = (int64_t)(this->v[1] > {shown} ? {shown} : this->v[1]); "
            f"if (this->n > 0) {{ trace({Tag.SIZED}); trace(tid); trace(this->v[0]); "
            f"tracemem(copyin((uintptr_t)this->v[0], this->n), {shown}); trace(this->n); }}"
        )
        probes = _probes(names, "return" if reads else "entry")
        clauses.append(f"{probes} {filter_} && (int){count} > {index}/ {{ {body} }}")
    place = f"trace(tid); trace((uint64_t){at});"
    array = (
        f"this->n = 16 * (int64_t)((int){count} > {_MOST_ELEMENTS} ? {_MOST_ELEMENTS} : (int){count}); "
        f"if (this->n > 0) {{ trace({Tag.SIZED}); {place} "
        f"tracemem(copyin((uintptr_t){at}, this->n), {16 * _MOST_ELEMENTS}); trace(this->n); }}"
    )
    clauses.append(f"{_probes(names, 'return' if reads else 'entry')} {filter_}/ {{ {array} }}")
    if reads:
        saved = "self->a1 = (uint64_t)arg1; self->a2 = (uint64_t)arg2;"
        clauses.insert(0, f"{_probes(names, 'entry')} {who} {{ {saved} }}")
    return clauses


# Calls whose pieces follow pointers, and what of them is recorded all the same.
_NESTED: dict[str, tuple[Capture, ...]] = {
    "sendmsg": (Capture(1, 56),), "recvmsg": (Capture(1, 56), Capture(1, 56, at_return=True)),
    "pselect6": (
        Capture(1, 128), Capture(2, 128), Capture(3, 128), Capture(4, 16),
        Capture(1, 128, at_return=True), Capture(2, 128, at_return=True), Capture(3, 128, at_return=True),
        Capture(4, 16, at_return=True),
    ),
}  # fmt: skip
