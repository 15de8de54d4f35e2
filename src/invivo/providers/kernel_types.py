"""The kernel's C types, as the typed program has them.

In: names, of structures, typedefs, constants. Out: `program.types` values made from the kernel's BTF, members only when
looked at. BTF is opened on the first question; the index over it is kept in the user's cache directory.

    types = KernelTypes()
    types.typedef("pid_t")                          -> Int("pid_t", 4, True)
    types.struct("struct", "task_struct").find("pid")  -> Member("pid", Int("pid_t", 4, True), 20608)
    types.prototype("btf_trace_sched_switch")       -> [("preempt", BOOL), ("prev", Pointer(...)), ...]
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from invivo.bpf.btf import Btf, BtfMember, BtfType, Kind
from invivo.program.types import (
    BOOL,
    CHAR,
    INT,
    LONG,
    SHORT,
    UCHAR,
    UINT,
    ULONG,
    USHORT,
    VOID,
    Array,
    Enum,
    Float,
    Func,
    Int,
    Member,
    Pointer,
    Space,
    Struct,
    Type,
)

if TYPE_CHECKING:
    from invivo.linux.kallsyms import Kallsyms

__all__ = ["KernelTypes"]

# GCC's names of the basic types, in DWARF and so in BTF, as C programmers write them. `char` is D's, which is signed;
# the kernel is compiled with -funsigned-char since Linux 6.2 (3bc753c06dd0), and BTF says so.
_BASIC: dict[str, Int] = {
    "_Bool": BOOL, "char": CHAR, "unsigned char": UCHAR, "signed char": Int("signed char", 1, True),
    "short int": SHORT, "short": SHORT, "short unsigned int": USHORT, "unsigned short": USHORT,
    "int": INT, "unsigned int": UINT,
    "long int": LONG, "long": LONG, "long unsigned int": ULONG, "unsigned long": ULONG,
    "long long int": Int("long long", 8, True), "long long": Int("long long", 8, True),
    "long long unsigned int": Int("unsigned long long", 8, False),
    "unsigned long long": Int("unsigned long long", 8, False),
}  # fmt: skip

_MODIFIERS = (Kind.CONST, Kind.VOLATILE, Kind.RESTRICT, Kind.TYPE_TAG)
_BEFORE_BASE = (*_MODIFIERS, Kind.TYPEDEF)


class KernelTypes:
    """`program.sources.TypeSource` over the running kernel's BTF, or over the one given.

    Raises:
        UnsupportedError: From every method, where the kernel has no BTF or it cannot be understood.
    """

    space = Space.KERNEL  # where pointers lead to

    def __init__(self, btf: Btf | None = None) -> None:
        self._btf = btf
        self._made: dict[int, Type] = {}
        self._named: dict[tuple[str, tuple[int, ...]], int | None] = {}
        self._symbols: Kallsyms | None = None

    @property
    def btf(self) -> Btf:
        """The BTF, opened now if it was not."""
        if self._btf is None:
            self._btf = _open_indexed()
        return self._btf

    # --- by name ------------------------------------------------------------------------------------------------

    def struct(self, keyword: str, name: str) -> Struct | None:
        """`struct NAME` or `union NAME` (keyword says which), or None; incomplete where only a declaration is known."""
        kind = Kind.UNION if keyword == "union" else Kind.STRUCT
        found = self._id(name, kind)
        if found is None:
            forward = [i for i in self.btf.ids(name, Kind.FWD) if self.btf.type(i).flag == (keyword == "union")]
            if not forward:
                return None
            found = forward[0]
        made = self.type(found)
        assert isinstance(made, Struct)
        return made

    def enum(self, name: str) -> Enum | None:
        """`enum NAME`, or None."""
        found = self._id(name, Kind.ENUM, Kind.ENUM64)
        made = None if found is None else self.type(found)
        return made if isinstance(made, Enum) else None

    def typedef(self, name: str) -> Type | None:
        """What the typedef NAME stands for, under that name where the type has one, or None."""
        found = self._id(name, Kind.TYPEDEF)
        return None if found is None else self.type(found)

    def enumerator(self, name: str) -> tuple[int, Type] | None:
        """The value and type of an enumeration constant, or None."""
        found = self.btf.enumerator(name)
        return None if found is None else (found[0], self.type(found[1]))

    def symbol(self, module: str, name: str) -> tuple[int, Type] | None:
        """Address and type of a kernel variable (``vmlinux`jiffies``), or None where the kernel does not tell both.

        The address is kallsyms's (data symbols are in it with CONFIG_KALLSYMS_ALL only), the type BTF's (which has the
        per-CPU variables, functions, and other variables only if pahole was told to write them). A per-CPU variable has
        no one address, so it is not found here.
        """
        if module not in ("", "vmlinux"):
            return None
        found = self._id(name, Kind.VAR)
        if found is None:
            found = self._id(name, Kind.FUNC)
        if found is None or found in self.btf.section(".data..percpu"):
            return None
        address = self.address(module, name)
        return None if address is None else (address, self.type(self.btf.type(found).target))

    def address(self, module: str, name: str) -> int | None:
        """Where kallsyms says that a symbol is; of modules too, if `module` is empty."""
        if module not in ("", "vmlinux") or self._is_per_cpu(name):
            return None
        if self._symbols is None:
            from invivo.linux.kallsyms import Kallsyms

            self._symbols = Kallsyms()
        return self._symbols.address(name)

    def _is_per_cpu(self, name: str) -> bool:
        found = self._id(name, Kind.VAR)
        return found is not None and found in self.btf.section(".data..percpu")

    def prototype(self, name: str) -> list[tuple[str, Type]] | None:
        """Parameters of the function that the typedef `name` (btf_trace_NAME) points to; None if there is none.

        The `void *__data` that comes first is left out.

        The typedef's parameters have no names; those of the kernel's function __traceiter_NAME, of the same type, do.
        """
        found = self._id(name, Kind.TYPEDEF)
        parameters = None if found is None else self._parameters(found)
        if parameters is None:
            return None
        names = [parameter for parameter, _ in parameters]
        if not any(names) and name.startswith("btf_trace_"):
            event = name.removeprefix("btf_trace_")
            for function in (f"__traceiter_{event}", f"__bpf_trace_{event}"):
                other = self._id(function, Kind.FUNC)
                named = None if other is None else self._parameters(other)
                if named is not None and len(named) == len(parameters):
                    names = [parameter for parameter, _ in named]
                    break
        return [(names[i], self.type(type_id)) for i, (_, type_id) in enumerate(parameters)][1:]

    def btf_id(self, name: str) -> int | None:
        """The BTF type id of a typedef, or None."""
        return self._id(name, Kind.TYPEDEF)

    def typedef_names(self, prefix: str) -> list[str]:
        """The names of all typedefs that begin with `prefix`."""
        return self.btf.names(prefix, Kind.TYPEDEF)

    def function_names(self, prefix: str) -> list[str]:
        """The names of all functions that begin with `prefix`."""
        return self.btf.names(prefix, Kind.FUNC)

    def _id(self, name: str, *kinds: int) -> int | None:
        key = name, kinds
        if key not in self._named:
            ids = self.btf.ids(name, *kinds)
            self._named[key] = ids[0] if ids else None
        return self._named[key]

    def _parameters(self, type_id: int) -> list[tuple[str, int]] | None:
        """The parameters of a function, a function type, or what leads to one by typedefs and pointers."""
        described = self.btf.type(type_id)
        while described.kind in (*_BEFORE_BASE, Kind.PTR, Kind.FUNC):
            described = self.btf.type(described.target)
        return self.btf.parameters(described) if described.kind == Kind.FUNC_PROTO else None

    # --- by id --------------------------------------------------------------------------------------------------

    def type(self, type_id: int) -> Type:
        """The type with this BTF id; const, volatile and restrict are left out."""
        made = self._made.get(type_id)
        if made is None:
            made = self._made[type_id] = self._make(self.btf.type(type_id))
        return made

    def _make(self, of: BtfType) -> Type:
        match of.kind:
            case Kind.INT:
                return self._int(of)
            case Kind.FLOAT:
                return Float(of.name, of.target)
            case Kind.PTR:
                return self._pointer(of)
            case Kind.ARRAY:
                element, count = self.btf.element(of)
                return Array(self.type(element), count)
            case Kind.STRUCT | Kind.UNION:
                return Struct("union" if of.kind == Kind.UNION else "struct", of.name, of.target, self._resolver(of))
            case Kind.FWD:
                return Struct("union" if of.flag else "struct", of.name, None)
            case Kind.ENUM | Kind.ENUM64:
                return Enum(of.name, of.target, of.flag, tuple(self.btf.enumerators(of)))
            case Kind.TYPEDEF:
                return self._under_name(of)
            case Kind.FUNC_PROTO:
                parameters = tuple(self.type(t) for _, t in self.btf.parameters(of) if t)
                return Func(self.type(of.target), parameters)
            case Kind.CONST | Kind.VOLATILE | Kind.RESTRICT | Kind.TYPE_TAG | Kind.FUNC | Kind.VAR:
                return self.type(of.target)
            case _:
                return VOID

    def _int(self, of: BtfType) -> Type:
        if of.target > 8:
            return Array(ULONG, of.target // 8)  # __int128: D has no such integer
        signed, _, _ = self.btf.encoding(of)
        return _BASIC.get(of.name, Int(of.name, of.target, signed))

    def _pointer(self, of: BtfType) -> Pointer:
        """`__user` is the type tag "user", which Clang writes; GCC's BTF does not tell the spaces apart."""
        described = self.btf.type(of.target)
        space = self.space
        while described.kind in _MODIFIERS:
            if described.kind == Kind.TYPE_TAG and described.name == "user":
                space = Space.USER
            described = self.btf.type(described.target)
        return Pointer(self.type(described.id), space)

    def _under_name(self, typedef: BtfType) -> Type:
        made = self.type(typedef.target)
        match made:
            case Int(_, size, signed):
                return Int(typedef.name, size, signed)
            case Float(_, size):
                return Float(typedef.name, size)
            case Enum("", size, signed, members):
                return Enum(typedef.name, size, signed, members)
            case Struct(keyword, "", size):
                return Struct(keyword, typedef.name, size, made.resolve)
        return made

    def _resolver(self, of: BtfType) -> Callable[[], tuple[Member, ...]]:
        def resolve() -> tuple[Member, ...]:
            return tuple(self._member(member) for member in self.btf.members(of))

        return resolve

    def _member(self, member: BtfMember) -> Member:
        type_ = self.type(member.type)
        if not member.bit_size and isinstance(type_, Int):
            # Before Linux 4.20's kind_flag (9d5f9f701b18), a bit-field had an INT of its own, narrower than its bytes.
            described = self.btf.type(member.type)
            while described.kind in _BEFORE_BASE:
                described = self.btf.type(described.target)
            _, bits, offset = self.btf.encoding(described)
            if bits != 8 * described.target:
                return Member(member.name, type_, member.bit_offset + offset, bits)
        return Member(member.name, type_, member.bit_offset, member.bit_size)


def _open_indexed() -> Btf:
    """The kernel's BTF with the index kept from an earlier run, or with a new one that is then kept."""
    from invivo import cache

    directory = cache.cache_dir()
    if directory is None:
        return Btf.open()
    from zlib import crc32

    key = cache.kernel_key().encode()
    path = os.path.join(directory, f"btf-{crc32(key):08x}.index")
    kept = None
    with contextlib.suppress(OSError), open(path, "rb") as stream:
        if stream.read(len(key)) == key:
            kept = stream.read()
    btf = Btf.open(index=kept)
    if btf.index is not kept:
        with contextlib.suppress(OSError):
            cache.write_atomically(path, key + btf.index)
    return btf
