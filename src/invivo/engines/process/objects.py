"""Kernel structures as far as /proc tells them: reads of curthread->... answered without reading the kernel.

In: made-up addresses, given out by `task(tid)`; the kernel's BTF says where in a structure a member lies.
Out: the bytes of that member, from /proc at that moment; for any other member an error that names it.

    objects.read(objects.task(4711) + offset_of(task_struct, tgid), 4)      b"\\x67\\x12\\0\\0"
    objects.read(objects.task(4711) + offset_of(task_struct, se), 8)        UnsupportedError: needs the kernel engine
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from invivo.errors import UnsupportedError
from invivo.linux import procfs
from invivo.program.types import Array, Enum, Int, Pointer, Struct, Type, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.program.sources import TypeSource

__all__ = ["KernelObjects", "needs_kernel"]

_BASE = 0xFFFF_C900_0000_0000
_SPAN_BITS = 20  # a structure has a megabyte of addresses to itself
_LAST = _BASE + (1 << 40)
_PAGE_KIB = os.sysconf("SC_PAGESIZE")
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")

_Getter = Callable[["KernelObjects", int], int | bytes]


def needs_kernel(what: str, reason: str) -> UnsupportedError:
    """The error of everything that only the kernel engine can do."""
    return UnsupportedError(f"{what} needs the kernel engine, because {reason}", "run it as root; see: invivo doctor")


class KernelObjects:
    """The structures of all threads that a program asks about. `handlers` says where a signal's handler lies."""

    def __init__(self, types: TypeSource) -> None:
        self._types = types
        self._addresses: dict[tuple[str, int], int] = {}
        self._objects: list[tuple[str, int]] = []
        self._layouts: dict[str, dict[int, tuple[int, str, _Getter]]] = {}
        self.handlers: dict[int, int] = {}
        self.exit_codes: dict[int, int] = {}
        self._placed = b""

    # --- addresses ----------------------------------------------------------------------------------------------

    def address(self, kind: str, number: int) -> int:
        """Where the structure of a kind lies that belongs to a thread, process or signal."""
        key = kind, number
        found = self._addresses.get(key)
        if found is None:
            found = self._addresses[key] = _BASE + (len(self._objects) << _SPAN_BITS)
            self._objects.append(key)
        return found

    def task(self, tid: int) -> int:
        """The struct task_struct of a thread; NULL for none."""
        return self.address("task_struct", tid) if tid > 0 else 0

    def covers(self, address: int) -> bool:
        """Whether an address was given out here."""
        return _BASE <= address < _BASE + (len(self._objects) << _SPAN_BITS)

    def place(self, data: bytes) -> int:
        """Where these bytes lie, until others are placed."""
        self._placed = data
        return _LAST

    # --- reading ------------------------------------------------------------------------------------------------

    def read(self, address: int, size: int) -> bytes | None:
        """Memory of a structure; None where none lies.

        Raises:
            UnsupportedError: /proc does not tell that member.
        """
        if address >= _LAST and address + size <= _LAST + len(self._placed):
            return self._placed[address - _LAST : address - _LAST + size]
        if not self.covers(address):
            return None
        index, offset = divmod(address - _BASE, 1 << _SPAN_BITS)
        kind, number = self._objects[index]
        members = self._layout(kind)
        for start, (length, _, getter) in members.items():
            if start <= offset and offset + size <= start + length:
                value = getter(self, number)
                data = value if isinstance(value, bytes) else (value & (1 << 8 * length) - 1).to_bytes(length, "little")
                return data[:length].ljust(length, b"\0")[offset - start : offset - start + size]
        raise needs_kernel(
            f"'{_member_at(self._struct(kind), offset)}' of 'struct {kind}'",
            "no file of /proc tells it and the kernel's memory may not be read",
        )

    def _struct(self, kind: str) -> Type | None:
        return self._types.struct("struct", kind)

    def _layout(self, kind: str) -> dict[int, tuple[int, str, _Getter]]:
        made = self._layouts.get(kind)
        if made is None:
            made = self._layouts[kind] = {}
            struct = self._struct(kind)
            for path, getter in _MEMBERS[kind].items():
                if (found := _place(struct, path)) is not None:
                    made[found[0]] = (found[1], path, getter)
        return made


