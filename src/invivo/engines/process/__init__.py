"""The process engine: the typed program on one's own processes, by ptrace(2), with no rights at all.

    stops ──> native/: records ──> evaluation: firings ──> reference engine (closures) <── Program
       └────> tracer: stops that need Python ──┘ <── worlds: /proc, process_vm_readv, registers, records

engine.py       a run: targets, begin and end; stops.py: which stops become which firings
tracer.py       follows threads and processes; stepping.py, detaching.py, threads.py are its parts
native/         the loop in machine code that writes stops down; recording.py: which clauses that is enough for
evaluation.py   carries out records and stops in their order
breakpoints.py  functions and USDT probes; loader.py: libraries that come later; emulate.py: instructions carried out
world.py        what a firing sees; objects.py: the few kernel structures that /proc can fill
signals.py      signals sent, discarded, handled; unwind.py: stacks by unwind rules
hold.py         commands held with their libraries mapped; pins.py: one CPU for tracer and traced
"""
