"""Primitives on the reference engine: one for each that is declared, their faults, and what they ask of the world."""

from __future__ import annotations

import pytest

from invivo.codegen import primitives as lowerings
from invivo.engines.reference import SyntheticWorld
from invivo.engines.reference.primitives import REFERENCE
from invivo.program.nodes import Assign, Call, Comma, Expr, Load, ReadString
from invivo.program.plan import FaultKind
from invivo.program.primitives import PRIMITIVES
from invivo.program.types import CHAR, INT, INT64, UINT64, Pointer, Space, Stack, String
from tests.engines.build import BEGIN, SPAN, Builder, assign, call, number, op, ref, string_call, text
from tests.unit.reference.run import run, value

SCRATCH = Pointer(CHAR, Space.SCRATCH)
LAST = (1 << 63) - 1


def test_every_primitive_is_declared_lowered_and_defined_here() -> None:
    assert set(REFERENCE) == set(PRIMITIVES)
    assert set(lowerings.SCALARS) | set(lowerings.STRINGS) == set(PRIMITIVES)
    assert set(lowerings.STRINGS) == {name for name, row in PRIMITIVES.items() if row.result == "s"}


def test_facts_of_the_moment_come_from_the_world() -> None:
    world = SyntheticWorld(pid=7, tid=9, uid=3, gid=4, comm=b"a name of sixteen", cpu=5, now_ns=123, kernel_pc=0xF0)
    assert value(call("pid_tgid", type_=UINT64), world) == (7 << 32) + 9
    assert value(call("uid_gid", type_=UINT64), world) == (4 << 32) + 3
    assert value(call("cpu", type_=INT), world) == 5
    assert value(call("timestamp", type_=UINT64), world) == 123
    assert value(call("kernel_pc", type_=UINT64), world) == 0xF0
    assert value(call("user_pc", type_=UINT64), world) == 0
    assert value(call("strlen", string_call("comm", size=16)), world) == 15  # comm keeps 15 characters


def test_the_time_is_read_once_a_firing() -> None:
    d = Builder()
    for _ in range(2):
        d.clause(BEGIN, d.printf("%d %d ", call("timestamp"), call("timestamp")))
    assert run(d, SyntheticWorld(now_ns=0, step_ns=1)).text == "1 1 1 1 "


def test_stacks_with_the_same_frames_have_one_identity() -> None:
    d = Builder()
    stack = Stack(False, 2)
    world = SyntheticWorld(kernel_stack=(0xFFFF0010, 0xFFFF0020, 0xFFFF0030))
    d.clause(BEGIN, d.trace(call("kstack", type_=stack)), d.trace(call("kstack", type_=stack)))
    d.clause(BEGIN, d.printf("%d %d", call("kstack_depth", type_=INT), call("ustack_depth", type_=INT)))
    d.clause(BEGIN, d.trace(call("ustack", type_=Stack(True, 0))))
    (first,), (second,), depths, (empty,) = run(d, world).values
    assert first == second
    assert first.addresses == (0xFFFF0010, 0xFFFF0020)
    assert depths == (3, 0)
    assert empty.addresses == ()


def test_stack_identities_are_the_hash_that_the_kernel_side_makes() -> None:
    """FNV's offset basis, mixed by hand with one frame of 0: (seed * prime) ^ its own upper half."""
    world = SyntheticWorld(kernel_stack=(0,))
    mixed = 0xCBF29CE484222325 * 0x9E3779B97F4A7C15 % 2**64
    assert value(call("kstack", type_=UINT64), world) == mixed ^ (mixed >> 32)


ROWS: list[tuple[Expr, str]] = [
    (string_call("strjoin", text("ab"), text("cd"), size=4), "abc"),
    (string_call("substr", text("abcdef"), number(-2), number(1)), "e"),
    (string_call("strstr", text("abcabc"), text("ca")), "cabc"),
    (string_call("strstr", text("abc"), text("x")), ""),
    (string_call("strchr", text("a/b/c"), number(ord("/"))), "/b/c"),
    (string_call("strrchr", text("a/b/c"), number(ord("/"))), "/c"),
    (string_call("strchr", text("abc"), number(0)), ""),
    (string_call("basename", text("/usr/lib/")), "lib"),
    (string_call("basename", text("")), "."),
    (string_call("basename", text("//")), "/"),
    (string_call("dirname", text("/usr/lib/")), "/usr"),
    (string_call("dirname", text("/usr")), "/"),
    (string_call("dirname", text("usr")), "."),
    (string_call("lltostr", number(-(1 << 63))), "-9223372036854775808"),
    (string_call("lltostr", number(-12345), size=4), "-12"),
    (string_call("toupper", text("aZ\u00e9{")), "AZ\u00e9{"),
    (string_call("tolower", text("AZ[`")), "az[`"),
]


