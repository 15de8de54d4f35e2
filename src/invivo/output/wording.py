"""How text output words its messages: errors at run time, and losses.

    Wording().fault(fault, True)     script.d:4:12: error in clause 1 ...: divide-by-zero, the expression, a hint
    Wording().drop(drop)             23 drops on CPU 0 (the ring buffer was full; ...)

`invivo dtrace` has words of its own: cli/dtrace/messages.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.consumer.drops import Drop
    from invivo.consumer.faults import Fault

__all__ = ["Wording"]


class Wording:
    """The words of `invivo run`. `program` stands before each message."""

    program = "invivo"

    def fault(self, fault: Fault, is_first: bool) -> str:
        """An error at run time; the first of its place with the expression underlined, and a hint."""
        if not is_first or fault.site is None:
            return str(fault)
        expression = fault.expression
        lines = [fault.headline]
        if expression:
            lines += [expression, "~" * len(expression)]
        if fault.hint:
            lines.append(f"hint: {fault.hint}")
        return "\n".join(lines)

    def drop(self, drop: Drop) -> str:
        """A loss."""
        return str(drop)
