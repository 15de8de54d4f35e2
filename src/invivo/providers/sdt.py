"""The sdt provider: every tracepoint of the kernel, with the fields of its trace event as arguments.

In: tracefs. Out: `sdt:GROUP::NAME` at perf tracepoints; argN and args[N] are the event's N-th own field. The events of
system calls are at the two places of the syscall provider, for perf takes two grace periods to let go of each of 700.

    sdt:sched::sched_wakeup { printf("%s %d", args.comm, args.pid); }
    sdt:block::block_rq_issue { @[args.rwbs] = sum(args.bytes); }
    sdt:syscalls::sys_enter_read { @[args.count] = count(); }
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from invivo.errors import UnsupportedError
from invivo.linux.arch import architecture
from invivo.program.attach import Tracepoint
from invivo.program.clauses import Context, Probe, ProbeArg, Selector
from invivo.program.nodes import Binary, ContextAddress, ContextBytes, Convert, Expr, IntLit, Memory
from invivo.program.plan import Traits
from invivo.program.types import INT, INT64, LONG, UCHAR, UINT, ULONG, Array, Enum, Int, Pointer, Space, Type, size_of
from invivo.providers.base import Description, KernelTypeSource, Lazy, Matcher
from invivo.providers.ctype import parse_c_type
from invivo.providers.events import EventTree
from invivo.providers.expressions import Maker, address, context_field, convert, load
from invivo.providers.syscall import Numbers, SyscallSide, register_arguments
from invivo.source import Span

if TYPE_CHECKING:
    from invivo.linux.tracefs import FormatField

__all__ = ["SdtProvider", "field_argument", "provider"]


class SdtProvider:
    """sdt:GROUP::NAME for each event of tracefs (but ftrace's own, which have no tracepoint)."""

    name = "sdt"

    def __init__(self, types: KernelTypeSource, events: EventTree, calls: SystemCalls | None = None) -> None:
        self._types = types
        self._events = events
        self._calls = calls
        self._probes: dict[tuple[str, str], Probe] = {}

    @cached_property
    def _raw_names(self) -> set[str]:
        """The kernel's tracepoints, by the typedefs of their probes."""
        prefix = "btf_trace_"
        return {name.removeprefix(prefix) for name in self._types.typedef_names(prefix)}

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        if not matcher.function(""):
            return []
        return [self._probe(group, name) for group, name in matching_events(self._events, matcher, self._events.groups)]

    def _probe(self, group: str, name: str) -> Probe:
        probe = self._probes.get((group, name))
        if probe is None and group == "syscalls" and self._calls is not None:
            probe = self._calls.probe(name)
            if probe is not None:
                self._probes[group, name] = probe
        if probe is None:
            args = Lazy(partial(self._arguments, group, name))
            words = Lazy(lambda: [_word(arg) for arg in args])
            context = Context(f"sdt:{group}::{name}", words, args)
            raw = name if group != "syscalls" and name in self._raw_names else ""
            probe = self._probes[group, name] = Probe("sdt", group, "", name, Tracepoint(group, name, raw), context)
        return probe

    def _arguments(self, group: str, name: str) -> Sequence[ProbeArg]:
        space = Space.USER if group == "syscalls" else Space.KERNEL
        return [field_argument(field, self._types, space) for field in self._events.fields(group, name)]

    def explain(self, matcher: Matcher) -> str:
        return explain_event(self._events, matcher)

    def descriptions(self) -> Iterable[Description]:
        return [(group, "", name) for group in self._events.groups() for name in self._events.names(group)]


class SystemCalls:
    """The events of group `syscalls`: sys_enter_NAME and sys_exit_NAME, whose first field is the call's number."""

    def __init__(self, types: KernelTypeSource, traits: Traits, events: EventTree) -> None:
        self._types = types
        self._traits = traits
        self._events = events
        self._numbers = Numbers(architecture().name)
        self._sides: dict[str, tuple[SyscallSide, object]] = {}

    def probe(self, name: str) -> Probe | None:
        """The probe of an event; None where its number is not known, or the kernel tells too little of itself."""
        tracepoint, _, function = name.partition("_")[2].partition("_")
        number = self._numbers.number(function)
        if number is None or f"sys_{tracepoint}" not in ("sys_enter", "sys_exit"):
            return None
        try:
            side, family = self._side(f"sys_{tracepoint}")
        except UnsupportedError:
            return None
        is_entry = tracepoint == "enter"
        words = (convert(side.number, INT64), *(side.arguments if is_entry else (side.result,)))
        args = Lazy(partial(self._arguments, side, name, is_entry))
        context = Context(f"sdt:syscalls::{name}", words, args, family=family)
        return Probe("sdt", "syscalls", "", name, side.attach, context, Selector(side.number, number, side.is_native))

    def _side(self, tracepoint: str) -> tuple[SyscallSide, object]:
        """With what stands for the family of its contexts: their words are not those of the syscall provider."""
        if tracepoint not in self._sides:
            self._sides[tracepoint] = SyscallSide(self._types, self._traits, tracepoint), object()
        return self._sides[tracepoint]

    def _arguments(self, side: SyscallSide, name: str, is_entry: bool) -> Sequence[ProbeArg]:
        number = ProbeArg("__syscall_nr", INT, convert(side.number, INT))
        if not is_entry:
            return number, ProbeArg("ret", LONG, side.result)
        return number, *register_arguments(side, self._events.fields("syscalls", name), self._types)


def matching_events(
    tree: EventTree, matcher: Matcher, groups: Callable[[], Sequence[str]]
) -> Iterable[tuple[str, str]]:
    """(group, name) of all events that match, without listing more than the description asks for."""
    wanted_group, wanted_name = matcher.module.literal, matcher.name.literal
    chosen = [wanted_group] if wanted_group is not None else [g for g in groups() if matcher.module(g)]
    for group in chosen:
        if wanted_name is not None:
            if tree.exists(group, wanted_name):
                yield group, wanted_name
        else:
            for name in tree.names(group):
                if matcher.name(name):
                    yield group, name


def explain_event(tree: EventTree, matcher: Matcher) -> str:
    """Why an event's description matches nothing, where more than "no such event" can be said."""
    function, group = matcher.function.literal, matcher.module.literal
    provider = matcher.pattern.provider
    if function is not None and matcher.provider.literal is not None:  # else some other provider may be meant
        name = matcher.name.literal or "NAME"
        if group is None and function in tree.groups():
            return f"an event's group is the module and its function is empty: {provider}:{function}::{name}"
        if group is None and matcher.name.text in ("", "*"):
            return f"an event's name is the last field: {provider}:::{function}"
        return f"the function of '{provider}' probes is empty: {provider}:{matcher.pattern.module}::{name}"
    if group == "ftrace":
        return "the events of group 'ftrace' are ftrace's own records and have no tracepoint"
    return ""


# --- fields -> arguments --------------------------------------------------------------------------------------------


def field_argument(field: FormatField, types: KernelTypeSource, space: Space) -> ProbeArg:
    """The argument that shows a field: scalars by value, arrays and structures as the memory they lie in, the
    variable-sized ones (__data_loc) as a pointer to their first element."""
    if field.is_data_loc or field.is_rel_loc:
        return _located(field, types)
    declared = parse_c_type(field.c_type, types, space)
    if field.count:
        element = declared if declared is not None and size_of(declared) else None
        if element is None or (size_of(element) or 0) * field.count != field.size:
            element, count = UCHAR, field.size
        else:
            count = field.count
        return ProbeArg(field.name, Array(element, count), _memory(field.offset, Array(element, count)))
    if isinstance(declared, Int | Enum | Pointer) and space is Space.USER and field.size == 8:
        # System calls' arguments: slots of 8 bytes, of which the declared type counts.
        return ProbeArg(field.name, declared, convert(_scalar(field.offset, ULONG), declared))
    if isinstance(declared, Int | Enum | Pointer) and size_of(declared) == field.size:
        return ProbeArg(field.name, declared, _scalar(field.offset, declared))
    if field.size in (1, 2, 4, 8):
        # Of a type that BTF does not know, or stored in fewer bytes than the type has.
        number = Int(field.c_type, field.size, field.is_signed)
        return ProbeArg(field.name, number, _scalar(field.offset, number))
    type_: Type = declared if declared is not None and size_of(declared) == field.size else Array(UCHAR, field.size)
    return ProbeArg(field.name, type_, _memory(field.offset, type_))


def _scalar(offset: int, type_: Type) -> Maker:
    """The verifier takes only aligned reads of the context; others go through its address."""
    if offset % (size_of(type_) or 1):
        return load(address(offset, Pointer(type_, Space.KERNEL)), 0, type_, Space.KERNEL)
    return context_field(offset, type_)


def _memory(offset: int, type_: Type) -> Maker:
    pointer = Pointer(type_.element if isinstance(type_, Array) else type_, Space.KERNEL)

    def make(span: Span) -> Expr:
        return Memory(ContextAddress(offset, pointer, span), Space.KERNEL, type_, span)

    return make


def _located(field: FormatField, types: KernelTypeSource) -> ProbeArg:
    """A u32 of which the low half is where the data begins: from the record's start (__data_loc), or from the u32's
    own end (__rel_loc). Source: Documentation/trace/ftrace.rst, include/trace/stages/stage1_struct_define.h."""
    element = parse_c_type(field.c_type, types, Space.KERNEL) or UCHAR
    pointer = Pointer(element, Space.KERNEL)
    start = field.offset + 4 if field.is_rel_loc else 0

    def make(span: Span) -> Expr:
        descriptor = ContextBytes(field.offset, UINT, span)
        distance = Binary("&", descriptor, IntLit(0xFFFF, UINT, span), UINT, span)
        base = Convert(ContextAddress(start, pointer, span), ULONG, span)
        return Convert(Binary("+", base, Convert(distance, ULONG, span), ULONG, span), pointer, span)

    return ProbeArg(field.name, pointer, make)


def _word(arg: ProbeArg) -> Maker:
    """argN of an argument: its number, or where its memory lies."""

    def make(span: Span) -> Expr:
        value = arg.value(span)
        return Convert(value.address if isinstance(value, Memory) else value, INT64, span)

    return make


def provider(types: KernelTypeSource, traits: Traits) -> SdtProvider:
    events = EventTree()
    return SdtProvider(types, events, SystemCalls(types, traits, events))
