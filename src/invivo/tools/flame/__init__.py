"""Collecting profiles: each kind of flame graph is a D program, run over the public API, and its answer a Profile.

    kinds.py     what there is, and the program of each
    collect.py   the session: aggregations and records in, samples out
    join.py      kinds whose two halves are put together here: blocked and waker, allocation and free
    idle.py      which waits are only for work
    live.py, tui.py, top.py   shown while it runs
"""
