"""Reads of kernel and user memory, faults with their addresses, and the firing's own memory, in the kernel engine.

The second source is /proc, and buffers of this process, whose addresses it knows itself (BEGIN and END run in it).
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

import pytest

from invivo.program.actions import Tracemem
from invivo.program.nodes import Expr, Load, Memory, ReadString, Scope
from invivo.program.plan import FaultKind
from invivo.program.types import (
    INT,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    ULONG,
    Array,
    Pointer,
    Space,
    String,
    Struct,
    Type,
)
from invivo.providers.expressions import member
from tests.engines.build import (
    BEGIN,
    END,
    SPAN,
    Builder,
    assign,
    call,
    compare,
    kernel_types,
    number,
    op,
    ref,
    results,
    string_call,
    text,
)

pytestmark = pytest.mark.kernel


def load(address: Expr, type_: Type, space: Space = Space.KERNEL, bits: tuple[int, int] | None = None) -> Load:
    return Load(address, space, type_, SPAN, bits)


def task(path: str) -> Expr:
    """curthread->path, by the kernel's BTF."""
    struct = kernel_types().struct("struct", "task_struct")
    assert isinstance(struct, Struct)
    return member(lambda span: call("current_task", type_=Pointer(struct)), struct, path)[0](SPAN)


def test_members_of_the_current_task() -> None:
    d = Builder()
    parent = task("real_parent.tgid")
    found = results(d, task("tgid"), task("pid"), parent, task("flags"))
    flags = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[6])
    assert found == [os.getpid(), threading.get_native_id(), os.getppid(), flags]


def test_the_name_in_the_current_task() -> None:
    d = Builder()
    comm = task("comm")
    assert isinstance(comm, Memory)
    found = results(d, ReadString(comm.address, Space.KERNEL, String(16), SPAN), string_call("comm", size=16))
    name = Path("/proc/self/comm").read_text().rstrip("\n")
    assert found == [name, name]


def test_every_width_of_user_memory() -> None:
    d = Builder()
    data = ctypes.create_string_buffer(bytes(range(0xF0, 0x100)), 16)
    base = ctypes.addressof(data)
    kinds: list[Type] = [INT8, UINT8, INT16, UINT16, INT32, UINT32, INT64, UINT64]
    found = results(d, *(load(d.unknown(base + 1, ULONG), kind, Space.USER) for kind in kinds))
    expected = []
    for size in (1, 2, 4, 8):
        part = data.raw[1 : 1 + size]
        expected += [int.from_bytes(part, "little", signed=True), int.from_bytes(part, "little")]
    assert found == expected


def test_bit_fields() -> None:
    d = Builder()
    data = ctypes.create_string_buffer((0b1011_0110_0101_1010_1100_0011).to_bytes(4, "little"), 4)
    base = d.unknown(ctypes.addressof(data), ULONG)
    whole = int.from_bytes(data.raw, "little")
    cases = [(0, 3), (3, 5), (6, 4), (7, 17), (23, 1), (0, 32)]
    unsigned = [load(base, UINT32, Space.USER, bits) for bits in cases]
    signed = [load(base, INT32, Space.USER, bits) for bits in cases]
    expected = [whole >> offset & (1 << width) - 1 for offset, width in cases]
    extended = [v - (1 << w) if v >> (w - 1) else v for v, (_, w) in zip(expected, cases, strict=True)]
    assert results(d, *unsigned, *signed) == expected + extended


@pytest.mark.parametrize("space", [Space.KERNEL, Space.USER])
@pytest.mark.parametrize("address", [0, 8, 0xFFFF_FFFF_FFFF_F000, 0x0123_4567_89AB_CDEF])
def test_a_bad_address_is_a_fault_that_tells_it(space: Space, address: int) -> None:
    d = Builder()
    unknown = d.unknown(address, ULONG)
    d.clause(END, d.printf("%d", load(unknown, INT, space)))
    d.clause(END, d.printf("%s", ReadString(unknown, space, String(256), SPAN)))
    d.clause(END, d.record(Tracemem(0), Memory(unknown, space, Array(UINT8, 16), SPAN)))
    d.clause(END, d.printf("on"))
    running = d.run()
    assert running.text == "on"
    assert [(f.kind, f.value, f.site and f.site.clause) for f in running.faults] == [
        (FaultKind.BADADDR, address, clause) for clause in range(3)
    ]


@pytest.mark.parametrize("size", [16, 64, 256, 1024])
def test_strings_of_user_memory(size: int) -> None:
    d = Builder(strsize=size)
    long = b"abc" * size
    buffers = [ctypes.create_string_buffer(value) for value in (b"", b"hello", long)]
    strings = [
        ReadString(d.unknown(ctypes.addressof(b), ULONG), Space.USER, String(size), SPAN) for b in buffers
    ]
    found = results(d, *strings, *(call("strlen", s) for s in strings))
    assert found == ["", "hello", long[: size - 1].decode(), 0, 5, size - 1]


def test_a_string_cut_by_a_limit() -> None:
    d = Builder()
    buffer = ctypes.create_string_buffer(b"hello world")
    address = d.unknown(ctypes.addressof(buffer), ULONG)
    limits = [0, 1, 5, 11, 12, 1 << 40]
    found = results(d, *(ReadString(address, Space.USER, String(256), SPAN, d.unknown(n, UINT64)) for n in limits))
    assert found == ["", "h", "hello", "hello world", "hello world", "hello world"]


