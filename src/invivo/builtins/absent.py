"""Names that DTrace has and invivo has not, each with what to say to the person who uses one.

    ABSENT["panic"]    "Linux lets no BPF program bring the system down"

In: nothing. Out: hints for the front end, and the list in the manual. A test holds that none of them is a builtin.
"""

from __future__ import annotations

__all__ = ["ABSENT"]

_REASONS = {
    "Linux lets no BPF program stop the kernel in a debugger": ("breakpoint",),
    "Linux lets no BPF program bring the system down": ("panic",),
    "use ustack(): it names the frames of JIT compilers that write /tmp/perf-PID.map": ("jstack",),
    "Linux has no such paths: see fds[], cwd": ("ddi_pathname",),
    "Linux has no interrupt priority levels": ("ipl",),
    "Linux has no zones": ("zonename",),
    "Linux has no STREAMS": ("msgdsize", "msgsize"),
}  # fmt: skip

ABSENT: dict[str, str] = {name: reason for reason, names in _REASONS.items() for name in names}