def test_string_functions() -> None:
    d = Builder()
    for row, _ in ROWS:
        d.clause(BEGIN, d.printf("%s", row))
    assert [found for (found,) in run(d).values] == [expected for _, expected in ROWS]


def test_searches_give_minus_one_where_there_is_nothing() -> None:
    assert value(call("index", text("abcb"), text("b"), number(2))) == 3
    assert value(call("index", text("abcb"), text("x"), number(0))) == -1
    assert value(call("rindex", text("abcb"), text("b"), number(LAST))) == 3
    assert value(call("rindex", text("abcb"), text("b"), number(2))) == 1
    assert value(call("rindex", text("abcb"), text("b"), number(-1))) == -1


# --- the firing's own memory ------------------------------------------------------------------------------------------


def byte_at(address: Expr) -> Load:
    return Load(address, Space.SCRATCH, CHAR, SPAN)


def scratch(primitive: str, *arguments: Expr) -> Call:
    return Call(primitive, arguments, SCRATCH, SPAN)


def test_alloca_gives_zeroed_memory_that_can_be_written() -> None:
    d = Builder()
    p = d.variable("p", SCRATCH)
    fifth = byte_at(op("+", ref(p), number(4, UINT64), UINT64))
    d.clause(
        BEGIN,
        assign(ref(p), scratch("alloca", number(8))),
        d.printf("%d ", fifth),
        Assign(fifth, number(-3, CHAR), CHAR, SPAN),
        d.printf("%d", fifth),
    )
    assert run(d).text == "0 -3"


def test_memory_is_of_one_firing_and_beyond_it_lies_nothing() -> None:
    """The 64 bytes of the least scratchsize: offset 0 is NULL, and 56 are left from 8 on."""
    assert value(scratch("alloca", number(56)), scratchsize=64) == 8
    assert value(scratch("alloca", number(57)), scratchsize=64) is None
    assert value(byte_at(number(0, UINT64)), scratchsize=64) is None
    assert value(byte_at(number(63, UINT64)), scratchsize=64) == 0
    assert value(byte_at(number(64, UINT64)), scratchsize=64) is None


@pytest.mark.parametrize("size", [-1, 1 << 40])
def test_too_much_memory_is_a_fault_of_its_own(size: int) -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("%p", scratch("alloca", number(size))))
    (fault,) = run(d).faults
    assert (fault.kind, fault.value) == (FaultKind.NOSCRATCH, size % 2**64)


def test_copyin_and_copies_between_memories() -> None:
    world = SyntheticWorld(user={0x1000: b"user bytes"}, kernel={0xFFFF0000: b"KERNEL"})
    d = Builder()
    p, q = d.variable("p", SCRATCH), d.variable("q", SCRATCH)
    whole = ReadString(ref(q), Space.SCRATCH, String(64), SPAN)
    d.clause(
        BEGIN,
        assign(ref(p), scratch("copyin", number(0x1000), number(4))),
        assign(ref(q), scratch("alloca", number(16))),
        call("scopy", ref(p), ref(q), number(4)),
        call("bcopy", number(0xFFFF0000), op("+", ref(q), number(4, UINT64), UINT64), number(3)),
        d.printf("%s ", whole),
        call("kcopy_string", text("new"), ref(q)),
        d.printf("%s", whole),
    )
    assert run(d, world).text == "userKER new"


def test_a_bad_user_address_is_reported_with_its_value() -> None:
    d = Builder()
    d.clause(BEGIN, d.printf("%p", scratch("copyin", number(0xDEAD), number(4))))
    (fault,) = run(d).faults
    assert (fault.kind, fault.value) == (FaultKind.BADADDR, 0xDEAD)


def test_a_string_is_cut_at_its_limit_and_at_its_size() -> None:
    world = SyntheticWorld(user={0x1000: b"abcdefgh\0"})
    d = Builder()
    for size, limit in ((256, None), (4, None), (256, number(2)), (4, number(100)), (256, number(-1))):
        d.clause(BEGIN, d.printf("%s.", ReadString(number(0x1000), Space.USER, String(size), SPAN, limit)))
    assert run(d, world).text == "abcdefgh.abc.ab.abc.abcdefgh."


def test_the_second_expression_of_a_comma_is_its_value() -> None:
    d = Builder()
    x = d.variable("x", INT64)
    both = Comma(Assign(ref(x), number(4), INT64, SPAN), op("*", ref(x), number(2)), INT64, SPAN)
    d.clause(BEGIN, d.printf("%d", both))
    assert run(d).text == "8"
