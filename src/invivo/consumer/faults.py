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
    FaultKind.DIVZERO: "test the divisor in the clause's predicate",
    FaultKind.NOSCRATCH: "-x scratchsize=SIZE gives a firing more",
    FaultKind.LOOP: "see its condition; -x maxloop=NUMBER allows more iterations",
}
_FIRST_PAGES = 0x10000  # never mapped: vm.mmap_min_addr
_FIRST_OF_PROCESSES = 0x400000  # programs that are not position-independent begin here
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
        if self.kind is FaultKind.BADADDR:
            return self._address_hint()
        return _HINTS.get(self.kind, "") if isinstance(self.kind, FaultKind) else ""

    def _address_hint(self) -> str:
        if self.value < _FIRST_PAGES:
            return "a pointer is NULL, or near it: test it first, in the predicate or with if"
        if self.value < _FIRST_OF_PROCESSES:
            return "nothing is there; memory from alloca() and copyin() has the size that was asked for, and no more"
        if self.value >> 63:
            return "nothing is at this kernel address"
        if "copyin" in self.expression or "args[" in self.expression:
            return "the process has not touched that page yet; keep the address, and read it at the call's return"
        return "this is an address of the process: copyin() and copyinstr() read its memory"

    @property
    def expression(self) -> str:
        """The text at fault, on one line."""
        return " ".join(self.site.text.split()) if self.site is not None else ""

    @property
    def headline(self) -> str:
        """Where, which probe, and why."""
        probe = f" ({self.probe})" if self.probe is not None else ""
        number = self.probe.id if self.probe is not None else self.probe_id
        if self.site is None:
            return f"error for probe ID {number}{probe}: {self.reason}"
        site = self.site
        where = f"{site.file}:{site.line}:{site.column}"
        return f"{where}: error in clause {site.clause + 1} for probe ID {number}{probe}: {self.reason}"

    def __str__(self) -> str:
        text = self.expression
        if len(text) > 60:
            text = text[:57] + "..."
        return f"{self.headline} in '{text}'" if text else self.headline
