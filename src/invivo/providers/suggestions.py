"""What to say when a probe description matches nothing: the reason where one is known, else the nearest names.

    syscall::raed:entry    did you mean syscall::read:entry?
    fbt::vfs_read:entry    this kernel has no kprobes (CONFIG_KPROBES is off), so there is no provider 'fbt' here; ...
    sdt:block::sched_switch   did you mean sdt:sched::sched_switch?
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from invivo.errors import InvivoError
from invivo.program.sources import ProbePattern
from invivo.providers.base import Description, Glob, Matcher
from invivo.value import replaced

if TYPE_CHECKING:
    from invivo.providers.catalog import Catalog

__all__ = ["NO_USDT", "suggest"]

_KERNEL_FUNCTIONS = frozenset({"fbt", "rawfbt", "kprobe", "kretprobe", "kfunc", "fentry", "fexit"})
_USER_FUNCTIONS = frozenset({"uretprobe", "stapsdt"})
# DTrace's providers that are not here, each with where the same is to be had.
_OTHERS = {
    "tcp": "invivo list 'sdt:tcp::'; connections are sdt:sock::inet_sock_set_state",
    "udp": "invivo list 'sdt:udp::'",
    "ip": "invivo list 'sdt:net::'",
    "nfs": "invivo list 'sdt:nfs*::'",
    "lockstat": "invivo list 'sdt:lock::'",
    "plockstat": "invivo flame lock, or syscall::futex:entry",
    "cpc": "profile-997, or invivo flame cpu",
    "vminfo": "invivo list 'sdt:exceptions::' and 'sdt:vmscan::'",
    "sysinfo": "invivo list 'syscall:::' and 'sched:::'",
    "mib": "invivo list 'sdt:tcp::'",
    "fpuinfo": "invivo list 'sdt:x86_fpu::'",
}
# Other tracers' words for what D calls otherwise.
_FOREIGN = {
    "tracepoint": "sdt", "kernel": "sdt", "rawtracepoint": "rawtp", "raw_tracepoint": "rawtp", "interval": "tick",
    "tick": "tick", "timer": "tick", "begin": "dtrace", "end": "dtrace", "sys": "syscall", "syscalls": "syscall",
}  # fmt: skip
# Names that mean something else than a provider among a process's USDT probes, whatever number follows.
NO_USDT = _KERNEL_FUNCTIONS | _USER_FUNCTIONS | _OTHERS.keys() | _FOREIGN.keys()
# bpftrace's short names of probe types.
_SHORT = {
    "t": "tracepoint", "rt": "rawtracepoint", "k": "kprobe", "kr": "kretprobe", "u": "uprobe", "ur": "uretprobe",
    "U": "usdt", "p": "profile", "i": "interval", "s": "software", "h": "hardware", "f": "fentry", "fr": "fexit",
}  # fmt: skip
_FIELDS = ("module", "function", "name")
_KPROBE_PMU = "/sys/bus/event_source/devices/kprobe"


def suggest(catalog: Catalog, pattern: ProbePattern) -> str:
    """A sentence or two for the person who wrote `pattern`, or ""."""
    from invivo.providers.catalog import PROVIDERS

    matcher = Matcher(pattern)
    if not pattern.provider and (hint := _of_bpftrace(pattern, PROVIDERS)):
        return hint
    name = matcher.provider.literal
    if name is not None and not catalog.has(name):
        return _no_provider(name, PROVIDERS)
    providers = [name] if name is not None else [provider for provider in PROVIDERS if matcher.provider(provider)]
    if not providers:
        return f"no provider matches '{pattern.provider}'; {_there_are(PROVIDERS)}"
    guesses: list[str] = []
    for provider in providers:
        try:
            reason = catalog.provider(provider).explain(matcher)
            if reason:
                return reason
            descriptions = list(catalog.provider(provider).descriptions())
            if functions := _as_function(pattern, descriptions):
                return f"'{pattern.name}' is a function: did you mean {' or '.join(functions[:3])}?"
            nearest = _nearest(pattern, descriptions)
        except InvivoError as error:
            if len(providers) == 1:
                return str(error)
            continue
        guesses += [guess for guess in nearest if guess not in guesses]
    return f"did you mean {' or '.join(guesses[:3])}?" if guesses else ""


def _no_provider(name: str, providers: Sequence[str]) -> str:
    import difflib

    there_are = _there_are(providers)
    if name in ("pid", "pid$target"):
        return "pid needs a process: pid4711:MODULE:FUNCTION:entry, or pid$target with -p PID or -c COMMAND"
    base = name.rstrip("0123456789*$")
    if base in _KERNEL_FUNCTIONS and not os.path.isdir(_KPROBE_PMU):
        return (
            f"this kernel has no kprobes (CONFIG_KPROBES is off), so there is no provider '{name}' here; "
            "try the kernel's tracepoints: invivo list 'sdt:::'"
        )
    if base in _OTHERS:
        return f"invivo has no provider '{base}'; see: {_OTHERS[base]}"
    if base in _KERNEL_FUNCTIONS or base in _USER_FUNCTIONS:
        return f"invivo has no provider '{base}' yet; {there_are}"
    if (ours := _FOREIGN.get(name.lower())) is not None:
        return f"no provider '{name}'; in D it is {'tick-N (profile:::tick-1s)' if ours == 'tick' else ours}"
    close = difflib.get_close_matches(name, providers, 1)
    return f"no provider '{name}'; " + (f"did you mean {close[0]}?" if close else there_are)


def _there_are(providers: Sequence[str]) -> str:
    return f"providers are {', '.join(providers)}, and of programs pid, uprobe, usdt"


def _of_bpftrace(pattern: ProbePattern, providers: Sequence[str]) -> str:
    """What D has for a probe in bpftrace's form, KIND:WHERE:WHAT, whose fields D counts from the right."""
    kind, *rest = [field for field in (pattern.module, pattern.function, pattern.name) if field]
    kind = _SHORT.get(kind, kind)
    match kind, rest:
        case "tracepoint", ["syscalls", what] if what.startswith(("sys_enter_", "sys_exit_")):
            _, edge, call = what.split("_", 2)
            return _in_d(f"syscall::{call}:{'entry' if edge == 'enter' else 'return'}")
        case "tracepoint", [group, what]:
            return _in_d(f"sdt:{group}::{what}")
        case "rawtracepoint", [*_, what]:
            return _in_d(f"rawtp:::{what}")
        case "uprobe" | "uretprobe", [file, function]:
            return _in_d(f"uprobe:{file}:{function}:{'entry' if kind == 'uprobe' else 'return'}")
        case "usdt", [file, *middle, what]:
            return _in_d(f"usdt:{file}:{''.join(middle)}:{what}")
        case "profile" | "interval", [unit, number]:
            return _in_d(f"{'profile' if kind == 'profile' else 'tick'}-{number}{'' if unit == 'hz' else unit}")
        case "software", [*_]:
            return "D has no provider 'software'; the kernel's events are tracepoints: invivo list 'sdt:::'"
        case "hardware", [*_]:
            return "D has no provider 'hardware'; to sample: profile-997, or invivo flame cpu"
    return _no_provider(kind, providers) if rest and kind in _KERNEL_FUNCTIONS else ""


