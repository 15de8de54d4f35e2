"""The D program that records what `invivo strace` shows.

    text(Request(command=["ls"]))       'uint64_t calls[512]; ... rawtp:raw_syscalls::sys_enter ...'

It is the same for all sets of calls, and so compiled once: what to do at each call stands in tables, which recipes.py
fills. Each clause records a Tag, the thread's number, and its values. What an argument leads to comes in records of its
own (Tag.DATA) before that of the call's entry or return; where memory cannot be read only that clause ends.
"""

from __future__ import annotations

import enum

from invivo.strace.printer import Request
from invivo.tools.strace.recipes import (
    CALLS,
    FOREIGN,
    MOST_BYTES,
    NONE,
    RECIPES,
    SIZES,
    SLOTS,
    UNKNOWN,
    Kind,
    Shape,
    kinds,
)

__all__ = ["Tag", "shown_bytes", "text"]

_MOST_ELEMENTS, _MOST_ARGUMENTS = 3, 8
_MOST_STEPS = 14  # from a file to the root
_ENVIRONMENT = 2048  # bytes of pointers, which are counted
_NATIVE = 0x33  # the code segment of 64-bit programs
_ENTER, _EXIT = "rawtp:raw_syscalls::sys_enter", "rawtp:raw_syscalls::sys_exit"


class Tag(enum.IntEnum):
    """What a record tells; the first of its values."""

    ENTRY = 1  # tid, pid, ns, number, six arguments, stack and instruction pointer, a string to come
    DATA = 2  # tid, address, string
    RETURN = 3  # tid, pid, ns, number, result
    FILE = 4  # tid, descriptor, key, identity
    EXIT = 5  # tid, pid, ns, wait status
    FORK = 6  # tid, pid, ns, new tid, new pid
    SIGNAL = 7  # tid, pid, ns, number, siginfo
    EXEC = 8  # tid, pid, ns, former tid
    SIZED = 9  # tid, address, bytes, how many of them count
    PATH = 10  # tid, key, identity, mode, device, inode, whether it has a path, type of file system
    NAME = 11  # tid, a directory's entry: parts of the path, from its end; a number: there are more


def shown_bytes(limit: int) -> int:
    """The bytes of a buffer that are recorded, for `limit` to be shown and to know whether there are more."""
    return min(limit + 1, MOST_BYTES)


