"""Output as dtrace(1) prints it.

    CPU     ID                    FUNCTION:NAME
      0      2                       read:entry     1234

Once a heading, for each firing of a clause its CPU, probe and data; in quiet mode only what the program prints. At the
end a newline, then the aggregations that printa() never showed. Errors and drops go to standard error.
"""

from __future__ import annotations

import os

from invivo.output.aggregation import Order, default_text, formatted_text
from invivo.output.display import displays
from invivo.output.escape import escape
from invivo.output.flow import HEADING, Flow
from invivo.output.printf import Style
from invivo.output.stream import Stream, write_all
from invivo.output.wording import Wording
from invivo.program.format import probe_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.consumer.aggregate import Totals
    from invivo.consumer.drops import Drop
    from invivo.consumer.faults import Fault
    from invivo.consumer.output import Display, NativeSink, Packet
    from invivo.consumer.records import Raw, Record
    from invivo.consumer.resolve import Resolver
    from invivo.program.actions import Printa
    from invivo.program.plan import Plan
    from invivo.program.records import RecordLayout

__all__ = ["TextOutput"]

_ENOUGH = 4096  # texts held back before they are written


class TextOutput:
    """Writes to file descriptor `fd`, messages to `errors`.

    Args:
        plan: For the probes' names and the options quiet, stackindent, aggsortkey, aggsortrev.
        fd: Where the output goes; if it is a terminal, control characters in traced strings are made visible.
        errors: Where drops and errors at run time go.
        wording: How those are worded; None: as `invivo run` does.
    """

    def __init__(self, plan: Plan, fd: int = 1, errors: int = 2, wording: Wording | None = None) -> None:
        self._plan = plan
        self._stream = Stream(fd, self.tell)
        self._errors = errors
        self._is_quiet = bool(plan.options.get("quiet"))
        # DTrace's own switch for output that can be compared: no CPU and no probe id.
        self._is_bare = "_DTRACE_TESTING" in os.environ
        self._is_terminal = os.isatty(fd)
        self._begun = 0  # the first part of a record is shown: 1, or 2 with what stands before the data
        self._held: list[bytes] = []
        self._is_headed = self._is_quiet
        self._prefixes: dict[tuple[int, int], bytes] = {}
        self._order = Order(plan.options)
        self._explained: set[object] = set()
        self._wording = wording or Wording()
        self._flow = Flow(plan.probes) if plan.options.get("flowindent") else None
        self._clause = 0  # of the record that is shown
        self._style: Style

    def bind(self, resolver: Resolver) -> None:
        indent = int(self._plan.options.get("stackindent", 14))
        is_raw = bool(self._plan.options.get("rawbytes"))
        size = int(self._plan.options.get("strsize", 256))
        self._style = Style(
            resolver, is_escaped=self._is_terminal, stack_indent=indent, is_raw=is_raw, string_size=size
        )

    def displays(self, layout: RecordLayout) -> tuple[Display | None, ...]:
        return displays(layout, self._style, is_quiet=self._is_quiet)

    def printa(self, action: Printa, totals: Sequence[Totals]) -> bytes:
        if action.format is None:
            return b"\n" + default_text(totals, self._order, self._style)
        return formatted_text(action.format, totals, self._order, self._style)

    def record(self, layout: RecordLayout, probe: int, cpu: int, values: tuple[Raw, ...], text: bytes) -> None:
        if self._begun:
            text += b"\n" * (self._begun - 1)
            self._begun = 0
        elif not self._is_quiet:
            if not self._is_headed:
                self._head()
            self._clause = layout.clause
            prefix = self._prefixes.get((probe, cpu)) or self._prefix(probe, cpu)
            text = prefix + text + b"\n"
        self._held.append(text)
        if len(self._held) >= _ENOUGH:
            self.flush()

    def part(self, layout: RecordLayout, probe: int, cpu: int, text: bytes) -> bytes:
        if not self._begun:
            self._begun = 1 if self._is_quiet else 2
            if not self._is_quiet:
                if not self._is_headed:
                    self._head()
                self._clause = layout.clause
                text = (self._prefixes.get((probe, cpu)) or self._prefix(probe, cpu)) + text
        self._held.append(text)
        return b""

    def packet(self, packet: Packet) -> bytes:
        from invivo.output.hexdump import hexdump

        self.flush()
        return b"" if self._stream.capture(packet) else hexdump(packet.data)

    def system(self, command: bytes) -> None:
        self.flush()
        self._stream.system(command)

    def reopen(self, path: bytes) -> None:
        self.flush()
        self._stream.reopen(path)

    def truncate(self) -> None:
        self.flush()
        self._stream.truncate()

    def set_option(self, name: str, value: int | str | bool) -> None:
        match name:
            case "quiet":
                self._is_quiet = bool(value)
                self._is_headed = self._is_headed or self._is_quiet
            case "rawbytes":
                self._style.is_raw = bool(value)
            case "flowindent":
                self._flow = Flow(self._plan.probes) if value else None
                self._prefixes.clear()
            case "stackindent":
                self._style.stack_indent = int(value)
        self._order = Order(self._plan.options)

    def fault(self, fault: Fault) -> None:
        is_first = fault.site not in self._explained
        self._explained.add(fault.site)
        self.tell(self._wording.fault(fault, is_first))

    def drop(self, drop: Drop) -> None:
        self.tell(self._wording.drop(drop))

    def finish(self, unprinted: Sequence[Totals]) -> None:
        self._held.append(b"\n")
        for totals in unprinted:
            self._held.append(default_text((totals,), self._order, self._style))
        self.flush()
        self._stream.close()

    def flush(self) -> None:
        if self._held:
            text = b"".join(self._held)
            self._held.clear()
            self._stream.write(text)

    def take_records(self) -> list[Record]:
        return []

    def native_sink(self) -> NativeSink | None:
        from invivo.consumer.output import NativeSink

        return None if self._is_bare or self._flow else NativeSink(self._write_native, self._is_terminal)

    def _write_native(self, text: memoryview) -> None:
        if not self._is_headed:
            self._head()
        self.flush()
        self._stream.write(text)

    def _head(self) -> None:
        self._is_headed = True
        if self._flow is not None:
            self._held.append(f"{'' if self._is_bare else 'CPU '}{HEADING:<41}\n".encode())
            return
        name = f"{'FUNCTION:NAME':>32}"
        self._held.append(f"{name}\n".encode() if self._is_bare else f"{'CPU':>3} {'ID':>6} {name}\n".encode())

    def _prefix(self, probe: int, cpu: int) -> bytes:
        if self._flow is not None:
            column = self._flow.column(probe, self._clause, cpu)
            return ("" if self._is_bare else f"{cpu:>3} ").encode() + column.encode("utf-8", "surrogateescape")
        known = 0 < probe <= len(self._plan.probes)
        column = probe_column(self._plan.probes[probe - 1] if known else None, has_id=not self._is_bare)
        prefix = column if self._is_bare else f"{cpu:>3}{column}"
        self._prefixes[probe, cpu] = made = prefix.encode("utf-8", "surrogateescape")
        return made

    def tell(self, message: str) -> None:
        """A message on standard error, after everything that was before it."""
        self.flush()
        text = f"{self._wording.program}: {message}\n".encode("utf-8", "surrogateescape")
        write_all(self._errors, escape(text) if os.isatty(self._errors) else text)