def _in_d(description: str) -> str:
    return f"in D it is {description}"


def _as_function(pattern: ProbePattern, descriptions: Sequence[Description]) -> list[str]:
    """A lone name that is a function's: what is probed of it."""
    if pattern.module or pattern.function:
        return []
    names = dict.fromkeys(name for _, function, name in descriptions if function == pattern.name)
    start = f"{pattern.provider}::" if pattern.provider else ""
    return [f"{start}{pattern.name}:{name}" for name in names]


def _nearest(pattern: ProbePattern, descriptions: Sequence[Description]) -> list[str]:
    """The pattern with one field (or, failing that, two) replaced by something that exists."""
    found = _one_field(pattern, descriptions)
    if not found:
        for field in _FIELDS:
            repaired = _closest(getattr(pattern, field), {d[_FIELDS.index(field)] for d in descriptions})
            if repaired and (found := _one_field(replaced(pattern, **{field: repaired[0]}), descriptions)):
                break
    return found


def _one_field(pattern: ProbePattern, descriptions: Sequence[Description]) -> list[str]:
    globs = [Glob(getattr(pattern, field)) for field in _FIELDS]
    for index, field in enumerate(_FIELDS):
        if (wanted := globs[index].literal) is None:
            continue
        others = [i for i in range(3) if i != index]
        values = {d[index] for d in descriptions if all(globs[i](d[i]) for i in others)}
        # Where another field is right and leaves one or two choices, no likeness is needed to name them.
        is_rest_right = field != "function" and any(globs[i].literal is not None for i in others)
        chosen = _closest(wanted, values) or (sorted(values) if is_rest_right and len(values) <= 2 else [])
        if chosen:
            return [str(replaced(pattern, **{field: value})).lstrip(":") for value in chosen]
    return []


def _closest(wanted: str, values: set[str]) -> list[str]:
    import difflib

    if wanted in values or not wanted:
        return []
    by_lower = {value.lower(): value for value in values}
    return [by_lower[close] for close in difflib.get_close_matches(wanted.lower(), by_lower, 1, 0.6)]
