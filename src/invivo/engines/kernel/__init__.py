"""The kernel engine: carries out a plan with bpf(2) and perf_event_open(2).

    plan -> loader (maps, programs) -> attach (links, timers) -> snapshot (aggregations), losses -> session
"""
