"""The syscall provider: entry and return of every system call, at two attach points for all of them.

In: the names from tracefs, the numbers from the package system-calls, the registers from BTF's `struct pt_regs`.
Out: probes that share one attach point each way and are told apart by the system call's number.

    syscall:vmlinux:read:entry     BtfTracepoint("sys_enter"), key: word 1, value: 0; args.fd, args.buf, args.count
    syscall:vmlinux:read:return    BtfTracepoint("sys_exit"), key: regs->orig_ax, value: 0; arg0 = arg1 = result, errno
    syscall::stat:entry            tracefs calls it newstat, and so does probefunc
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from invivo.errors import InvivoError, UnsupportedError
from invivo.linux import tracefs
from invivo.linux.arch import architecture
from invivo.program.attach import AttachPoint, BtfTracepoint, RawTracepoint
from invivo.program.clauses import Context, Probe, ProbeArg, Selector
from invivo.program.plan import Traits
from invivo.program.types import LONG, Int, Pointer, Space, Struct, Type, is_integral
from invivo.providers.base import Description, KernelTypeSource, Lazy, Matcher
from invivo.providers.ctype import parse_c_type
from invivo.providers.events import EventTree
from invivo.providers.expressions import Maker, compare, convert, member, word

__all__ = ["MODULE", "Numbers", "SyscallProvider", "SyscallSide", "provider", "register_arguments", "syscall_side"]

MODULE = "vmlinux"
_GROUP = "syscalls"
_ENTRY, _EXIT = "sys_enter_", "sys_exit_"


class SyscallSide:
    """One of the two attach points: every entry, or every return.

    `number` is the system call's number, `is_native` is 0 for 32-bit tasks, `result` (returns only) the result, and
    `arguments` the six argument registers (which at a return may have changed). Contexts of one side are one family.
    """

    __slots__ = ("arguments", "attach", "is_native", "number", "result")

    def __init__(self, types: KernelTypeSource, traits: Traits, tracepoint: str) -> None:
        arch = architecture()
        struct = types.struct("struct", "pt_regs")
        if not isinstance(struct, Struct):
            raise UnsupportedError(
                "the kernel's BTF has no 'struct pt_regs', so arguments of system calls cannot be read",
                "is /sys/kernel/btf/vmlinux there? A kernel with CONFIG_DEBUG_INFO_BTF has it",
            )
        btf_id = types.btf_id(f"btf_trace_{tracepoint}") if traits.has_btf_tracepoints else None
        self.attach: AttachPoint = RawTracepoint(tracepoint) if not btf_id else BtfTracepoint(tracepoint, btf_id)
        space = Space.TRUSTED if btf_id else Space.KERNEL
        registers = word(0, Pointer(struct, space))
        second = word(1, LONG)
        if tracepoint == "sys_enter":
            self.number = second
        else:
            self.number = convert(member(registers, struct, arch.syscall_number, space)[0], LONG)
        self.result: Maker = second
        compat, compat_type = member(registers, struct, arch.compat_register, space)
        self.is_native = compare("!=", compat, compat_type, arch.compat_value)
        self.arguments = tuple(member(registers, struct, name, space)[0] for name in arch.syscall_arguments)


def syscall_side(types: KernelTypeSource, traits: Traits, tracepoint: str) -> SyscallSide:
    """The side at `sys_enter` or `sys_exit`, for providers whose probes are system calls of some kind.

    Raises:
        UnsupportedError: No BTF, or an architecture without a table.
    """
    return SyscallSide(types, traits, tracepoint)


def register_arguments(
    side: SyscallSide, fields: Iterable[tracefs.FormatField], types: KernelTypeSource
) -> Sequence[ProbeArg]:
    """args[] of an entry from its format file. Fields there stand in 8-byte slots; C's type says how much of one
    counts. Without the call's number, and without the strings that newer kernels read."""
    own = [field for field in fields if field.name != "__syscall_nr" and not field.is_data_loc]
    args = []
    for field, register in zip(own, side.arguments, strict=False):
        type_: Type | None = parse_c_type(field.c_type, types, Space.USER)
        if type_ is None or not (is_integral(type_) or isinstance(type_, Pointer)):
            type_ = Int(field.c_type, 8, field.is_signed)
        args.append(ProbeArg(field.name, type_, convert(register, type_)))
    return args


