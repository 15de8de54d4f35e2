"""State dumps: a program evaluated once over a process's memory, wholly in user space.

In: a typed program with clauses of `dump` and `dump:::thread`, and a process. Out: records and aggregations, as from
every engine. Memory is read by process_vm_readv(2) while the process runs, or while it is stopped (`hold`).

    engine = DumpEngine(program, types, merge, pid=4711, is_consistent=True)
    engine.begin(); engine.enable(); engine.run(); engine.end()
"""

from __future__ import annotations

from invivo.engines.dump.engine import DumpEngine, is_dump

__all__ = ["DumpEngine", "is_dump"]
