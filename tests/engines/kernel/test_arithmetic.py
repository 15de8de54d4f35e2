"""Integers in the kernel engine: every width and sign, operations that wrap, divisions, shifts, conversions.

Operands come out of memory (Builder.unknown), so that the BPF code computes and not LLVM; expected values are C's,
worked out by hand.
"""

from __future__ import annotations

import pytest

from invivo.program.nodes import Unary
from invivo.program.plan import FaultKind
from invivo.program.types import (
    BOOL,
    INT,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    Enum,
    Int,
    Type,
)
from tests.engines.build import END, ERROR, SPAN, Builder, compare, convert, number, op, results

pytestmark = pytest.mark.kernel

MIN8, MIN16, MIN32, MIN64 = -(1 << 7), -(1 << 15), -(1 << 31), -(1 << 63)
MAX64 = (1 << 64) - 1

ROWS: list[tuple[str, int, int, Type, int | None]] = [
    ("+", 1, 2, INT, 3),
    ("+", 127, 1, INT8, MIN8),
    ("+", 255, 1, UINT8, 0),
    ("+", 32767, 1, INT16, MIN16),
    ("+", 65535, 2, UINT16, 1),
    ("+", 2**31 - 1, 1, INT32, MIN32),
    ("+", 2**32 - 1, 1, UINT32, 0),
    ("+", 2**63 - 1, 1, INT64, MIN64),
    ("+", MAX64, 3, UINT64, 2),
    ("-", 0, 1, INT, -1),
    ("-", 0, 1, UINT32, 2**32 - 1),
    ("-", 0, 1, UINT64, MAX64),
    ("-", MIN32, 1, INT32, 2**31 - 1),
    ("*", -3, 7, INT, -21),
    ("*", 1 << 20, 1 << 20, INT32, 0),
    ("*", 1 << 20, 1 << 20, INT64, 1 << 40),
    ("*", 200, 2, UINT8, 144),
    ("*", -1, MIN64, INT64, MIN64),
    ("/", 7, 2, INT, 3),
    ("/", -7, 2, INT, -3),
    ("/", 7, -2, INT, -3),
    ("/", -7, -2, INT, 3),
    ("/", MIN32, -1, INT32, MIN32),
    ("/", MIN64, -1, INT64, MIN64),
    ("/", MIN64, 2, INT64, -(1 << 62)),
    ("/", MAX64, 2, UINT64, (1 << 63) - 1),
    ("/", 2**32 - 1, 2, UINT32, 2**31 - 1),
    ("/", 1, 0, INT, None),
    ("/", 1, 0, UINT64, None),
    ("%", 7, 3, INT, 1),
    ("%", -7, 3, INT, -1),
    ("%", 7, -3, INT, 1),
    ("%", -7, -3, INT, -1),
    ("%", MIN64, -1, INT64, 0),
    ("%", MAX64, 10, UINT64, 5),  # 18446744073709551615
    ("%", 1, 0, INT64, None),
    ("&", -1, 0xF0, INT, 0xF0),
    ("&", MAX64, 1 << 63, UINT64, 1 << 63),
    ("|", MIN8, 1, INT8, -127),
    ("^", -1, 1, INT, -2),
    ("^", 0xFF, 0x0F, UINT8, 0xF0),
    ("<<", 1, 31, INT32, MIN32),
    ("<<", 1, 33, INT32, 2),  # a count is taken modulo the width
    ("<<", 1, 63, UINT64, 1 << 63),
    ("<<", 1, 64, UINT64, 1),
    (">>", -8, 1, INT32, -4),
    (">>", MIN64, 63, INT64, -1),
    (">>", 1 << 63, 63, UINT64, 1),
    (">>", 2**32 - 1, 4, UINT32, 2**28 - 1),
    (">>", 2, 32, UINT32, 2),
]


@pytest.mark.parametrize("is_known", [False, True], ids=["computed", "folded"])
def test_operations_wrap_as_their_types_say(is_known: bool) -> None:
    d = Builder()
    operand = number if is_known else d.unknown
    found = results(d, *(op(o, operand(a, t), operand(b, t)) for o, a, b, t, _ in ROWS))
    expected = [value for *_, value in ROWS]
    assert dict(zip(ROWS, found, strict=True)) == dict(zip(ROWS, expected, strict=True))