def text(request: Request) -> str:
    """The program for a request; `$target` is the command or the first process."""
    who = "followed[pid]" if request.follows else "followed[pid] && tid == pid"
    roots = "".join(f" followed[{pid}] = 1;" for pid in request.pids[1:])
    most = next(size for size in SIZES.values() if shown_bytes(request.limit) <= size)
    head = "trace(tid); trace(pid); trace(timestamp);"
    clauses = [
        f"uint64_t calls[{CALLS}];", f"uint64_t recipes[{RECIPES}];", *_VARIABLES,
        f"BEGIN {{ followed[$target] = 1;{roots} }}",
    ]  # fmt: skip
    clauses += [
        f"{_ENTER} /{who}/ {{ this->nr = args[0]->cs != {_NATIVE} ? {FOREIGN} : "
        f"(uint64_t)args[1] < {UNKNOWN} ? args[1] : {UNKNOWN}; {_LOOKED_UP} "
        "this->k = this->c >> 1 & 7; this->base = this->c >> 32; }",
    ]
    if not request.counts:
        clauses += _memory(_ENTER)
        clauses += _program_arguments(most)
        clauses += _vectors(_ENTER, Shape.VECTORS, Shape.MESSAGE, most)
        if request.paths or request.only_paths:
            clauses += _files(_ENTER, "this->c >> 8 & 0xff", "this->c >> 16 & 0xff")
    words = "".join(f" trace(args[0]->{name});" for name in ("di", "si", "dx", "r10", "r8", "r9", "sp", "ip"))
    number = f"trace(this->nr == {FOREIGN} ? -1 : args[1]);"
    missed = "0" if request.counts else " | ".join(_MISSED)
    clauses.append(f"{_ENTER} /this->c/ {{ trace({Tag.ENTRY}); {head} {number}{words} trace({missed}); }}")
    # rt_sigreturn(2) leaves -1 in orig_ax: its return is not told.
    clauses.append(
        f"{_EXIT} /{who}/ {{ this->nr = args[0]->cs != {_NATIVE} ? {FOREIGN} : "
        f"(int64_t)args[0]->orig_ax < 0 ? {NONE} : "
        f"args[0]->orig_ax < {UNKNOWN} ? (int64_t)args[0]->orig_ax : {UNKNOWN}; {_LOOKED_UP} "
        "this->has_result = (int64_t)args[1] >= 0 || (int64_t)args[1] == -516; "
        "this->k = this->has_result ? this->c >> 4 & 7 : 0; this->base = (this->c >> 32) + (this->c >> 1 & 7); }",
    )
    if not request.counts:
        for missed in _MISSED:
            clauses.append(f"{_EXIT} /this->c && {missed}/ {{ this->v = {missed}; {missed} = 0; }}")
            clauses.append(
                f"{_EXIT} /this->v/ {{ this->at = this->v; this->v = 0; trace({Tag.DATA}); trace(tid); "
                "trace(this->at); trace(copyinstr(this->at, 4096)); }"
            )
        clauses += _memory(_EXIT)
        clauses += _vectors(_EXIT, Shape.OUT_VECTORS, Shape.OUT_MESSAGE, most)
        if request.paths or request.only_paths:
            clauses += _files(_EXIT, "this->has_result && this->c >> 24 & 1 ? 80 : 0")
    number = f"trace(this->nr == {FOREIGN} ? -1 : (int64_t)args[0]->orig_ax);"
    clauses.append(f"{_EXIT} /this->c/ {{ trace({Tag.RETURN}); {head} {number} trace((int64_t)args[1]); }}")
    return "\n".join(clauses + _lives(request, who, head)) + "\n"


_VARIABLES = (
    "uint64_t limits[1];", "int followed[int];", "uint64_t told[uint64_t];", "this int64_t nr, n, m;",
    "self uint64_t missed0, missed1;", "this uint64_t c, r, at, base, regs, p, v, key, id, dentry;",
    "this uint64_t mount;",
    "this int k, kind, shape, vn, walks, fd, off, has_result;", "this uint64_t *h;", "this uint64_t *w;",
    "this struct mount *up;", "this struct file *file;", "this struct dentry *d;", "this struct dentry *e;",
)  # fmt: skip
# A string in a page that is not in memory cannot be read at the call's entry. The kernel reads it, and so it can be at
# the return.
_MISSED = ("self->missed0", "self->missed1")
_LOOKED_UP = "this->c = calls[this->nr]; this->shape = this->c >> 25 & 7; this->regs = (uintptr_t)args[0];"


def _lives(request: Request, who: str, head: str) -> list[str]:
    """What becomes of threads and processes, and signals."""
    clauses = []
    if request.follows:
        fork = f"trace({Tag.FORK}); {head} trace(args[1]->pid); trace(args[1]->tgid);"
        clauses.append(f"rawtp:sched::sched_process_fork /{who}/ {{ {fork} followed[args[1]->tgid] = 1; }}")
        clauses.append(f"rawtp:sched::sched_process_exec /{who}/ {{ trace({Tag.EXEC}); {head} trace((int)args[1]); }}")
    end = f"trace({Tag.EXIT}); {head} trace(curthread->exit_code);"
    clauses.append(f"rawtp:sched::sched_process_exit /{who}/ {{ {end} }}")
    if request.signals is None or request.signals:
        info = f"trace({Tag.SIGNAL}); {head}"
        delivered = f"{info} trace(args[0]); tracemem(args[1], 48);"
        clauses.append(f"rawtp:signal::signal_deliver /{who}/ {{ {delivered} }}")
        # A signal that is ignored is never delivered: under ptrace(2), as strace(1) works, it is.
        ignored = f"trace({Tag.SIGNAL}); trace(args[2]->pid); trace(args[2]->tgid); trace(timestamp); trace(args[0]); "
        clauses.append(
            "rawtp:signal::signal_generate /args[4] == 1 && (uint64_t)args[1] > 2 && followed[args[2]->tgid]/ "
            f"{{ {ignored} tracemem(args[1], 48); }}"
        )
    return clauses


