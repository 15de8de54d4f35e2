"""System calls as lines of text, decoded, as strace(1) shows them.

    calls.py        a call by number: its name, and the kind of each argument
    flags.py        which names its bits and codes have
    values.py       an argument as text            structures.py   what a pointer leads to
    lines.py        lines of several threads, with times and ids      summary.py   the table of -c
    trace.py        follows the processes, by engines/process

In: a command or a process of one's own. Out: lines. No rights are needed: it works by ptrace(2).
"""

from __future__ import annotations

from invivo.strace.trace import Request, Strace

__all__ = ["Request", "Strace"]
