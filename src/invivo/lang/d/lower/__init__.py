"""From the syntax tree to the typed program.

Script ──> declarations (declare) ──> probes matched (probes) ──> each clause once for each context (clause, statements,
expressions, ...) ──> Program

Each module takes a `Clause` (what a clause sees while it is lowered) as first argument and adds to it or yields nodes.
"""
