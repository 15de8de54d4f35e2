"""Clocks: timestamp, vtimestamp, walltimestamp.

walltimestamp     Call("timestamp") + the offset that the session reads from the system's clock when it starts
"""

from __future__ import annotations

from invivo.builtins.registry import Builder, Builtin, Kind, register
from invivo.program.nodes import Binary, Call, Convert, Expr, RuntimeConstant
from invivo.program.shared import Globals
from invivo.program.types import INT64, UINT64

__all__: list[str] = []


def _timestamp(b: Builder) -> Expr:
    return Call("timestamp", (), UINT64, b.span)


def _wall(b: Builder) -> Expr:
    offset = RuntimeConstant(Globals.WALL_OFFSET_NS, INT64, b.span)
    return Binary("+", Convert(_timestamp(b), INT64, b.span), offset, INT64, b.span)


def _virtual(b: Builder) -> Expr:
    return Convert(b.member(b.task(), "se.sum_exec_runtime"), UINT64, b.span)


register(
    Builtin(
        "timestamp",
        Kind.VARIABLE,
        "uint64_t timestamp",
        "nanoseconds of CLOCK_MONOTONIC, read once a firing: for differences",
        _timestamp,
    ),
    Builtin(
        "vtimestamp",
        Kind.VARIABLE,
        "uint64_t vtimestamp",
        "nanoseconds that the thread has run on a CPU, as of the scheduler's last update (a tick or a switch)",
        _virtual,
    ),
    Builtin("walltimestamp", Kind.VARIABLE, "int64_t walltimestamp", "nanoseconds since 1970-01-01 UTC", _wall),
)