def test_memory_is_copied_whole_into_records_and_keys() -> None:
    d = Builder()
    data = bytes(range(200, 240))
    buffer = ctypes.create_string_buffer(data, 40)
    memory = Memory(d.unknown(ctypes.addressof(buffer), ULONG), Space.USER, Array(UINT8, 40), SPAN)
    d.clause(END, d.record(Tracemem(0), memory))
    assert d.run().values == [(data,)]


def test_big_records() -> None:
    d = Builder()
    data = os.urandom(8192)
    buffer = ctypes.create_string_buffer(data, len(data))
    memory = Memory(d.unknown(ctypes.addressof(buffer), ULONG), Space.USER, Array(UINT8, len(data)), SPAN)
    d.clause(END, d.record(Tracemem(0), memory))
    d.clause(END, d.record(Tracemem(0), memory))
    running = d.run()
    assert running.values == [(data,)] * 2


def test_a_record_of_many_long_strings() -> None:
    d = Builder(strsize=1024)
    made = [d.unknown(bytes([97 + i]) * 1023, String(1024)) for i in range(20)]
    d.clause(END, d.printf("%s" * 20, *made))
    assert d.run().text == "".join(chr(97 + i) * 1023 for i in range(20))


# --- the firing's own memory ------------------------------------------------------------------------------------------

SCRATCH = Pointer(UINT8, Space.SCRATCH)


def own(address: Expr, type_: Type = UINT8) -> Load:
    return load(address, type_, Space.SCRATCH)


def test_alloca_gives_fresh_zeroed_memory() -> None:
    d = Builder()
    p, q = (ref(d.variable(name, SCRATCH, Scope.CLAUSE)) for name in "pq")
    d.clause(END, assign(p, call("alloca", number(16), type_=SCRATCH)))
    d.clause(END, assign(own(op("+", p, number(3))), number(7, UINT8)))
    d.clause(END, assign(q, call("alloca", d.unknown(5, INT64), type_=SCRATCH)))
    d.clause(END, assign(own(q, INT32), number(-1, INT32)))
    d.clause(END, d.printf("%d %d", own(op("+", p, number(3))), own(q, INT64)))
    d.clause(END, d.printf("%d", compare(">=", op("-", q, p), number(16))))
    assert d.run().values == [(7, 0xFFFFFFFF), (1,)]


def test_too_much_is_a_fault() -> None:
    d = Builder(scratchsize=1024)
    sizes = [1024, 1017, 1016, 1 << 40, -1]
    for size in sizes:
        d.clause(END, d.printf("%d", call("alloca", d.unknown(size, INT64), type_=SCRATCH)))
    running = d.run()
    # The first eight bytes are NULL's, so 1016 fit once; then nothing is left.
    assert len(running.records) == 1
    assert [fault.kind for fault in running.faults] == [FaultKind.NOSCRATCH] * 4


@pytest.mark.parametrize("address", [0, 7, 4096, 4095, 1 << 33, -8])
def test_outside_of_own_memory_is_a_fault(address: int) -> None:
    d = Builder()
    at = d.unknown(address, ULONG)
    d.clause(END, d.printf("%d", own(at, INT64)))
    d.clause(END, assign(own(at, INT64), number(1)))
    d.clause(END, d.printf("on"))
    running = d.run()
    assert running.text == "on"
    assert [(f.kind, f.value) for f in running.faults] == [(FaultKind.BADADDR, address & (1 << 64) - 1)] * 2


@pytest.mark.parametrize("size", [1, 8, 100, 4000])
def test_copyin(size: int) -> None:
    d = Builder()
    data = os.urandom(size)
    buffer = ctypes.create_string_buffer(data, size)
    address = d.unknown(ctypes.addressof(buffer), ULONG)
    copied = call("copyin", address, d.unknown(size, INT64), type_=SCRATCH)
    d.clause(END, d.record(Tracemem(0), Memory(copied, Space.SCRATCH, Array(UINT8, size), SPAN)))
    running = d.run()
    assert running.values == [(data,)]


def test_copyin_of_a_bad_address_is_a_fault() -> None:
    d = Builder()
    d.clause(END, d.printf("%d", call("copyin", number(16, ULONG), number(8), type_=SCRATCH)))
    running = d.run()
    assert [(fault.kind, fault.value) for fault in running.faults] == [(FaultKind.BADADDR, 16)]


def test_bcopy_scopy_and_strings_in_own_memory() -> None:
    d = Builder()
    p = ref(d.variable("p", SCRATCH, Scope.CLAUSE))
    comm = task("comm")
    assert isinstance(comm, Memory)
    d.clause(
        BEGIN,
        assign(p, call("alloca", number(64), type_=SCRATCH)),
        call("bcopy", comm.address, p, number(16)),
        call("scopy", p, op("+", p, number(32)), number(16)),
        call("kcopy_string", text("written"), op("+", p, number(16))),
    )
    for offset in (0, 16, 32, 18):
        string = ReadString(op("+", p, number(offset)), Space.SCRATCH, String(256), SPAN)
        d.clause(BEGIN, d.printf("%s|", string))
    name = Path("/proc/self/comm").read_text().rstrip("\n")
    assert d.run().text == f"{name}|written|{name}|itten|"
