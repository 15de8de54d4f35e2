"""All builtin names of D. Importing this package fills `BUILTINS`."""

from __future__ import annotations

from invivo.builtins import (
    aggregations,
    destructive,
    flow,
    machine,
    memory,
    network,
    output,
    probe,
    process,
    shapes,
    speculations,
    stacks,
    strings,
    time,
)
from invivo.builtins.registry import BUILTINS, Builder, Builtin, Kind, Operand

__all__ = ["BUILTINS", "Builder", "Builtin", "Kind", "Operand"]

# Each topic's module registers its rows when it is imported; the names are used here so that the imports stay.
TOPICS = (
    probe, process, machine, time, speculations, memory, strings, network, stacks, output, shapes, aggregations,
    destructive, flow,
)  # fmt: skip
