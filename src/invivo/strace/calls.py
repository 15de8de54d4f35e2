"""System calls by number: the name that people know, and what each argument is.

    call(257)       Call("openat", kernel="openat", parameters=(fd "dfd", path "filename", flags "flags", mode "mode"))

In: the prototypes of the kernel, by providers.syscall_prototypes. A kind is found from a parameter's type and name, by
rules that hold for all calls; only what they get wrong stands in a table.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import NamedTuple

from invivo.linux.arch import architecture
from invivo.providers.syscall import Numbers
from invivo.providers.syscall_prototypes import parameters

__all__ = ["CLASSES", "Call", "Kind", "Parameter", "call", "numbers"]


class Kind(enum.Enum):
    """What an argument is; the ones that say `out` are known when the call has returned."""

    SIGNED = "a number"
    UNSIGNED = "a number without sign"
    HEX = "bits, or an address that is not read"
    FLAGS = "named values or bits"
    MODE = "permissions, in octal"
    FD = "a descriptor"
    PATH = "a string"
    DATA = "bytes, as many as the next argument says"
    OUT_DATA = "out: bytes, as many as the call returned"
    STRINGS = "an array of strings that ends with NULL"
    ENVIRONMENT = "the same, of which only the number is shown"
    STRUCT = "a structure that the kernel reads"
    OUT_STRUCT = "out: a structure that the kernel writes"


class Parameter(NamedTuple):
    name: str
    type: str  # as C has it
    kind: Kind


class Call(NamedTuple):
    name: str  # as system call manual pages have it
    kernel: str  # as the kernel's function is called
    number: int
    parameters: tuple[Parameter, ...]
    is_known: bool

    @property
    def has_path(self) -> bool:
        return self.name == "getcwd" or any(p.kind is Kind.PATH for p in self.parameters)

    @property
    def has_descriptor(self) -> bool:
        return any(p.kind is Kind.FD for p in self.parameters)


_FD_NAMES = {
    "fd", "dfd", "fildes", "oldfd", "newfd", "olddfd", "newdfd", "fd_in", "fd_out", "in_fd", "out_fd", "epfd", "pidfd",
    "ufd", "from_dfd", "to_dfd", "fanotify_fd", "mountdirfd", "dirfd",
}  # fmt: skip
_LENGTHS = {"count", "len", "size", "msg_len", "bufsiz", "buflen"}
_HEX_NAMES = {"off", "addr", "start", "brk", "new_addr", "newsp", "tls", "arg", "arg2"}
# Buffers that the kernel fills although nothing in their type says so, and structures likewise.
_OUT = {
    "statbuf", "buffer", "rmtp", "old_rlim", "rlim", "ru", "tv", "oact", "oset", "uset", "value", "rgidp", "egidp",
    "sgidp", "ruidp", "euidp", "suidp", "upeer_sockaddr", "usockaddr", "stat_addr", "events", "info", "grouplist",
}  # fmt: skip
_OUT_CALLS = {
    ("pipe", "fildes"), ("pipe2", "fildes"), ("newuname", "name"), ("statx", "buffer"), ("clock_gettime", "tp"),
    ("clock_getres", "tp"), ("statfs", "buf"), ("fstatfs", "buf"), ("socketpair", "usockvec"), ("poll", "ufds"),
    ("ppoll", "ufds"), ("recvmsg", "msg"), ("recvfrom", "addr"),
}  # fmt: skip
_IN_CALLS = {
    ("setitimer", "value"), ("setxattr", "value"), ("fsetxattr", "value"), ("lsetxattr", "value"),
    ("setrlimit", "rlim"), ("settimeofday", "tv"), ("epoll_ctl", "event"),
}  # fmt: skip
# Addresses that the call only notes.
_UNREAD = {
    ("set_tid_address", "tidptr"), ("clone", "parent_tidptr"), ("clone", "child_tidptr"), ("futex", "uaddr"),
    ("futex", "uaddr2"), ("getsockopt", "optval"),
}  # fmt: skip

_PROCESS = {
    "fork", "vfork", "clone", "clone3", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "kill", "tkill",
    "tgkill", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "unshare", "arch_prctl",
}  # fmt: skip
_NETWORK = {
    "socket", "socketpair", "bind", "connect", "listen", "accept", "accept4", "getsockname", "getpeername", "sendto",
    "recvfrom", "setsockopt", "getsockopt", "shutdown", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "sendfile",
}  # fmt: skip
_SIGNAL = {
    "kill", "tkill", "tgkill", "pause", "sigaltstack", "signalfd", "signalfd4", "pidfd_send_signal",
}  # fmt: skip
_MEMORY = {
    "brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "mlock", "mlock2", "munlock", "mlockall", "munlockall",
    "msync", "mincore", "mbind", "pkey_mprotect", "remap_file_pages", "memfd_create",
}  # fmt: skip
_CLOCK = {
    "adjtimex", "clock_adjtime", "clock_getres", "clock_gettime", "clock_settime", "gettimeofday", "settimeofday",
    "time",
}  # fmt: skip
_CREDENTIALS = {
    "capget", "capset", "getegid", "geteuid", "getgid", "getgroups", "getresgid", "getresuid", "getuid", "prctl",
    "setfsgid", "setfsuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid",
}  # fmt: skip
_IPC = {
    "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop", "shmat", "shmctl", "shmdt",
    "shmget",
}  # fmt: skip
_PURE = {  # they always succeed and have no arguments
    "getegid", "geteuid", "getgid", "getpgrp", "getpid", "getppid", "gettid", "getuid",
}  # fmt: skip
_STAT = {"stat"}
_LSTAT = {"lstat"}
_FSTAT = {"fstat", "newfstatat", "statx"}
_STATFS = {"statfs"}
_FSTATFS = {"fstatfs"}
# What -e trace=%NAME chooses.
CLASSES: dict[str, Callable[[Call], bool]] = {
    "file": lambda c: c.has_path,
    "desc": lambda c: c.has_descriptor,
    "process": lambda c: c.name in _PROCESS,
    "network": lambda c: c.name in _NETWORK,
    "net": lambda c: c.name in _NETWORK,
    "ipc": lambda c: c.name in _IPC,
    "signal": lambda c: c.name in _SIGNAL or c.name.startswith("rt_sig"),
    "memory": lambda c: c.name in _MEMORY,
    "creds": lambda c: c.name in _CREDENTIALS,
    "clock": lambda c: c.name in _CLOCK,
    "pure": lambda c: c.name in _PURE,
    "stat": lambda c: c.name in _STAT,
    "lstat": lambda c: c.name in _LSTAT,
    "fstat": lambda c: c.name in _FSTAT,
    "%stat": lambda c: c.name in _STAT | _LSTAT | _FSTAT,
    "statfs": lambda c: c.name in _STATFS,
    "fstatfs": lambda c: c.name in _FSTATFS,
    "%statfs": lambda c: c.name in _STATFS | _FSTATFS | {"ustat"},
}


@functools.cache
def numbers() -> dict[str, int]:
    """Numbers by name, of this machine."""
    return Numbers(architecture().name).table


@functools.cache
def call(number: int) -> Call:
    """The call with a number; one that is not known shows six numbers."""
    names = _by_number()
    if number not in names:
        unknown = tuple(Parameter(f"arg{i}", "unsigned long", Kind.HEX) for i in range(6))
        return Call(f"syscall_{number:#x}", "", number, unknown, False)
    name = names[number]
    table = Numbers(architecture().name)
    for kernel in (name, *table.tracefs_names(name)):
        if (found := parameters(kernel)) is not None:
            rows = [(type_, parameter) for type_, parameter in found]
            made = tuple(_parameter(kernel, rows, index) for index in range(len(rows)))
            return Call(name, kernel, number, made, True)
    unknown = tuple(Parameter(f"arg{i}", "unsigned long", Kind.HEX) for i in range(6))
    return Call(name, name, number, unknown, False)


@functools.cache
def _by_number() -> dict[int, str]:
    return {number: name for name, number in numbers().items()}


def _parameter(call_name: str, rows: list[tuple[str, str]], index: int) -> Parameter:
    type_, name = rows[index]
    following = rows[index + 1][1] if index + 1 < len(rows) else ""
    return Parameter(name, type_, _kind(call_name, type_, name, following))


def _kind(call_name: str, type_: str, name: str, following: str) -> Kind:
    from invivo.strace.flags import names_of

    plain = type_.replace("const ", "").replace("unsigned ", "").strip()
    if "*" in type_:
        return _pointer_kind(call_name, type_, plain, name, following)
    if names_of(call_name, name) is not None:
        return Kind.FLAGS
    if name in _FD_NAMES and plain in ("int", "long", ""):
        return Kind.FD
    if type_ == "umode_t":
        return Kind.MODE
    if "flag" in name or name in _HEX_NAMES:
        return Kind.HEX
    is_unsigned = type_.startswith("unsigned") or type_ in ("size_t", "u32", "u64", "__u64", "qid_t")
    return Kind.UNSIGNED if is_unsigned else Kind.SIGNED


def _pointer_kind(call_name: str, type_: str, plain: str, name: str, following: str) -> Kind:
    place = (call_name, name)
    if place in _UNREAD:
        return Kind.HEX
    is_bytes = plain in ("char *", "void *", "char*") or type_ == "void *"
    if "*const *" in type_:
        return Kind.ENVIRONMENT if name == "envp" else Kind.STRINGS
    if is_bytes and following in _LENGTHS and place not in _IN_CALLS:
        is_input = "const" in type_ or call_name in ("write", "pwrite64", "sendto")
        return Kind.DATA if is_input else Kind.OUT_DATA
    if plain == "char *":
        return Kind.PATH
    if type_ == "void *":
        return Kind.HEX
    is_output = place in _OUT_CALLS or (name in _OUT and "const" not in type_ and place not in _IN_CALLS)
    return Kind.OUT_STRUCT if is_output else Kind.STRUCT
