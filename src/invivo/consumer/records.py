"""The values that a program's output is made of, as Python sees them.

    Record(ProbeInfo("syscall", "vmlinux", "read", "entry"), cpu=1, clause=0, values=("bash", 3), text="bash 3\\n")
    Histogram((Bucket(4, 7, 2), Bucket(8, 15, 1)), 3)
    Stack((0xffffffff81234567,), ("vmlinux`vfs_read+0x17",), False, 0)

Strings are str; bytes that are not UTF-8 stand in them as lone surrogates (surrogateescape), so that
`text.encode("utf-8", "surrogateescape")` gives back the traced bytes.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from invivo.program.plan import ProbeInfo

__all__ = ["Bucket", "Histogram", "Raw", "Record", "Stack", "UserAddress", "Value"]


class Stack(NamedTuple):
    """A stack, innermost frame first: `addresses` and, for each, its name (0x... where there is none).

    With the option srcline a user stack has more names than addresses: before the name of an address come those of the
    functions that were inlined there, each with ` [inlined]` behind it; and names end in ` (file:line)`.

    `pid` is the process of a user stack, 0 for a kernel stack.
    """

    addresses: tuple[int, ...]
    names: tuple[str, ...]
    is_user: bool
    pid: int

    def __str__(self) -> str:
        return "\n".join(self.names)


class UserAddress(NamedTuple):
    """An address of a process; `generation` says which program the process ran then (0: not known)."""

    address: int
    pid: int
    generation: int


class Bucket(NamedTuple):
    """`count` values lay between `low` and `high`, both included; None is "no bound on this side"."""

    low: int | None
    high: int | None
    count: int  # type: ignore[assignment]


class Histogram:
    """The distribution that quantize(), lquantize() or llquantize() made: its buckets in ascending order.

    Only buckets that hold something are in `buckets`. Iterating gives them; `total` is the sum of their counts.
    """

    __slots__ = ("buckets", "total")

    def __init__(self, buckets: tuple[Bucket, ...], total: int) -> None:
        self.buckets = buckets
        self.total = total

    def __iter__(self) -> Iterator[Bucket]:
        return iter(self.buckets)

    def __len__(self) -> int:
        return len(self.buckets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.buckets == other.buckets and self.total == other.total

    def __hash__(self) -> int:
        return hash((self.buckets, self.total))

    def __repr__(self) -> str:
        return f"Histogram({self.buckets!r}, total={self.total})"


# As decoded, before it is shown: strings and structures as bytes, addresses as int.
Raw = int | bytes | Stack | UserAddress

# As the public API gives it: strings and symbols as str, structures as bytes.
Value = int | str | bytes | Stack


class Record(NamedTuple):
    """What one firing of a clause recorded.

    `clause` is the clause's index in the program's text; `values` are all that its actions recorded, in order; `text`
    is what it prints in quiet mode.
    """

    probe: ProbeInfo
    cpu: int
    clause: int
    values: tuple[Value, ...]
    text: str
