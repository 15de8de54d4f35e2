"""What the consumer does with a record: one value for each statement of D that prints or changes something there.

    printf("%d %s\\n", pid, execname)    ->    Printf("%d %s\\n", (0, 1)): the record's fields 0 and 1
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "Action",
    "Clear",
    "Commit",
    "Denormalize",
    "Discard",
    "ExitAction",
    "Freopen",
    "Ftruncate",
    "Normalize",
    "Pcap",
    "Print",
    "PrintStack",
    "PrintSymbol",
    "Printa",
    "Printf",
    "SetOpt",
    "Shape",
    "Speculate",
    "Stopped",
    "System",
    "Trace",
    "Tracemem",
    "Trunc",
]


class Trace(NamedTuple):
    """trace(): print the field in its type's default format."""

    field: int


class Tracemem(NamedTuple):
    """tracemem() and byte arrays: a hex dump of the field, or of as many of its bytes as the field `limit` says."""

    field: int
    limit: int | None = None


class Shape(NamedTuple):
    """A C type as print() needs it: `name` is the type as C writes it.

    kind "int" "char" "enum" "pointer" "float": a scalar; `names` are an enumeration's (value, name).
    kind "array": of `element`.  kind "struct": `members`, each (name, offset in bits, bits or 0, its shape).
    """

    kind: str
    name: str
    size: int
    signed: bool = False
    element: Shape | None = None
    members: tuple[tuple[str, int, int, Shape], ...] = ()
    names: tuple[tuple[int, str], ...] = ()


class Print(NamedTuple):
    """print(): what lies at the address in field `address`; field `data` has its bytes, or the first of them.

    A variable has no address: `address` is None, and `name` its text.
    """

    address: int | None
    data: int
    shape: Shape
    name: str = ""


class Printf(NamedTuple):
    """printf(): `format` as written; `fields` are its arguments, `*` widths included, in order."""

    format: str
    fields: tuple[int, ...]


class Printa(NamedTuple):
    """printa(): aggregation ids; `format` None is the default format."""

    aggregations: tuple[int, ...]
    format: str | None


class PrintStack(NamedTuple):
    field: int


class PrintSymbol(NamedTuple):
    field: int


class Clear(NamedTuple):
    aggregation: int


class Trunc(NamedTuple):
    """`field` is None for "all": trunc(@a)."""

    aggregation: int
    field: int | None


class Normalize(NamedTuple):
    aggregation: int
    field: int


class Denormalize(NamedTuple):
    aggregation: int


class Speculate(NamedTuple):
    """First in a record: hold it back in the speculation that field `id` names, if `state` (of that moment) is odd."""

    id: int
    state: int


class Commit(NamedTuple):
    """Show what is held back in a speculation, in the order in which it came, and forget it."""

    id: int
    state: int


class Discard(NamedTuple):
    """Forget what is held back in a speculation."""

    id: int
    state: int


class SetOpt(NamedTuple):
    """setopt(): the fields that hold the option's name and its value as text; `value` None: given without one."""
    name: int
    value: int | None


class System(NamedTuple):
    """system(): a command for the shell, by a format as in Printf."""

    format: str
    fields: tuple[int, ...]


class Freopen(NamedTuple):
    """freopen(): the output goes on in the file that the format names; an empty name: where it went at first."""

    format: str
    fields: tuple[int, ...]


class Pcap(NamedTuple):
    """pcap(): a packet. The fields: nanoseconds since 1970, bytes on the wire, those that were copied, the link's type
    (see pcap-linktype(7)), the copy."""

    time: int
    length: int
    copied: int
    link: int
    data: int


class Ftruncate(NamedTuple):
    """ftruncate(): forget what the output file holds."""


class Stopped(NamedTuple):
    """stop(): the process whose pid is in the field has been stopped, and the user is told how it goes on."""

    pid: int


class ExitAction(NamedTuple):
    """Nothing to print; the record still ends its line."""


Action = (
    Trace | Tracemem | Printf | Printa | PrintStack | PrintSymbol | Clear | Trunc | Normalize | Denormalize | ExitAction
    | Speculate | Commit | Discard | Print | SetOpt | System | Freopen | Ftruncate | Stopped | Pcap
)  # fmt: skip