# --- memory -----------------------------------------------------------------------------------------------------------


def _memory(probe: str) -> list[str]:
    """A clause for each slot, so that what cannot be read costs only itself."""
    at_return = probe == _EXIT
    return [
        f"{probe} /this->k > {slot}/ {{ this->r = recipes[this->base + {slot}]; "
        "this->at = *(uint64_t *)(this->regs + (this->r & 0xff)) + (this->r >> 48); "
        "this->n = (int64_t)(this->r >> 32 & 0xffff); "
        "if (this->r >> 8 & 0xff) { "
        "this->m = *(int64_t *)(this->regs + (this->r >> 8 & 0xff)) * (int64_t)(this->r >> 16 & 0xff); "
        "this->n = this->m < 0 ? 0 : this->m < this->n ? this->m : this->n; } "
        f"if (this->at != 0 && this->n > 0) {{ {_by_kind(slot, at_return)} }} }}"
        for slot in range(SLOTS)
    ]


def _by_kind(slot: int, at_return: bool) -> str:
    string = f"trace({Tag.DATA}); trace(tid); trace(this->at); trace(copyinstr(this->at, 4096));"
    if slot < len(_MISSED) and not at_return:
        string = f"{_MISSED[slot]} = this->at; {string} {_MISSED[slot]} = 0;"
    branches = [
        f"if (this->kind == {kind}) {{ "
        f"{string if kind == Kind.STRING else _sized('this->at', 'this->n', SIZES[kind])} }}"
        for kind in kinds(slot, at_return)
    ]
    return "this->kind = this->r >> 24 & 0xff; " + " else ".join(branches)


def _sized(at: str, count: str, most: int) -> str:
    copy = f"tracemem(copyin({at}, {count}), {most})"
    return f"trace({Tag.SIZED}); trace(tid); trace({at}); {copy}; trace({count});"


def _program_arguments(most: int) -> list[str]:
    """The strings of argv, a clause for each, for a loop is much for the verifier; and envp, which is counted."""
    which = f"this->shape && this->shape <= {Shape.EXECVEAT}"
    start = f"this->v = this->shape == {Shape.EXECVE} ? args[0]->si : args[0]->dx;"
    envp = f"this->p = this->shape == {Shape.EXECVE} ? args[0]->dx : args[0]->r10;"
    clauses = [f"{_ENTER} /{which}/ {{ {start} this->p = 1; }}"]
    for word in range(_MOST_ARGUMENTS):
        clauses.append(
            f"{_ENTER} /{which} && this->p/ {{ this->at = this->v + {8 * word}; this->p = 0; "
            "this->p = *(uint64_t *)copyin(this->at, 8); "
            f"trace({Tag.DATA}); trace(tid); trace(this->at); trace(this->p); "
            f"if (this->p) {{ trace({Tag.DATA}); trace(tid); trace(this->p); trace(copyinstr(this->p, {most})); }} }}"
        )
    environment = f"trace({Tag.DATA}); trace(tid); trace(this->p); "
    environment += f"tracemem(copyin(this->p, {_ENVIRONMENT}), {_ENVIRONMENT});"
    return [*clauses, f"{_ENTER} /{which}/ {{ this->v = 0; {envp} if (this->p) {{ {environment} }} }}"]


