"""What the options of `invivo strace` ask for.

    request_of(namespace)       Request(command=("ls",), calls=frozenset({257}), ...)

Raises OptionError for what contradicts itself, or is not there.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from typing import Any

from invivo.errors import OptionError
from invivo.strace import Request, selection
from invivo.strace.flags import Naming
from invivo.strace.injection import Injection
from invivo.strace.structures import Quoting
from invivo.strace.summary import DEFAULT_COLUMNS, column_names, sort_name

__all__ = ["change_environment", "request_of"]

_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_QUIET = ((), ("attach", "personality"), ("attach", "personality", "exit"))
_QUOTING = {
    "none": Quoting.OCTAL, "non-ascii-chars": Quoting.ODD_BYTES, "non-ascii": Quoting.ODD_STRINGS, "all": Quoting.ALL,
}  # fmt: skip


def request_of(namespace: argparse.Namespace) -> Request:
    """See the module's text."""
    command = namespace.command[1:] if namespace.command[:1] == ["--"] else namespace.command
    pids = _pids(namespace.pids)
    if bool(command) == bool(pids):
        raise OptionError("give a command, or -p PID, and not both", "invivo strace ls; or: invivo strace -p 4711")
    is_separate = namespace.follows > 1 or (namespace.is_separate and bool(namespace.follows))
    if is_separate and namespace.output is None:
        raise OptionError("-ff writes a file for each process, and none is named", "invivo strace -ff -o FILE ...")
    if namespace.limit < 0:
        raise OptionError(f"-s {namespace.limit}: a string cannot have fewer than no bytes")
    if namespace.column < 0:
        raise OptionError(f"-a {namespace.column}: a column cannot be less than 0")
    if namespace.only_failed and namespace.only_successful:
        raise OptionError("-z and -Z leave nothing to show: give one of them")
    if namespace.counts and (namespace.sums or is_separate):
        raise OptionError("-c shows no lines: it does not go with -C or -ff", "-C shows lines and the table")
    if namespace.appends and namespace.output is None:
        raise OptionError("-A appends to a file, and none is named", "invivo strace -A -o FILE ...")
    found = _expressions(namespace.expressions)
    if namespace.only_successful:
        found["statuses"] = frozenset(("successful",))
    elif namespace.only_failed:
        found["statuses"] = frozenset(("failed",))
    if namespace.descriptor_details is not None:
        found["paths"] = _paths(namespace.descriptor_details)
    is_file = namespace.output is not None
    values: dict[str, Any] = {
        "command": tuple(command),
        "pids": pids,
        "follows": bool(namespace.follows),
        "limit": namespace.limit,
        "paths": namespace.paths,
        "shows_durations": namespace.shows_durations or namespace.duration_precision is not None,
        "duration_digits": _digits("--syscall-times", namespace.duration_precision or "us"),
        "stamp": _stamp(namespace),
        "counts": namespace.counts,
        "sums": namespace.counts or namespace.sums,
        "columns": DEFAULT_COLUMNS if namespace.columns is None else column_names(namespace.columns),
        "order": sort_name(namespace.order),
        "overhead_ns": _duration(namespace.overhead),
        "pid_form": "{:<5} " if is_file else "[pid {:5}] ",
        "is_pinned": namespace.is_pinned,
        "engine": namespace.engine,
        "stacks": namespace.stacks,
        "folder": namespace.output if is_separate else "",
        "appends": namespace.appends,
        "always_pid": is_file and bool(namespace.follows),
        "column": namespace.column,
        "shows_places": namespace.shows_places,
        "shows_numbers": namespace.shows_numbers,
        "quiet": _quiet(namespace),
        "only_paths": tuple(namespace.only_paths),
        "quoting": _quoting(namespace),
        "naming": Naming(namespace.naming),
    }
    return Request(**{**values, **found})


def change_environment(changes: Sequence[str]) -> None:
    """-E: variables that the command finds.

    Raises:
        OptionError: One has no name.
    """
    for change in changes:
        name, equals, value = change.partition("=")
        if not name:
            raise OptionError(f"-E {change}: a variable has a name", "-E LANG=C sets one, -E LANG removes it")
        if equals:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)


def _pids(words: Sequence[str]) -> tuple[int, ...]:
    found = []
    for word in re.split(r"[\s,]+", " ".join(words)):
        if word and not word.isdecimal():
            raise OptionError(f"-p {word}: a process has a number", "see: pgrep -l NAME")
        if word:
            found.append(int(word))
    return tuple(dict.fromkeys(found))


# --- -e ---------------------------------------------------------------------------------------------------------------

