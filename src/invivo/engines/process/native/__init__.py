"""The tracer's hot loop in machine code: what happens at a stop is written down, and the thread goes on at once.

    Recipe, Capture          what to write down at which system call, and the ring that it is written to
      |
      v  code.py             the loop of loop_ir.py, compiled by LLVM once and kept in the user's cache
    Capture.run()            waits, writes records, resumes; comes back with each stop that it was not made for
      |
      v
    Capture.take()           Records in the order of the stops, for who evaluates them, in any thread

A stop costs its two context switches and little else, and no Python runs between them. See docs/internals/capture.md.
"""