def _vectors(probe: str, plain: Shape, message: Shape, most: int) -> list[str]:
    """An array of struct iovec, and what its buffers hold: when the call begins, or if it fills them at its end."""
    condition = "" if probe == _ENTER else " && (int64_t)args[1] > 0"
    array = 16 * _MOST_ELEMENTS
    return [
        f"{probe} /this->shape == {plain}{condition}/ {{ this->v = args[0]->si; this->vn = (int)args[0]->dx; }}",
        # struct user_msghdr: name 0, its length 8, vectors 16, their number 24
        f"{probe} /this->shape == {message}{condition}/ {{ this->h = (uint64_t *)copyin(args[0]->si, 32); "
        "this->v = this->h[2]; this->vn = (int)this->h[3]; this->at = this->h[0]; "
        "this->n = (int64_t)(this->h[1] & 0xff); "
        f"if (this->at != 0 && this->n > 0) {{ {_sized('this->at', 'this->n', SIZES[Kind.SMALL])} }} }}",
        f"{probe} /this->v && this->vn > 0/ {{ if (this->vn > {_MOST_ELEMENTS}) this->vn = {_MOST_ELEMENTS}; "
        f"this->n = 16 * this->vn; {_sized('this->v', 'this->n', array)} }}",
        *(
            f"{probe} /this->v && this->vn > {index}/ {{ this->w = (uint64_t *)copyin(this->v + {16 * index}, 16); "
            "this->n = (int64_t)(this->w[1] > limits[0] ? limits[0] : this->w[1]); this->at = this->w[0]; "
            f"if (this->n > 0) {{ {_sized('this->at', 'this->n', most)} }} }}"
            for index in range(_MOST_ELEMENTS)
        ),
    ]


# --- files ------------------------------------------------------------------------------------------------------------


def _files(probe: str, *registers: str) -> list[str]:
    """The files behind descriptors in registers: which they are, and the path of one that is seen for the first time.
    The identity holds a hash of the name, so that memory of the kernel that was used again is not taken for what was.
    The walk up to the root has a clause for each step, for a loop is too much for the verifier."""
    clauses: list[str] = []
    for register in registers:
        clauses += _file(probe, register)
    step = (
        "if (this->e == this->up->mnt.mnt_root && this->up != this->up->mnt_parent) { "
        "this->e = this->up->mnt_mountpoint; this->up = this->up->mnt_parent; } "
        "if (this->e == this->e->d_parent) { this->walks = this->e != this->up->mnt.mnt_root; } "
        f"else {{ trace({Tag.NAME}); trace(tid); tracemem(this->e->d_name.name, 256); this->e = this->e->d_parent; }}"
    )
    clauses += [f"{probe} /this->walks/ {{ {step} }}"] * _MOST_STEPS
    return [*clauses, f"{probe} /this->walks/ {{ trace({Tag.NAME}); trace(tid); trace(0); }}"]


def _file(probe: str, register: str) -> list[str]:
    return [
        f"{probe} /this->c/ {{ this->off = {register}; this->key = 0; }}",
        f"{probe} /this->c && this->off/ {{ this->fd = *(int *)(this->regs + this->off); "
        "if (this->fd == -100) { this->mount = (uintptr_t)curthread->fs->pwd.mnt; "
        "this->key = (uintptr_t)curthread->fs->pwd.dentry; this->dentry = this->key; } "
        "else if (curthread->files != NULL && this->fd >= 0 && this->fd < curthread->files->fdt->max_fds) { "
        "this->file = curthread->files->fdt->fd[this->fd]; this->key = (uintptr_t)this->file; "
        "if (this->file != NULL) { this->dentry = (uintptr_t)this->file->f_path.dentry; "
        "this->mount = (uintptr_t)this->file->f_path.mnt; } } }",
        f"{probe} /this->c && this->key/ {{ this->d = (struct dentry *)this->dentry; "
        "this->id = this->dentry ^ this->d->d_name.hash_len ^ this->d->d_inode->i_ino << 20; }",
        f"{probe} /this->c && this->key && this->walks == 0 && told[this->key] != this->id/ {{ "
        "told[this->key] = this->id; this->e = this->d; this->up = __mount_of[(struct vfsmount *)this->mount]; "
        "this->walks = this->d->d_op == NULL || this->d->d_op->d_dname == NULL; "
        f"trace({Tag.PATH}); trace(tid); trace(this->key); trace(this->id); trace((int)this->d->d_inode->i_mode); "
        "trace((uint32_t)this->d->d_inode->i_rdev); trace(this->d->d_inode->i_ino); "
        "trace(this->walks); tracemem(this->d->d_sb->s_type->name, 16); }",
        f"{probe} /this->c && this->key/ {{ trace({Tag.FILE}); trace(tid); trace(this->fd); trace(this->key); "
        "trace(this->id); }",
    ]
