"""The loop's memory, and what Python does with it: which calls to record, which threads, and the records.

    capture = Capture(entries={257: (Recipe.string("si", 256),)}, returns={257: ()}, handed_returns={59})
    tracer = Tracer(hooks, capture)          which calls capture.run() and handles the stops that it comes back with
    for record in capture.take(): ...        in the order of the stops; in any one thread at a time

A system call in `entries` or `returns` is written down by the loop and never seen by the tracer's hooks; one in
`handed_entries` or `handed_returns` is left to them. Before a hook is called all records before it must have been
taken: see Tracer. Records are never lost: when the ring is full, the traced threads wait.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import struct
from collections.abc import Callable, Collection, Mapping, Sequence

from invivo.engines.process.native.code import load_loop
from invivo.engines.process.native.layout import (
    BRIEF,
    CALLS,
    CONTROL,
    CONTROL_BYTES,
    HANDED_ENTRY,
    HANDED_RETURN,
    IS_ALONE,
    IS_COMM_KEPT,
    IS_NATIVE,
    KEEPS_COMM,
    PIECE,
    RECORD,
    RECORD_HEADER,
    REGISTER,
    SLOT_BYTES,
    UNREAD_RETURN,
    WANTED_ENTRY,
    WANTED_RETURN,
)
from invivo.engines.process.native.record_ir import RECIPE_COMM
from invivo.engines.process.native.records import Kind, Piece, Recipe, Record
from invivo.linux.ptrace import PTRACE_CONT

__all__ = ["Capture", "Slot"]

_RING_BYTES = 8 << 20
_SLOTS = 1 << 15
_RECIPE = struct.Struct("<BBBxIq")
_WORD = {name: offset // 8 for name, (offset, _) in CONTROL.items()}
_REGISTERS_AT = RECORD["registers"][0]
_Recipes = Mapping[int, Sequence[Recipe]]

# Calls in which a thread's name may change: they set it, write to a file that may be /proc/self/comm, or make another
# thread, which may do that. write, pwrite64, writev, sendfile, clone, fork, vfork, execve, prctl, io_submit, splice,
# tee, vmsplice, pwritev, execveat, copy_file_range, pwritev2, io_uring_enter, clone3.
_RENAMING = frozenset((1, 18, 20, 40, 56, 57, 58, 59, 157, 209, 275, 276, 278, 296, 322, 326, 328, 426, 435))


class Slot(ctypes.Structure):
    """What the loop knows of a thread. `number` is the system call that it is in, or -1."""

    __slots__ = ()
    _fields_ = (
        ("number", ctypes.c_int64), ("tid", ctypes.c_int32), ("pid", ctypes.c_int32), ("flags", ctypes.c_int32),
        ("comm_fd", ctypes.c_int32), ("arguments", ctypes.c_uint64 * 6), ("comm", ctypes.c_char * 16),
        ("comm_bytes", ctypes.c_int64),
    )  # fmt: skip


class Capture:
    """See the module's text. `is_possible()` says whether there is a loop at all.

    Args:
        entries, returns: Recipes by number of system call; an empty list where nothing but the stop matters.
        handed_entries, handed_returns: Calls that stop, and are left to Python.
        unread_returns: Calls whose result and recipes nobody wants, only that they return and when.
        has_registers: Read all registers of a stop, not only those of the call, which is a little faster.
        ring_bytes: Room for records that are not taken yet, a power of 2; it takes memory as it is used.
    """

    def __init__(
        self,
        entries: _Recipes,
        returns: _Recipes,
        *,
        handed_entries: Collection[int] = (),
        handed_returns: Collection[int] = (),
        unread_returns: Collection[int] = (),
        has_registers: bool = False,
        ring_bytes: int = _RING_BYTES,
    ) -> None:
        loop = load_loop()
        assert loop is not None, "ask is_possible() first"
        self._loop: Callable[[int], int] = loop
        self._has_comm = False
        self._recipes = {
            (int(kind), number): tuple(list_)
            for kind, by_number in ((Kind.ENTRY, entries), (Kind.RETURN, returns))
            for number, list_ in by_number.items()
        }
        recipes = bytearray()
        tables: list[bytes] = [self._table(by_number, recipes) for by_number in (entries, returns)]
        self._pieces_at = _REGISTERS_AT + 8 * len(REGISTER if has_registers else BRIEF)
        most = self._pieces_at + max(
            (sum(recipe.room for recipe in list_) for list_ in (*entries.values(), *returns.values())), default=0
        )
        size = ring_bytes
        while size < 16 * most:
            size *= 2
        self._mask = size - 1
        self._ring = _room(size + mmap.PAGESIZE)  # a header may be read beyond the end
        self._indexes = mmap.mmap(-1, 4 * (_pid_max() + 1))
        self._index = memoryview(self._indexes).cast("I")
        self._slots = mmap.mmap(-1, _SLOTS * SLOT_BYTES)
        self._free = list(range(_SLOTS - 1, 0, -1))
        wanted = bytearray(CALLS)
        for numbers, bit in (
            (entries, WANTED_ENTRY), (returns, WANTED_RETURN), (handed_entries, HANDED_ENTRY),
            (handed_returns, HANDED_RETURN), (unread_returns, UNREAD_RETURN),
        ):  # fmt: skip
            for number in numbers:
                wanted[number] |= bit
        for number in entries.keys() - _RENAMING:
            wanted[number] |= KEEPS_COMM
        self._block = mmap.mmap(-1, max(CONTROL_BYTES, mmap.PAGESIZE))
        self._control = memoryview(self._block).cast("Q")
        self._kept = [_buffer(data) for data in (bytes(wanted), *tables, bytes(recipes) or bytes(16))]
        self._set(
            clock=ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p).value or 0,
            ring=_address(self._ring),
            ring_bytes=size,
            record_bytes=most,
            indexes=_address(self._indexes),
            tids=len(self._index),
            slots=_address(self._slots),
            mode=PTRACE_CONT,
            has_registers=int(has_registers),
        )
        names = ("wanted", "entry_recipes", "return_recipes", "recipes")
        self._set(**dict(zip(names, map(ctypes.addressof, self._kept), strict=True)))
        self._block_at = _address(self._block)
        self._tail = 0

    @staticmethod
    def is_possible() -> bool:
        """Whether the loop can be had on this machine, and the kernel has PTRACE_GET_SYSCALL_INFO."""
        release = [int(part) for part in os.uname().release.split("-")[0].split(".")[:2] if part.isdigit()]
        return release >= [5, 3] and load_loop() is not None

    def _table(self, by_number: _Recipes, recipes: bytearray) -> bytes:
        """For each system call where its recipes begin and how many there are, as the loop reads it."""
        table = [0] * CALLS
        for number, list_ in by_number.items():
            table[number] = len(recipes) // _RECIPE.size << 8 | len(list_)
            for recipe in list_:
                recipes += _RECIPE.pack(
                    recipe.kind, recipe.register, recipe.length_register, recipe.limit, recipe.displacement
                )
                self._has_comm |= recipe.kind == RECIPE_COMM
        return struct.pack(f"<{CALLS}I", *table)

    def _set(self, **words: int) -> None:
        for name, value in words.items():
            self._control[_WORD[name]] = value

    # --- what is recorded ---------------------------------------------------------------------------------------

    @property
    def numbers(self) -> frozenset[int]:
        """The system calls that must stop."""
        return frozenset(number for number in range(CALLS) if self._kept[0][number])

    def start(self, mode: int) -> None:
        """Threads go on by this request of ptrace(2): PTRACE_CONT under a filter, PTRACE_SYSCALL without."""
        self._set(mode=mode)

    def silence(self) -> None:
        """Record no more, and hand no more; what stops goes on at once."""
        ctypes.memset(self._kept[0], 0, CALLS)

    def hand(self, entries: Collection[int], returns: Collection[int]) -> None:
        """Leave more calls to Python from now on."""
        for numbers, bit in ((entries, HANDED_ENTRY), (returns, HANDED_RETURN)):
            for number in numbers:
                self._kept[0][number] |= bit

    # --- threads ------------------------------------------------------------------------------------------------

    def slot(self, tid: int, pid: int) -> Slot:
        """The slot of a thread that is traced from now on. The loop leaves it to Python until admit()."""
        if not self._free or not 0 < tid < len(self._index):
            return Slot(number=-1, tid=tid, pid=pid, comm_fd=-1)  # always left to Python
        index = self._free.pop()
        slot = Slot.from_buffer(self._slots, index * SLOT_BYTES)
        slot.number, slot.tid, slot.pid, slot.flags, slot.comm_fd = -1, tid, pid, 0, -1
        if self._has_comm:
            slot.comm_fd = _open_comm(tid)
        self._index[tid] = index
        return slot

    def admit(self, slot: Slot, *, is_alone: bool) -> None:
        """The loop may handle this thread's stops. One that is alone in its process has the same name at the return of
        most system calls as at the entry, for only threads of one process may rename each other."""
        slot.flags |= IS_NATIVE | (IS_ALONE if is_alone else 0)

    def join(self, slot: Slot) -> None:
        """The thread is not alone any more."""
        slot.flags &= ~(IS_ALONE | IS_COMM_KEPT)

    def executed(self, slot: Slot) -> None:
        """The thread's program was replaced; the number may have been another thread's before."""
        if slot.comm_fd >= 0:
            os.close(slot.comm_fd)
            slot.comm_fd = _open_comm(slot.tid)
        slot.flags &= ~IS_COMM_KEPT

    def forget(self, slot: Slot) -> None:
        """The thread is gone, or not traced any more."""
        slot.flags = 0
        if slot.comm_fd >= 0:
            os.close(slot.comm_fd)
            slot.comm_fd = -1
        tid = slot.tid
        if 0 < tid < len(self._index) and self._index[tid]:
            self._free.append(self._index[tid])
            self._index[tid] = 0

    # --- running ------------------------------------------------------------------------------------------------

    def run(self, budget: int) -> int:
        """Handle stops until there is one for Python, or so many were handled; see loop_ir.py for the answers."""
        self._set(budget=budget)
        answer = self._loop(self._block_at)
        self._set(should_stop=0)
        return answer

    def interrupt(self) -> None:
        """Let run() come back at the next stop; may be called by any thread."""
        self._set(should_stop=1)

    @property
    def pending(self) -> int:
        """The thread whose stop waits for room in the ring, or 0."""
        return self._control[_WORD["tid"]] if self._control[_WORD["is_pending"]] else 0

    @property
    def stop(self) -> tuple[int, int]:
        """(thread, wait status) of the stop that was left to Python."""
        return self._control[_WORD["tid"]], self._control[_WORD["status"]] & 0xFFFFFFFF

    # --- records ------------------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        """Whether there are records to be taken."""
        return bool(self._tail != self._control[_WORD["head"]])

    def take(self, most: int = 1 << 30) -> list[Record]:
        """The next records, at most so many, in the order of their stops."""
        found: list[Record] = []
        ring, control, tail, mask = self._ring, self._control, self._tail, self._mask
        head = control[_WORD["head"]]
        pieces_at = self._pieces_at
        unpack, new, known = RECORD_HEADER.unpack_from, Record, self._recipes
        while tail != head and most > 0:
            at = tail & mask
            size, kind, pieces, tid, pid, time_ns, number = unpack(ring, at)
            if kind:
                most -= 1
                behind = at + pieces_at
                found.append(
                    new(
                        kind, number, tid, pid, time_ns, ring[at + _REGISTERS_AT : behind],
                        _pieces(ring, behind, known[kind, number]) if pieces else (),
                    )
                )  # fmt: skip
            tail += size
        self._tail = tail
        control[_WORD["tail"]] = tail
        return found


def _pieces(ring: mmap.mmap, at: int, recipes: Sequence[Recipe]) -> tuple[Piece, ...]:
    found = []
    for recipe in recipes:
        address, size = PIECE.unpack_from(ring, at)
        at += PIECE.size
        data = ring[at : at + size] if size >= 0 else None
        found.append(Piece(address, data, recipe.kind, recipe.limit))
        at += max(size, 0) + 7 & ~7
    return tuple(found)


def _buffer(data: bytes | bytearray) -> ctypes.Array[ctypes.c_ubyte]:
    return (ctypes.c_ubyte * len(data)).from_buffer_copy(data)


def _room(size: int) -> mmap.mmap:
    """Memory that is written from the first byte to the last: in large pages, where there are any, so that the traced
    program seldom waits for the kernel to find one."""
    room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without them
        room.madvise(mmap.MADV_HUGEPAGE)
    return room


def _address(mapping: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(mapping))


def _open_comm(tid: int) -> int:
    try:
        return os.open(f"/proc/{tid}/comm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _pid_max() -> int:
    try:
        with open("/proc/sys/kernel/pid_max", encoding="ascii") as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return 1 << 22  # the most that Linux knows