def _place(type_: Type | None, path: str) -> tuple[int, int] | None:
    """(offset, size) of a member, by a path with dots and with indexes of arrays."""
    offset = 0
    for name in path.split("."):
        if name.isdigit():
            if not isinstance(type_, Array):
                return None
            type_ = type_.element
            offset += int(name) * (size_of(type_) or 0)
            continue
        member = type_.find(name) if isinstance(type_, Struct) else None
        if member is None or member.bit_size:
            return None
        offset += member.bit_offset // 8
        type_ = member.type
    if isinstance(type_, Array):
        return offset, (size_of(type_.element) or 0) * type_.count
    return (offset, size_of(type_) or 8) if isinstance(type_, Int | Enum | Pointer) else None


def _member_at(type_: Type | None, offset: int) -> str:
    """The name of the member that covers an offset, as far down as structures go."""
    if not isinstance(type_, Struct):
        return f"+{offset}"
    best = None
    for member in type_.members:
        if member.bit_offset // 8 <= offset and (best is None or member.bit_offset >= best.bit_offset):
            best = member
    if best is None:
        return f"+{offset}"
    inner = _member_at(best.type, offset - best.bit_offset // 8) if isinstance(best.type, Struct) else ""
    return f"{best.name}.{inner}" if best.name and inner else best.name or inner


# --- what /proc tells -------------------------------------------------------------------------------------------------


def _status(name: str, column: int = 0) -> _Getter:
    def get(objects: KernelObjects, number: int) -> int:
        words = procfs.status(number).get(name, "").split()
        return int(words[column]) if len(words) > column else 0

    return get


def _stat(field: int) -> _Getter:
    """A field of /proc/PID/stat by its number in proc(5)."""

    def get(objects: KernelObjects, number: int) -> int:
        fields = procfs.stat(number)
        return int(fields[field - 3]) if len(fields) > field - 3 else 0

    return get


def _kin(kind: str, of: _Getter | None = None) -> _Getter:
    """A pointer to another structure."""

    def get(objects: KernelObjects, number: int) -> int:
        other = number if of is None else of(objects, number)
        return objects.address(kind, other) if isinstance(other, int) and other > 0 else 0

    return get


def _comm(objects: KernelObjects, tid: int) -> bytes:
    return (procfs.comm(tid) or "").encode("utf-8", "surrogateescape")[:15]


def _start_ns(objects: KernelObjects, tid: int) -> int:
    """start_time counts CLOCK_MONOTONIC; /proc tells CLOCK_BOOTTIME."""
    import time

    asleep = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return max((procfs.start_time_ns(tid) or 0) - asleep, 0)


def _boot_ns(objects: KernelObjects, tid: int) -> int:
    return procfs.start_time_ns(tid) or 0


_STATES = {"R": 0, "S": 1, "D": 2, "T": 4, "t": 0, "Z": 0, "X": 0}  # stopped by us is running, for the program


def _state(objects: KernelObjects, tid: int) -> int:
    return _STATES.get(procfs.state(tid) or "R", 1)


def _exit_state(objects: KernelObjects, tid: int) -> int:
    return {"Z": 0x20, "X": 0x10}.get(procfs.state(tid) or "", 0)


def _exit_code(objects: KernelObjects, tid: int) -> int:
    return objects.exit_codes.get(tid, 0)


def _static_priority(objects: KernelObjects, tid: int) -> int:
    nice = _stat(19)(objects, tid)
    return 120 + nice if isinstance(nice, int) else 120


def _priority(objects: KernelObjects, tid: int) -> int:
    value = _stat(18)(objects, tid)
    return 100 + value if isinstance(value, int) else 120


def _pages(objects: KernelObjects, pid: int) -> int:
    size = _stat(23)(objects, pid)
    return size // _PAGE_KIB if isinstance(size, int) else 0


def _allowed(objects: KernelObjects, tid: int) -> int:
    try:
        return len(os.sched_getaffinity(tid))
    except OSError:
        return 0


def _task_size(objects: KernelObjects, pid: int) -> int:
    """Where the address space ends: 32-bit programs have their ELF class to tell it."""
    try:
        with open(f"/proc/{pid}/exe", "rb") as stream:
            return 0xFFFFE000 if stream.read(5)[4:] == b"\x01" else 0x7FFF_FFFF_F000
    except OSError:
        return 0x7FFF_FFFF_F000


def _tty_of(objects: KernelObjects, pid: int) -> int:
    device = _stat(7)(objects, pid)
    return objects.address("tty_struct", device) if isinstance(device, int) and device else 0


def _handler(objects: KernelObjects, signal: int) -> int:
    return objects.handlers.get(signal, 0)


_IDS = {
    f"{prefix}{name}.val": _status(field, column)
    for name, field in (("uid", "Uid"), ("gid", "Gid"))
    for column, prefix in enumerate(("", "e", "s", "fs"))
}
_TGID = _status("Tgid")
_MEMBERS: Mapping[str, Mapping[str, _Getter]] = {
    "task_struct": {
        "pid": lambda objects, tid: tid,
        "tgid": _TGID,
        "comm": _comm,
        "real_parent": _kin("task_struct", _status("PPid")),
        "parent": _kin("task_struct", _status("PPid")),
        "group_leader": _kin("task_struct", _TGID),
        "cred": _kin("cred"),
        "real_cred": _kin("cred"),
        "signal": _kin("signal_struct", _TGID),
        "mm": _kin("mm_struct", _TGID),
        "active_mm": _kin("mm_struct", _TGID),
        "start_time": _start_ns,
        "start_boottime": _boot_ns,
        "__state": _state,
        "state": _state,
        "exit_state": _exit_state,
        "exit_code": _exit_code,
        "flags": _stat(9),
        "static_prio": _static_priority,
        "prio": _priority,
        "policy": _stat(41),
        "nr_cpus_allowed": _allowed,
        "on_cpu": lambda objects, tid: int(procfs.state(tid) in ("R", "t")),
        "thread_info.cpu": _stat(39),
    },
    "cred": _IDS,
    "signal_struct": {
        "nr_threads": _status("Threads"),
        "live.counter": _status("Threads"),
        "pids.1": _kin("pid", _status("Tgid")),
        "pids.2": lambda objects, pid: objects.address("pid", group) if (group := _int(_stat(5), pid)) else 0,
        "pids.3": lambda objects, pid: objects.address("pid", session) if (session := _int(_stat(6), pid)) else 0,
        "tty": _tty_of,
    },
    "pid": {"numbers.0.nr": lambda objects, number: number, "level": lambda objects, number: 0},
    "mm_struct": {
        "total_vm": _pages,
        "start_stack": _stat(28),
        "start_code": _stat(26),
        "end_code": _stat(27),
        "start_data": _stat(45),
        "end_data": _stat(46),
        "start_brk": _stat(47),
        "arg_start": _stat(48),
        "arg_end": _stat(49),
        "env_start": _stat(50),
        "env_end": _stat(51),
        "task_size": _task_size,
    },
    "tty_struct": {
        "driver": _kin("tty_driver"),
        "index": lambda objects, device: 0,
    },
    "tty_driver": {
        "major": lambda objects, device: os.major(device),
        "minor_start": lambda objects, device: os.minor(device),
    },
    "k_sigaction": {"sa.sa_handler": _handler},
}  # fmt: skip


def _int(getter: _Getter, number: int) -> int:
    value = getter(None, number)  # type: ignore[arg-type]
    return value if isinstance(value, int) else 0
