"""`invivo strace` by the kernel engine: nothing stops, and a call costs its process what a tracepoint costs.

    program.py      the D program that records calls, and what their arguments lead to
    kernel.py       its records, told to a strace.Printer
"""

from __future__ import annotations

from invivo.tools.strace.kernel import KernelStrace, cannot

__all__ = ["KernelStrace", "cannot"]
