r"""tracefs: the kernel's own list of its trace events, with the layout of each one's record.

In: /sys/kernel/tracing, mounted if it is not. Out: names, ids, fields.

    event_id("sched", "sched_switch")           -> 372
    event_format("sched", "sched_switch")[0]    -> FormatField("prev_comm", "char", 8, 16, False, count=16)
    list(events())                              -> [("alarmtimer", "alarmtimer_cancel"), ...]

Source: Documentation/trace/events.rst, Documentation/trace/ftrace.rst.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from invivo.errors import KernelError, RightsError, UnsupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PLACES", "FormatField", "event_format", "event_id", "events", "is_mounted", "parse_format", "root"]

PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_MOUNT = "mount -t tracefs tracefs /sys/kernel/tracing"
_EPERM, _EACCES, _EBUSY, _ENODEV = 1, 13, 16, 19

_found: str | None = None


class FormatField(NamedTuple):
    """A field of an event's record, `size` bytes at `offset`.

    `c_type` is the declared type, of arrays the element's ("char" for `char comm[16]`); `count` is the number of
    elements of an array, else 0. With `is_data_loc` or `is_rel_loc`, the field is a u32: the size of the data in its
    upper half, in its lower half where it lies, counted from the record's start or from the u32's own end.
    """

    name: str
    c_type: str
    offset: int
    size: int
    is_signed: bool
    is_data_loc: bool = False
    is_rel_loc: bool = False
    count: int = 0  # type: ignore[assignment]


def root() -> str:
    """The path of tracefs; it is mounted at /sys/kernel/tracing if it is mounted nowhere.

    Raises:
        RightsError: It may not be mounted or read; the hint has the command for root.
        UnsupportedError: The kernel has no tracefs.
    """
    global _found
    if _found is None:
        _found = _find() or _mount()
    return _found


def _find() -> str | None:
    for place in PLACES:
        if os.path.isdir(f"{place}/events"):
            return place
    return None


def _mount() -> str:
    from invivo.linux import syscalls

    place = PLACES[0]
    try:
        os.scandir(place).close()  # fails where it is mounted, but may not be entered
        syscalls.mount("tracefs", place, "tracefs")
    except OSError as error:
        if error.errno in (_EPERM, _EACCES):
            if is_mounted(place):
                raise _not_readable(place) from error
            raise RightsError(
                f"tracefs is not mounted at {place}, and this user may not mount it", f"as root: {_MOUNT}"
            ) from error
        if error.errno == _EBUSY and (found := _find()):
            return found
        reason = os.strerror(error.errno or 0)
        raise UnsupportedError(
            f"tracefs cannot be mounted at {place}: {reason}", "a kernel with CONFIG_TRACING=y, and sysfs at /sys"
        ) from error
    return place


def is_mounted(place: str) -> bool:
    """Whether a tracefs is mounted at `place`, readable or not."""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as stream:
            return any(line.split()[1:3] == [place, "tracefs"] for line in stream)
    except OSError:
        return False


def events() -> Iterator[tuple[str, str]]:
    """(category, name) of every event, categories in order; ftrace's own records, which have no tracepoint, included.

    Raises:
        RightsError, UnsupportedError: As `root`.
    """
    base = f"{root()}/events"
    for category in _directories(base):
        for name in _directories(f"{base}/{category}"):
            yield category, name


def _directories(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except PermissionError as error:
        raise _not_readable(path) from error


def event_id(category: str, name: str) -> int:
    """The number that perf_event_open(2) knows a tracepoint by.

    Raises:
        UnsupportedError: There is no such event.
        RightsError: tracefs may not be read.
    """
    return int(_read(f"{root()}/events/{category}/{name}/id", f"{category}:{name}"))


def event_format(category: str, name: str, root: str | None = None) -> tuple[FormatField, ...]:
    """The fields of an event's record in order, without those that all events share (common_type, common_pid ...).

    Args:
        category, name: The event.
        root: Where tracefs is, by default `root()`.

    Raises:
        UnsupportedError: There is no such event.
        RightsError: tracefs may not be read.
    """
    base = globals()["root"]() if root is None else root
    text = _read(f"{base}/events/{category}/{name}/format", f"{category}:{name}")
    return tuple(field for field in parse_format(text) if not field.name.startswith("common_"))


def parse_format(text: str) -> list[FormatField]:
    r"""All fields in a format file's text.

    A line: `\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;`
    """
    fields = []
    for line in text.split("\n"):
        if not line.startswith("\tfield:"):
            continue
        declaration, offset, size, *rest = [part.strip().partition(":")[2] for part in line.split(";\t")]
        is_signed = bool(rest) and rest[0].startswith("1")
        fields.append(_field(declaration, int(offset), int(size.rstrip(";")), is_signed))
    return fields


def _field(declaration: str, offset: int, size: int, is_signed: bool) -> FormatField:
    location, _, rest = declaration.partition(" ")
    is_data_loc, is_rel_loc = location == "__data_loc", location == "__rel_loc"
    if is_data_loc or is_rel_loc:
        c_type, _, name = rest.rpartition(" ")
        return FormatField(name, c_type.removesuffix("[]").strip(), offset, size, is_signed, is_data_loc, is_rel_loc)
    if "(*" in declaration:  # a pointer to a function: `void (*function)(void *)`
        _, _, after = declaration.partition("(*")
        name = after.partition(")")[0].strip()
        return FormatField(name, "void *", offset, size, is_signed)
    head, bracket, inside = declaration.partition("[")
    end = len(head)
    while end and (head[end - 1].isalnum() or head[end - 1] == "_"):
        end -= 1
    count = 0
    if bracket:
        number = inside.partition("]")[0].strip()
        # An array whose length is a macro's name counts as bytes; an open one has none.
        count = int(number) if number.isdigit() else size
    return FormatField(head[end:], head[:end].strip(), offset, size, is_signed, count=count)


def _read(path: str, event: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        raise UnsupportedError(f"this kernel has no event '{event}'", "see: invivo list 'sdt:::'") from None
    except PermissionError as error:
        raise _not_readable(path) from error
    except OSError as error:
        raise KernelError(error.errno or 0, "read", f"'{path}'") from None


def _not_readable(path: str) -> RightsError:
    mend = f"run as root, or as root: chmod -R a+rX {PLACES[0]}"
    return RightsError(f"'{path}' (tracefs) may not be read by this user", mend)
