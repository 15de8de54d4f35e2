"""Programs made by hand (tests/engines/build.py) on the reference engine, with the consumer of the kernel's records.

    run(d).text                         what BEGIN and END printed
    run(d, fire=[RawTracepoint("x")])   with events between
    value(expression)                   one expression's value, None where it faults
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from invivo.consumer.aggregate import AggregationView
from invivo.consumer.drops import Drop
from invivo.consumer.faults import Fault
from invivo.consumer.loop import Consumer
from invivo.consumer.records import Record
from invivo.engines.reference import ReferenceEngine, SyntheticWorld
from invivo.output.collect import CollectOutput
from invivo.program.attach import AttachPoint
from invivo.program.clauses import Program
from invivo.program.nodes import Expr
from invivo.program.plan import Plan
from tests.engines.build import BEGIN, Builder


class _Keep(CollectOutput):
    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.faults: list[Fault] = []
        self.drops: list[Drop] = []

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault)

    def drop(self, drop: Drop) -> None:
        self.drops.append(drop)


class _Services:
    def __init__(self, engine: ReferenceEngine) -> None:
        self.refresh = engine.refresh
        self.stack = engine.stack

    def kernel_symbol(self, address: int) -> str:
        return f"{address:#x}"


class Ran:
    """A run while it goes on, and what came of it: what build.Running is for the kernel."""

    def __init__(self, program: Program, world: SyntheticWorld | None = None) -> None:
        self.world = world or SyntheticWorld()
        self.engine = ReferenceEngine(program, self.world, self._merge)
        self.plan = self.engine.plan
        self.output = _Keep(self.plan)
        self.consumer = Consumer(self.plan, self.output, _Services(self.engine))
        self.records: list[Record] = []
        self.exit_code: int | None = None
        self.missed_runs = 0

    def __enter__(self) -> Ran:
        self.engine.begin()
        if self.engine.exit_code is None:
            self.engine.enable()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.disable()
        self.take()
        self.engine.end()
        self.take()
        self.engine.refresh()
        self.exit_code = self.engine.exit_code
        self.consumer.finish(self.engine.losses())

    def _merge(self, aggregation: int, key: bytes, words: Sequence[int]) -> None:
        self.consumer.aggregations.merge(aggregation, key, words)

    def take(self) -> list[Record]:
        """Records so far."""
        self.engine.read(self.consumer.feed)
        self.records += self.output.take_records()
        return self.records

    @property
    def text(self) -> str:
        return "".join(record.text for record in self.records)

    @property
    def values(self) -> list[tuple[object, ...]]:
        return [record.values for record in self.records]

    @property
    def faults(self) -> list[Fault]:
        return self.output.faults

    @property
    def drops(self) -> list[Drop]:
        return self.output.drops

    @property
    def aggregations(self) -> Mapping[str, AggregationView]:
        return self.consumer.aggregations.views()


def run(d: Builder, world: SyntheticWorld | None = None, fire: Sequence[AttachPoint] = ()) -> Ran:
    """A whole run, with these events between BEGIN and END."""
    with Ran(d.program(), world) as ran:
        for point in fire:
            ran.engine.fire(point)
    return ran


def value(expression: Expr, world: SyntheticWorld | None = None, **options: int) -> object:
    """What an expression yields in BEGIN; None where it faults."""
    d = Builder(**options)
    d.clause(BEGIN, d.printf("%d", expression))
    ran = run(d, world)
    assert bool(ran.faults) != bool(ran.values)
    return ran.values[0][0] if ran.values else None