def test_unary_operators() -> None:
    d = Builder()
    rows: list[tuple[str, int, Type, int]] = [
        ("-", 5, INT, -5),
        ("-", MIN32, INT32, MIN32),
        ("-", 1, UINT32, 2**32 - 1),
        ("~", 0, INT, -1),
        ("~", 0, UINT8, 255),
        ("~", 0xF0, UINT64, MAX64 - 0xF0),
    ]
    found = results(d, *(Unary(o, d.unknown(a, t), t, SPAN) for o, a, t, _ in rows))
    assert found == [value for *_, value in rows]


def test_signedness_of_the_operands_decides_comparisons() -> None:
    d = Builder()
    rows: list[tuple[str, int, int, Type, int]] = [
        ("<", -1, 0, INT, 1),
        ("<", 2**32 - 1, 0, UINT32, 0),
        (">", MAX64, 0, UINT64, 1),
        (">", -1, 0, INT64, 0),
        ("<=", MIN64, MIN64, INT64, 1),
        (">=", 0, 1 << 63, UINT64, 0),
        ("==", 7, 7, INT8, 1),
        ("!=", 7, 7, INT8, 0),
        ("<=", 3, 2, UINT16, 0),
        (">=", 3, 2, UINT16, 1),
    ]
    assert results(d, *(compare(o, d.unknown(a, t), d.unknown(b, t)) for o, a, b, t, _ in rows)) == [r[4] for r in rows]


def test_conversions_keep_the_low_bits() -> None:
    d = Builder()
    enum = Enum("colour", 4, False, (("red", 0),))
    rows: list[tuple[int, Type, Type, int]] = [
        (-1, INT8, UINT8, 255),
        (-1, INT8, UINT32, 2**32 - 1),
        (-1, INT8, UINT64, MAX64),
        (-1, INT8, INT64, -1),
        (255, UINT8, INT8, -1),
        (255, UINT8, INT64, 255),
        (0x1_0000_0001, INT64, INT32, 1),
        (0x8000_0000, UINT32, INT32, MIN32),
        (0x8000_0000, UINT32, INT64, 0x8000_0000),
        (0xFFFF, UINT16, INT16, -1),
        (-1, INT64, enum, 2**32 - 1),
        (256, INT64, BOOL, 1),
        (0, INT64, BOOL, 0),
        (256, INT64, Int("uint8_t", 1, False), 0),
    ]
    assert results(d, *(convert(d.unknown(v, source), target) for v, source, target, _ in rows)) == [r[3] for r in rows]


def test_a_division_by_zero_ends_its_clause_and_no_other() -> None:
    d = Builder()
    zero = d.unknown(0, INT)
    d.clause(END, d.printf("before\n"), d.printf("%d\n", op("/", number(1, INT), zero)), d.printf("never\n"))
    d.clause(END, d.printf("next\n"))
    running = d.run()
    assert running.text == "before\nnext\n"
    (fault,) = running.faults
    assert (fault.kind, fault.site.clause if fault.site else None, fault.probe and fault.probe.name) == (
        FaultKind.DIVZERO, 0, "END",
    )  # fmt: skip


def test_error_clauses_run_where_the_fault_is() -> None:
    from invivo.program.nodes import FaultInfo, ProbeId

    d = Builder()
    zero = d.unknown(0, INT)
    d.clause(END, d.printf("%d\n", op("%", number(1, INT), zero)))
    info = [FaultInfo(index, INT64, SPAN) for index in range(1, 6)]
    d.clause(ERROR, d.printf("epid %d site %d pc %d kind %d value %d\n", *info))
    d.clause(END, d.printf("on %d\n", ProbeId(UINT32, SPAN)))
    running = d.run()
    # The clauses' indexes are 0, 1, 2; DTrace's epid of the faulting clause is 1.
    assert running.text == "epid 1 site 0 pc 0 kind 4 value 0\non 2\n"
    assert len(running.faults) == 1


def test_a_fault_in_an_error_clause_is_counted_and_goes_on() -> None:
    d = Builder()
    zero = d.unknown(0, INT)
    d.clause(END, d.printf("%d\n", op("/", number(1, INT), zero)))
    d.clause(ERROR, d.printf("%d\n", op("/", number(1, INT), zero)))
    d.clause(ERROR, d.printf("second\n"))
    d.clause(END, d.printf("on\n"))
    running = d.run()
    assert running.text == "second\non\n"
    assert len(running.faults) == 1
    assert len(running.drops) == 1
