"""Stacks as text: a newline, then one frame a line, innermost first.

    <14 columns>vmlinux`vfs_read+0x1c
    <14 columns>vmlinux`ksys_read+0x6b
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.consumer.records import Stack

__all__ = ["stack_text"]


def stack_text(stack: Stack, indent: int) -> bytes:
    """The frames, each after `indent` spaces and before a newline, after an empty line's newline."""
    space = " " * indent
    lines = "".join(f"{space}{name}\n" for name in stack.names)
    return f"\n{lines}".encode("utf-8", "surrogateescape")