class Numbers:
    """Numbers of system calls by tracefs name, read from the package system-calls when first needed.

    tracefs takes a name from the kernel's function (sys_newstat), the table has the one of the C library's header
    (stat). The kernel's decorations are few, and a name that has no number of its own is tried without them.
    """

    __slots__ = ("_table", "machine")

    def __init__(self, machine: str, table: dict[str, int] | None = None) -> None:
        self.machine = machine
        self._table = table

    @property
    def table(self) -> dict[str, int]:
        if self._table is None:
            try:
                from system_calls import syscalls
            except ImportError as error:
                raise UnsupportedError(
                    f"the numbers of system calls come from the Python package system-calls: {error}",
                    "pip install system-calls",
                ) from None
            self._table = syscalls().load_arch_table(self.machine)
        return self._table

    def header_name(self, tracefs_name: str) -> str | None:
        """What the header calls the system call that tracefs calls `tracefs_name`: newstat -> stat; None if unknown."""
        table = self.table
        for name in (
            tracefs_name,
            tracefs_name.removeprefix("new"),  # newstat, newuname
            tracefs_name.removesuffix("64"),  # sendfile64
            tracefs_name + "2",  # umount: umount2 in the header
        ):
            if name in table:
                return name
        return None

    def number(self, tracefs_name: str) -> int | None:
        name = self.header_name(tracefs_name)
        return None if name is None else self.table[name]

    def tracefs_names(self, header_name: str) -> Iterator[str]:
        """What tracefs may call the system call that the header calls `header_name`."""
        for name in (f"new{header_name}", f"{header_name}64", header_name.removesuffix("2")):
            if name != header_name and self.header_name(name) == header_name:
                yield name


