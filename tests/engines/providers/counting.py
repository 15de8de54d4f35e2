"""Runs probes in the kernel without any language: each firing is counted by pid, tid and the keys asked for.

    with Counting([(probe, [probe.context.args[0].value])]) as counting:
        ... make events ...
    counting.found(0)    -> {(pid, tid, first argument): firings, ...}
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence

from invivo.codegen import compile_program
from invivo.engines.kernel.engine import KernelEngine
from invivo.engines.traits import kernel_traits
from invivo.program.clauses import Clause, Probe, Program
from invivo.program.nodes import Aggregation, Call, Convert
from invivo.program.options import defaults
from invivo.program.records import KEY_HEADER, AggFunction, FieldKind, FieldType
from invivo.program.statements import AggUpdate, Block
from invivo.program.types import INT64, UINT64
from invivo.providers.expressions import Maker
from invivo.providers.kernel_types import KernelTypes
from invivo.source import SourceFile, Span

SPAN = Span(SourceFile("test.d", "test"), 0, 4)
_KEY = FieldType(FieldKind.INT, 8, True, "int64_t")

Counts = Counter[tuple[int, ...]]


class Counting:
    """Attaches the probes of `rows`, each with makers of further keys."""

    def __init__(self, rows: Sequence[tuple[Probe, Sequence[Maker]]]) -> None:
        clauses, aggregations = [], []
        for index, (probe, makers) in enumerate(rows):
            ids = Call("pid_tgid", (), UINT64, SPAN)
            keys = (ids, *(Convert(make(SPAN), INT64, SPAN) for make in makers))
            types = (_KEY,) * len(keys)
            aggregation = Aggregation(index + 1, f"n{index}", AggFunction.COUNT, (), types)
            update = AggUpdate(aggregation, tuple(Convert(key, INT64, SPAN) for key in keys), None, None, SPAN)
            clauses.append(Clause(index, (probe,), probe.context, None, Block((update,)), SPAN))
            aggregations.append(aggregation)
        probe_ids = {probe: number for number, probe in enumerate(dict.fromkeys(probe for probe, _ in rows), 1)}
        options: dict[str, object] = dict(defaults())
        program = Program(tuple(clauses), (), probe_ids, (), tuple(aggregations), (), (), options)
        plan = compile_program(program, kernel_traits(KernelTypes()))
        self._counts: list[Counts] = [Counter() for _ in rows]
        self._engine = KernelEngine(plan, self._merge)

    def _merge(self, aggregation: int, key: bytes, words: Sequence[int]) -> None:
        ids, *rest = struct.unpack(f"<{(len(key) - KEY_HEADER) // 8}q", key[KEY_HEADER:])
        self._counts[aggregation - 1][ids >> 32 & 0xFFFFFFFF, ids & 0xFFFFFFFF, *rest] += words[0]

    def __enter__(self) -> Counting:
        self._engine.load()
        try:
            self._engine.enable()
        except BaseException:
            self._engine.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._engine.disable()
            self._engine.refresh()
        finally:
            self._engine.close()

    def found(self, index: int, pid: int | None = None) -> Counts:
        """Firings of row `index` by (pid, tid, keys...), of one process if `pid` is given."""
        return Counter({key: n for key, n in self._counts[index].items() if pid in (None, key[0])})
