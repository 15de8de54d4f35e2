"""The reference engine: the typed program as Python closures. What it does is what D means.

Program ──> closures (compiler.py and what it calls) ──> firings ──> frames and aggregation words, as the kernel's

engine = ReferenceEngine(program, SyntheticWorld(), merge)
engine.begin(); engine.fire(point); engine.end(); engine.read(consumer.feed)
"""

from __future__ import annotations

from invivo.engines.reference.engine import ReferenceEngine
from invivo.engines.reference.world import SyntheticWorld, World

__all__ = ["ReferenceEngine", "SyntheticWorld", "World"]
