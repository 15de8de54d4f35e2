"""The rawtp provider: the kernel's tracepoints with the arguments that the kernel's own code passes.

In: names from tracefs, prototypes from BTF (`btf_trace_NAME`). Out: `rawtp:GROUP::NAME` at raw tracepoints.

    rawtp:sched::sched_switch { trace(args[2]->comm); }      args.preempt, args.prev, args.next, args.prev_state
    rawtp:vmlinux::sched_exit_tp                             tracepoints without a trace event have module vmlinux
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from invivo.program.attach import RawTracepoint
from invivo.program.clauses import Context, Probe, ProbeArg
from invivo.program.plan import Traits
from invivo.program.types import INT64, Enum, Int, Pointer, type_name
from invivo.providers.base import Description, KernelTypeSource, Lazy, Matcher
from invivo.providers.events import EventTree, tracepoint_groups
from invivo.providers.expressions import convert, word
from invivo.providers.sdt import explain_event, matching_events

__all__ = ["RawtpProvider", "provider"]

_PREFIX = "btf_trace_"
_NO_GROUP = "vmlinux"


class RawtpProvider:
    """rawtp:GROUP::NAME for each tracepoint that BTF has a prototype of."""

    name = "rawtp"

    def __init__(self, types: KernelTypeSource, events: EventTree) -> None:
        self._types = types
        self._events = events
        self._probes: dict[tuple[str, str], Probe] = {}
        self._typed: frozenset[str] | None = None
        self._without_event: list[str] | None = None

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        if not matcher.function(""):
            return []
        wanted = matcher.name.literal
        found = [
            self._probe(group, name)
            for group, name in matching_events(self._events, matcher, self._groups)
            if group != "syscalls" and (self._is_typed(name) if wanted is not None else name in self._names())
        ]
        if matcher.module(_NO_GROUP):
            if wanted is None:
                found += [self._probe(_NO_GROUP, name) for name in self._bare() if matcher.name(name)]
            elif wanted.isidentifier() and self._is_bare(wanted):
                found.append(self._probe(_NO_GROUP, wanted))
        return found

    def _groups(self) -> Sequence[str]:
        return tracepoint_groups(self._events)

    def _is_typed(self, name: str) -> bool:
        return bool(self._types.btf_id(_PREFIX + name))

    def _names(self) -> frozenset[str]:
        """Names of all tracepoints that BTF knows."""
        if self._typed is None:
            self._typed = frozenset(name.removeprefix(_PREFIX) for name in self._types.typedef_names(_PREFIX))
        return self._typed

    def _bare(self) -> list[str]:
        """Tracepoints that have no trace event: the scheduler's *_tp and their like."""
        if self._without_event is None:
            with_event = {name for group in self._groups() for name in self._events.names(group)}
            self._without_event = sorted(self._names() - with_event)
        return self._without_event

    def _is_bare(self, name: str) -> bool:
        return self._is_typed(name) and not any(self._events.exists(group, name) for group in self._groups())

    def _probe(self, group: str, name: str) -> Probe:
        probe = self._probes.get((group, name))
        if probe is None:
            args = Lazy(partial(self._arguments, name))
            words = Lazy(lambda: [convert(arg.value, INT64) for arg in args])
            context = Context(f"rawtp:{group}::{name}", words, args)
            probe = self._probes[group, name] = Probe("rawtp", group, "", name, RawTracepoint(name), context)
        return probe

    def _arguments(self, name: str) -> Sequence[ProbeArg]:
        args = []
        for index, (parameter, type_) in enumerate(self._types.prototype(_PREFIX + name) or ()):
            if not isinstance(type_, Int | Enum | Pointer):
                # A small structure by value arrives in the word as it lies in memory.
                type_ = Int(type_name(type_), 8, False)
            args.append(ProbeArg(parameter or f"arg{index}", type_, word(index, type_)))
        return args

    def explain(self, matcher: Matcher) -> str:
        group, name = matcher.module.literal, matcher.name.literal
        if name is not None and matcher.function(""):
            groups = self._events.groups() if group is None else [group]
            is_event = any(self._events.exists(g, name) for g in groups)
            if is_event and (group == "syscalls" or name.startswith(("sys_enter_", "sys_exit_"))):
                direction = "entry" if name.startswith("sys_enter_") else "return"
                function = name.removeprefix("sys_enter_").removeprefix("sys_exit_")
                return f"single system calls have no raw tracepoint: use syscall::{function}:{direction}"
            if is_event and not self._is_typed(name):
                return f"BTF has no prototype of tracepoint '{name}'; its trace event is sdt:{group or ''}::{name}"
        return explain_event(self._events, matcher)

    def descriptions(self) -> Iterable[Description]:
        known = self._names()
        yield from ((g, "", name) for g in self._groups() for name in self._events.names(g) if name in known)
        yield from ((_NO_GROUP, "", name) for name in self._bare())


def provider(types: KernelTypeSource, traits: Traits) -> RawtpProvider:
    return RawtpProvider(types, EventTree())
