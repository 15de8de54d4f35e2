"""Which system calls stop for a program, and which of their stops the loop writes down.

    calls = Calls(reference, facts)
    calls.entries, calls.returns           numbers at which something may fire
    calls.capture((), pinned_calls, True)  a Capture of those that a record is enough for; None if there are none
"""

from __future__ import annotations

from collections.abc import Collection

from invivo.engines.process.evaluation import ENTER, EXIT
from invivo.engines.process.native.capture import Capture
from invivo.engines.process.native.layout import CALLS
from invivo.engines.process.native.records import Kind
from invivo.engines.process.recording import Needs, needs_of
from invivo.engines.process.world import Facts, OwnWorld
from invivo.engines.reference import ReferenceEngine
from invivo.linux import ptrace
from invivo.program.attach import RawTracepoint

__all__ = ["NATIVE_CS", "Calls"]

NATIVE_CS = 0x33
_RT_SIGRETURN = 15  # has no return: the registers that it leaves are those of whatever the signal interrupted


class Calls:
    """See the module's text."""

    def __init__(self, reference: ReferenceEngine, facts: Facts) -> None:
        self._reference = reference
        self._facts = facts
        self.entries = self._wanted(ENTER)
        self.returns = self._wanted(EXIT) - {_RT_SIGRETURN}
        self.repeated: dict[tuple[int, int], slice] = {}  # see Evaluation.set_capture

    def _wanted(self, point: RawTracepoint) -> frozenset[int]:
        """The numbers of the system calls at which something may fire. What a guard tests is not known, so it is tried
        with all numbers and the results that such guards tell apart."""
        if point not in self._reference.points:
            return frozenset()
        world = _Trial(self._facts)
        found = set()
        for number in range(CALLS):
            for result in (0, -1, 1) if point is EXIT else (number,):
                world.set(number, result)
                if self._reference.may_fire(point, world):
                    found.add(number)
                    break
        return frozenset(found)

    def capture(self, entries_too: Collection[int], returns_too: Collection[int], is_pinned: bool) -> Capture | None:
        """What writes down the stops that a record is enough for; those of other calls too are left to Python."""
        safe = needs_of(self._reference.error_clauses)
        if safe is None or safe.recipes or safe.has_words or safe.has_cpu or not Capture.is_possible():
            return None
        entries, returns = self._needs(ENTER, self.entries, is_pinned), self._needs(EXIT, self.returns, is_pinned)
        if not entries and not returns:
            return None
        has_registers = any(needs.has_all_registers for needs in (*entries.values(), *returns.values()))
        for kind, by_number in ((Kind.ENTRY, entries), (Kind.RETURN, returns)):
            for number, needs in by_number.items():
                if needs.is_repeatable:
                    self.repeated[int(kind), number] = needs.part(has_registers, is_return=kind is Kind.RETURN)
        return Capture(
            {number: needs.recipes for number, needs in entries.items()},
            {number: needs.recipes for number, needs in returns.items()},
            handed_entries=(self.entries - entries.keys()) | set(entries_too),
            handed_returns=(self.returns - returns.keys()) | set(returns_too),
            unread_returns=[number for number, needs in returns.items() if not needs.has_words],
            has_registers=has_registers,
        )

    def _needs(self, point: RawTracepoint, numbers: Collection[int], is_pinned: bool) -> dict[int, Needs]:
        found = {}
        kept = []
        known: dict[tuple[int, ...], Needs | None] = {}
        for number in numbers:
            parts = list(self._reference.parts_at(point, number))
            kept.append(parts)  # so that no other part gets its address
            key = tuple(map(id, parts))  # many calls share their clauses
            if key not in known:
                known[key] = needs_of(parts)
            needs = known[key]
            if needs is not None and (is_pinned or not needs.has_cpu):
                found[number] = needs
        return found


class _Trial(OwnWorld):
    """A system call that nobody makes, to ask guards about."""

    __slots__ = ()

    def set(self, number: int, result: int) -> None:
        registers = bytearray(ptrace.REGISTERS_SIZE)
        registers[120:128] = number.to_bytes(8, "little")
        registers[136] = NATIVE_CS
        self.registers, self.words = bytes(registers), (Facts.REGISTERS, result & (1 << 64) - 1)
