"""Errors at run time: the kernel sends where and what, this says it in words.

    site 3, BADADDR, 0x10   ->   script.d:4:12: error in clause 1 for probe ID 2 (syscall:vmlinux:read:entry):
                                 invalid address (0x10) in 'curthread->mm->pgd'
"""

from __future__ import annotations

from typing import NamedTuple

from invivo.program.plan import FaultKind, FaultSite, ProbeInfo

__all__ = ["Fault"]

_WORDS = {
    FaultKind.BADADDR: "invalid address",
    FaultKind.BADALIGN: "invalid alignment",
    FaultKind.ILLOP: "illegal operation",
    FaultKind.DIVZERO: "divide-by-zero",
    FaultKind.NOSCRATCH: "out of scratch space",
    FaultKind.KPRIV: "invalid kernel access",
    FaultKind.UPRIV: "invalid user access",
    FaultKind.TUPOFLOW: "tuple stack overflow",
    FaultKind.BADSTACK: "bad stack",
    FaultKind.BADSIZE: "invalid size",
    FaultKind.BADINDEX: "index out of bounds",
    FaultKind.LOOP: "loop without end",
}
_HINTS = {
    FaultKind.BADADDR: "memory of the traced process is read with copyin() and copyinstr(), kernel memory directly",
    FaultKind.DIVZERO: "test the divisor in the clause's predicate",
    FaultKind.NOSCRATCH: "-x scratchsize=SIZE gives a firing more",
    FaultKind.LOOP: "see its condition; -x maxloop=NUMBER allows more iterations",
}
_WITH_VALUE = {FaultKind.BADADDR, FaultKind.BADALIGN, FaultKind.BADSTACK, FaultKind.BADSIZE, FaultKind.BADINDEX}


class Fault(NamedTuple):
    """One error at run time: at `site` of the text, while `probe` (its id, and itself if known) was firing on `cpu`."""

    kind: FaultKind | int
    value: int
    site: FaultSite | None
    probe_id: int
    probe: ProbeInfo | None
    cpu: int

    @property
    def reason(self) -> str:
        """What went wrong: `invalid address (0x10)`."""
        if not isinstance(self.kind, FaultKind):
            return f"unknown error {self.kind}"
        words = _WORDS[self.kind]
        if self.kind is FaultKind.BADADDR:
            return f"{words} ({self.value:#x})"
        signed = self.value - (1 << 64) if self.value >> 63 else self.value
        return f"{words} ({signed})" if self.kind in _WITH_VALUE else words

    @property
    def hint(self) -> str:
        """What to do about it, or empty."""
        return _HINTS.get(self.kind, "") if isinstance(self.kind, FaultKind) else ""

    @property
    def expression(self) -> str:
        """The text at fault, on one line."""
        return " ".join(self.site.text.split()) if self.site is not None else ""

    @property
    def headline(self) -> str:
        """Where, which probe, and why."""
        probe = f" ({':'.join(self.probe)})" if self.probe is not None else ""
        if self.site is None:
            return f"error for probe ID {self.probe_id}{probe}: {self.reason}"
        site = self.site
        where = f"{site.file}:{site.line}:{site.column}"
        return f"{where}: error in clause {site.clause + 1} for probe ID {self.probe_id}{probe}: {self.reason}"

    def __str__(self) -> str:
        text = self.expression
        if len(text) > 60:
            text = text[:57] + "..."
        return f"{self.headline} in '{text}'" if text else self.headline