class SyscallProvider:
    """syscall::NAME:entry and syscall::NAME:return."""

    name = "syscall"

    def __init__(
        self, types: KernelTypeSource, traits: Traits, events: EventTree | BtfCalls, numbers: Numbers | None = None
    ) -> None:
        self._types = types
        self._traits = traits
        self._events = events
        self._numbers = Numbers(architecture().name) if numbers is None else numbers
        self._sides: dict[str, SyscallSide] = {}
        self._return_context: Context | None = None
        self._probes: dict[tuple[str, str], Probe] = {}

    def match(self, matcher: Matcher) -> Sequence[Probe]:
        if not matcher.module(MODULE):
            return []
        kinds = [kind for kind in ("entry", "return") if matcher.name(kind)]
        if not kinds:
            return []
        found: list[Probe] = []
        for function in self._functions(matcher):
            for kind in kinds:
                if (probe := self._probe(function, kind)) is not None:
                    found.append(probe)
        return found

    def _functions(self, matcher: Matcher) -> Iterable[str]:
        wanted = matcher.function.literal
        if wanted is None:
            return [name for name in self._names() if matcher.function(name)]
        if self._events.exists(_GROUP, _ENTRY + wanted):
            return [wanted]
        return [n for n in self._numbers.tracefs_names(wanted) if self._events.exists(_GROUP, _ENTRY + n)]

    def _names(self) -> Iterable[str]:
        prefix = len(_ENTRY)
        return [name[prefix:] for name in self._events.names(_GROUP) if name.startswith(_ENTRY)]

    def _probe(self, function: str, kind: str) -> Probe | None:
        key = function, kind
        probe = self._probes.get(key)
        if probe is None:
            number = self._numbers.number(function)
            is_entry = kind == "entry"
            if number is None or not (is_entry or self._events.exists(_GROUP, _EXIT + function)):
                return None
            side = self._side("sys_enter" if is_entry else "sys_exit")
            context = self._entry(side, function) if is_entry else self._return(side)
            selector = Selector(side.number, number, side.is_native)
            probe = Probe("syscall", MODULE, function, kind, side.attach, context, selector)
            self._probes[key] = probe
        return probe

    def _side(self, tracepoint: str) -> SyscallSide:
        side = self._sides.get(tracepoint)
        if side is None:
            side = self._sides[tracepoint] = SyscallSide(self._types, self._traits, tracepoint)
        return side

    def _entry(self, side: SyscallSide, function: str) -> Context:
        args = Lazy(partial(self._arguments, side, function))
        return Context(f"syscall::{function}:entry", side.arguments, args, family=side)

    def _return(self, side: SyscallSide) -> Context:
        if self._return_context is None:
            result = side.result
            args = (ProbeArg("ret", LONG, result),)
            self._return_context = Context("syscall:::return", (result, result), args, has_errno=True, family=side)
        return self._return_context

    def _arguments(self, side: SyscallSide, function: str) -> Sequence[ProbeArg]:
        return register_arguments(side, self._events.fields(_GROUP, _ENTRY + function), self._types)

    def explain(self, matcher: Matcher) -> str:
        name, function = matcher.name.literal, matcher.function.literal
        if name is not None and name not in ("entry", "return"):
            return ""
        if function is None:
            return ""
        if self._events.exists(_GROUP, _ENTRY + function):
            if not matcher.module(MODULE):
                return f"the module of all system calls is {MODULE}"
            if self._numbers.number(function) is None:
                return (
                    f"the number of system call '{function}' is not known to the Python package system-calls; "
                    "a newer version may know it: pip install -U system-calls"
                )
            return f"this kernel does not trace the return of '{function}'"
        if function in self._numbers.table:
            return f"'{function}' is a system call that this kernel was built without, or does not trace"
        return ""

    def descriptions(self) -> Iterable[Description]:
        for function in self._names():
            yield MODULE, function, "entry"
            yield MODULE, function, "return"
            if (alias := self._numbers.header_name(function)) is not None and alias != function:
                yield MODULE, alias, "entry"
                yield MODULE, alias, "return"


class BtfCalls:
    """The part of an EventTree that system calls need, where tracefs may not be read: names from the kernel's BTF,
    which everyone may read, and parameters from a table."""

    # Those without parameters are functions of another name. BTF has more: of other tables, and stubs.
    _PREFIXES = ("__x64_sys_", "__do_sys_")

    def __init__(self, types: KernelTypeSource) -> None:
        self._types = types
        self._names: list[str] | None = None

    @property
    def _calls(self) -> list[str]:
        if self._names is None:
            from invivo.providers.syscall_prototypes import parameters

            found = {
                name.removeprefix(prefix) for prefix in self._PREFIXES for name in self._types.function_names(prefix)
            }
            self._names = sorted(name for name in found if parameters(name) is not None)
        return self._names

    def names(self, group: str) -> Sequence[str]:
        """The entries of all system calls, as events."""
        return [_ENTRY + name for name in self._calls]

    def exists(self, group: str, name: str) -> bool:
        """Whether there is such an event, or would be."""
        return name.removeprefix(_EXIT if name.startswith(_EXIT) else _ENTRY) in self._calls

    def fields(self, group: str, name: str) -> Sequence[tracefs.FormatField]:
        """The parameters of an entry; none if they are not known."""
        from invivo.providers.syscall_prototypes import parameters

        found = parameters(name.removeprefix(_ENTRY)) or []
        return [tracefs.FormatField(name, c_type, 8 * i, 8, False) for i, (c_type, name) in enumerate(found)]


def provider(types: KernelTypeSource, traits: Traits) -> SyscallProvider:
    try:
        is_readable = os.access(f"{tracefs.root()}/events/{_GROUP}", os.R_OK | os.X_OK)
    except InvivoError:
        is_readable = False
    return SyscallProvider(types, traits, EventTree() if is_readable else BtfCalls(types))
