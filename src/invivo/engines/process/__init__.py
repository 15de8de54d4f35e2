"""The process engine: the typed program on one's own processes, by ptrace(2), with no rights at all.

    Program ──> reference engine (closures) <── firings <── tracer: system call stops, events, breakpoints, samples
                                            <── World: /proc, process_vm_readv, registers

tracer.py     follows threads and processes, and turns their stops into calls of its hooks
engine.py     the hooks: which stops become firings of which attach point
world.py      what a firing sees: ids, memory, registers, stacks
objects.py    the few kernel structures that /proc can fill
spawn.py      commands held before their first instruction, under a seccomp filter
"""
