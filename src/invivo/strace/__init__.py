"""System calls as lines of text, decoded, as strace(1) shows them.

    calls.py        a call by number: its name, and the kind of each argument
    flags.py        which names its bits and codes have
    frame.py        a call that is being shown     pieces.py       an argument as text, and what memory that takes
    structures.py   what a pointer leads to        overrides.py    calls that mean more than their prototypes tell
    file_structures.py              what the kernel tells of files: stat, statfs, locks
    render.py       a call's line in two halves    printer.py      what happens, as lines
    lines.py        lines of several threads, with times and ids      summary.py   the table of -c
    trace.py        follows the processes by ptrace(2), with engines/process

In: a command or a process of one's own. Out: lines. No rights are needed: it works by ptrace(2).
"""

from __future__ import annotations

from invivo.strace.printer import Request
from invivo.strace.trace import Strace

__all__ = ["Request", "Strace"]
