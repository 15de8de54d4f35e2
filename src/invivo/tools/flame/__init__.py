"""Collecting profiles: each kind of flame graph is a D program, run over the public API, and its answer a Profile.

    kinds.py     what there is, and the program of each
    collect.py   the session: aggregations and records in, samples out
    wakers.py    who woke a thread, kept beside its wait
    waits.py     waits that are open when tracing begins or ends
    idle.py      which waits are only for work
    live.py, tui.py, top.py   shown while it runs
"""