_KEYS = {
    "trace": "trace", "t": "trace", "signal": "signal", "signals": "signal", "s": "signal", "status": "status",
    "quiet": "quiet", "silent": "quiet", "silence": "quiet", "q": "quiet", "raw": "raw", "x": "raw", "read": "read",
    "reads": "read", "r": "read", "write": "write", "writes": "write", "w": "write", "decode-fds": "decode-fds",
    "decode-fd": "decode-fds", "inject": "inject", "fault": "fault", "abbrev": "abbrev", "a": "abbrev",
    "verbose": "verbose", "v": "verbose", "kvm": "kvm",
}  # fmt: skip


def _expressions(expressions: Sequence[str]) -> dict[str, Any]:
    """What all -e together say, by members of Request."""
    found: dict[str, Any] = {}
    injections: list[Injection] = []
    for expression in expressions:
        key, equals, value = expression.partition("=")
        if not equals:
            key, value = "trace", expression
        match _KEYS.get(key):
            case "trace":
                found["calls"] = selection.calls(value)
            case "signal":
                found["signals"] = selection.signals(value)
            case "status":
                found["statuses"] = selection.statuses(value)
            case "quiet":
                found["quiet_set"] = selection.quiet(value)
            case "raw":
                chosen = selection.calls(value)
                found["raw"] = frozenset(range(512)) if chosen is None else chosen
            case "read":
                found["dumps_read"] = selection.Numbers.of(value)
            case "write":
                found["dumps_written"] = selection.Numbers.of(value)
            case "decode-fds":
                found["paths"] = _paths(value)
            case "inject" | "fault":
                injections.append(Injection.of(value, key == "fault"))
            case "abbrev" | "verbose" if value == "all":
                pass
            case "abbrev" | "verbose" | "kvm":
                raise OptionError(
                    f"-e {expression}: structures are shown as strace shows them without this, for all calls",
                    "-e raw=CALL shows a call's arguments as numbers",
                )
            case _:
                hint = "there are trace=, signal=, status=, quiet=, raw=, read=, write=, decode-fds=, inject=, fault="
                raise OptionError(f"-e {expression}: there is no '{key}'", hint)
    if injections:
        found["injections"] = tuple(injections)
    if "quiet_set" in found:
        found["quiet"] = found.pop("quiet_set")
    return found


def _paths(value: str) -> int:
    words = {word for word in value.split(",") if word}
    if unknown := words - {"path", "dev", "socket", "pidfd", "all", "none"}:
        hint = "there are path, all (dev, socket, pidfd)"
        raise OptionError(f"decode-fds={value}: there is no '{min(unknown)}'", hint)
    return 0 if words <= {"none"} else 1 if words == {"path"} else 2


# --- how lines look ---------------------------------------------------------------------------------------------------


def _digits(option: str, precision: str) -> int:
    if precision not in _DIGITS:
        raise OptionError(f"{option}={precision}: there is no such precision", "there are s, ms, us and ns")
    return _DIGITS[precision]


def _stamp(namespace: argparse.Namespace) -> str:
    words = ["t" * min(namespace.stamps, 3)] if namespace.stamps else []
    if namespace.stamp_form is not None:
        kind, digits = "time", 0
        for word in namespace.stamp_form.split(","):
            name = word.removeprefix("format:").removeprefix("precision:")
            if name in ("time", "unix", "none"):
                kind = name
            else:
                digits = _digits("--absolute-timestamps", name)
        words = [] if kind == "none" else [f"{kind}.{digits}"]
    if namespace.relative_precision is not None:
        words.append(f"r.{_digits('--relative-timestamps', namespace.relative_precision)}")
    elif namespace.is_relative:
        words.append("r")
    return " ".join(words)


def _duration(text: str) -> int:
    match = re.fullmatch(r"(\d+)(s|ms|us|ns)?", text)
    if match is None:
        raise OptionError(f"-O {text}: that is no time", "a number of microseconds, or with s, ms, us, ns")
    units = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
    return int(match[1]) * units[match[2] or "us"]


def _quiet(namespace: argparse.Namespace) -> frozenset[str]:
    if namespace.quiet_set is not None:
        return selection.quiet(namespace.quiet_set)
    return frozenset(_QUIET[namespace.quiet]) if namespace.quiet < len(_QUIET) else selection.quiet("all")


def _quoting(namespace: argparse.Namespace) -> Quoting:
    if namespace.hexadecimal_form is not None:
        return _QUOTING[namespace.hexadecimal_form]
    return (Quoting.OCTAL, Quoting.ODD_STRINGS, Quoting.ALL)[min(namespace.hexadecimal, 2)]
