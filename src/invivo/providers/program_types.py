"""The C types of a program, from its debug information, as the typed program has them.

In: the path of an ELF file with DWARF, or with a separate debug file (by build ID or debuglink). Out: `program.types`
values, parameters of functions, link-time addresses of variables. drgn does the reading, of what is asked for only.

    types = ProgramTypes("/usr/sbin/nginx")
    types.struct("struct", "ngx_connection_s").find("fd")   -> Member("fd", Int("ngx_socket_t", 4, True), 192)
    types.function("ngx_http_process_request").parameters   -> (("r", Pointer(Struct ngx_http_request_s)),)
    types.variable("ngx_cycle")                             -> (0x15a0c8, Pointer(Struct ngx_cycle_s))

Pointers lead into the process (Space.USER). What C++ has beyond C is read by cxx_types; a type that nobody can read is
void.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from invivo.errors import TargetError
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
from invivo.symbols.debug_info import open_program, reading

if TYPE_CHECKING:
    import drgn

    from invivo.providers.cxx_types import CxxTypes

__all__ = ["Function", "ProgramTypes"]

# Names of the basic types as C programmers write them.
_BASIC: dict[str, Int] = {
    "_Bool": BOOL, "bool": Int("bool", 1, False), "char": CHAR, "unsigned char": UCHAR,
    "signed char": Int("signed char", 1, True), "short": SHORT, "short int": SHORT, "unsigned short": USHORT,
    "short unsigned int": USHORT, "int": INT, "unsigned int": UINT, "long": LONG, "long int": LONG,
    "unsigned long": ULONG, "long unsigned int": ULONG, "long long": Int("long long", 8, True),
    "long long int": Int("long long", 8, True), "unsigned long long": Int("unsigned long long", 8, False),
    "long long unsigned int": Int("unsigned long long", 8, False),
}  # fmt: skip


class Function(NamedTuple):
    """A function's link-time address, parameters (name or "", type) and result; `is_variadic`: `...` follows."""

    name: str
    address: int
    parameters: tuple[tuple[str, Type], ...]
    result: Type
    is_variadic: bool


class ProgramTypes:
    """`program.sources.TypeSource` over one file's debug information.

    Raises:
        TargetError: When made: the file cannot be read, is damaged, or has no debug information.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._made: dict[object, Type] = {}
        self._kept: list[object] = []  # what the keys of _made are addresses of
        self._enumerators: dict[str, tuple[int, Type] | None] = {}
        self._cxx_types: CxxTypes | None = None
        with reading(path):
            self._program = open_program(path)
            module = self._program.extra_module(path)
            self.debug_path: str = module.debug_file_path or path
            # What is damaged at the outset is told at once: this reads the names of all units.
            self._lookup(lambda: self._program.type("int"))

    def _lookup(self, ask: Callable[[], Any]) -> Any:
        """What drgn finds, or None. A name that is no C name (SyntaxError) is not found either."""
        with reading(self.path):
            try:
                return ask()
            except (LookupError, SyntaxError, ValueError, TypeError):
                return None

    # --- by name ------------------------------------------------------------------------------------------------

    def struct(self, keyword: str, name: str) -> Struct | None:
        """`struct NAME` or `union NAME` (keyword says which; a C++ class is a struct here), or None."""
        found = self._lookup(lambda: self._program.type(f"{keyword} {name}"))
        if found is None and keyword == "struct":
            found = self._lookup(lambda: self._program.type(f"class {name}"))
        if found is not None and found.language.name == "C++":
            with suppress(TargetError):
                if (of_cxx := self._cxx.struct(name)) is not None:
                    return of_cxx
        made = None if found is None else self.type(found)
        return made if isinstance(made, Struct) else None

    def enum(self, name: str) -> Enum | None:
        """`enum NAME`, or None."""
        found = self._lookup(lambda: self._program.type(f"enum {name}"))
        made = None if found is None else self.type(found)
        return made if isinstance(made, Enum) else None

    def typedef(self, name: str) -> Type | None:
        """What the typedef NAME (in C++, also a structure's or enumeration's plain name) stands for, or None."""
        if not name.isidentifier():
            return None
        found = self._lookup(lambda: self._program.type(name))
        return None if found is None else self.type(found)

    def enumerator(self, name: str) -> tuple[int, Type] | None:
        """The value and type of an enumeration constant, or None."""
        if name not in self._enumerators:
            found = self._lookup(lambda: self._program.constant(name))
            answer = None
            if found is not None:
                with reading(self.path):
                    answer = int(found), self.type(found.type_)
            self._enumerators[name] = answer
        return self._enumerators[name]

    def address(self, module: str, name: str) -> None:
        """None: only the kernel's symbols have a type by declaration."""

    def symbol(self, module: str, name: str) -> tuple[int, Type] | None:
        """None: where a variable is in memory depends on the process. See `variable`."""
        return None

    def variable(self, name: str) -> tuple[int, Type] | None:
        """Link-time address and type of a variable, or None; address 0 where the compiler left none."""
        found = self._lookup(lambda: self._program.variable(name))
        if found is None:
            return None
        with reading(self.path):
            return found.address_ or 0, self.type(found.type_)

    def function(self, name: str, file: str | None = None) -> Function | None:
        """The function of that name (the first, where there are several; `file` picks the source file), or None."""
        found = self._lookup(lambda: self._program.function(name, file))
        if found is None:
            return None
        with reading(self.path):
            type_ = found.type_
            parameters = tuple((p.name or "", self._type_of(p)) for p in type_.parameters)
            return Function(name, found.address_ or 0, parameters, self._type_of(type_), type_.is_variadic)

    def function_at(self, name: str, address: int) -> Function | None:
        """The function that begins at a link-time address, or else the one of that name, if it has no other address."""
        if self._is_cxx(name):
            with suppress(TargetError):  # of what drgn reads as well, it is told below
                if (of_cxx := self._cxx.function_at(address)) is not None:
                    return of_cxx
        found = self.function(name)
        if found is not None and found.address in (0, address):
            return found
        with reading(self.path):
            try:
                frames = self._frames(address)
                frame = frames[len(frames) - 1]
                source = frame.source()[0]
                found = self.function(frame.name, source)
            except (LookupError, ValueError, TypeError):
                return None
        return found if found is not None and found.address == address else None

    def _frames(self, address: int) -> Any:
        """The function around an address, and those inlined there, from the innermost out."""
        # One more: drgn takes the addresses for return addresses, and looks at the instruction before each.
        return self._program.stack_trace_from_pcs([address + 1])

    def variables_at(self, address: int) -> dict[str, Type]:
        """The types of the variables in scope at a link-time address, the innermost of each name."""
        found: dict[str, Type] = {}
        with reading(self.path):
            try:
                frames = self._frames(address)
            except (LookupError, ValueError):
                return {}
            for frame in frames:
                for name in frame.locals():
                    if name not in found:
                        variable = self._local(frame, name)
                        if variable is None or variable.language.name == "C++":
                            return self._cxx.variables_at(address)
                        found[name] = self.type(variable)
        return found

    def _local(self, frame: Any, name: str) -> Any:
        """drgn's type of a variable of a frame; None where it does not read it."""
        try:
            with reading(self.path):
                return frame[name].type_
        except TargetError:
            return None

    def _is_cxx(self, name: str) -> bool:
        """Whether a function is C++'s: by its name, or by what drgn says of its type or fails to."""
        if name.startswith("_Z"):
            return True
        found = self._lookup(lambda: self._program.function(name))
        try:
            with reading(self.path):
                return found is not None and bool(found.type_.language.name == "C++")
        except TargetError:
            return True

    @property
    def _cxx(self) -> CxxTypes:
        """What C++ has beyond C, which drgn does not read."""
        if self._cxx_types is None:
            from invivo.providers.cxx_types import CxxTypes

            self._cxx_types = CxxTypes(self.debug_path)
        return self._cxx_types

    # --- conversion ---------------------------------------------------------------------------------------------

    def type(self, of: drgn.Type) -> Type:
        """The type as the typed program has it; const, volatile and restrict are left out."""
        with reading(self.path):
            key = of.unqualified()._ptr
            made = self._made.get(key)
            if made is None:
                made = self._make(of)
                self._made[key] = made
                self._kept.append(of)
            return made

    def _type_of(self, holder: Any) -> Type:
        """The type of a member, a parameter or a result; void where drgn cannot read it."""
        try:
            with reading(self.path):
                return self.type(holder.type)
        except (TargetError, LookupError, SyntaxError):
            return VOID

    def _make(self, of: drgn.Type) -> Type:
        from drgn import TypeKind

        match of.kind:
            case TypeKind.BOOL | TypeKind.INT:
                return self._int(of)
            case TypeKind.FLOAT:
                return Float(of.name, of.size)
            case TypeKind.POINTER:
                return Pointer(self._type_of(of), Space.USER)
            case TypeKind.ARRAY:
                return Array(self._type_of(of), of.length or 0)
            case TypeKind.STRUCT | TypeKind.UNION | TypeKind.CLASS:
                keyword = "union" if of.kind == TypeKind.UNION else "struct"
                return Struct(keyword, of.tag or "", of.size if of.is_complete() else None, self._resolver(of))
            case TypeKind.ENUM:
                return self._enum(of)
            case TypeKind.TYPEDEF:
                return self._under_name(of)
            case TypeKind.FUNCTION:
                return Func(self._type_of(of), tuple(self._type_of(p) for p in of.parameters))
            case _:
                return VOID

    def _int(self, of: drgn.Type) -> Type:
        if of.size > 8:
            return Array(ULONG, of.size // 8)  # __int128: D has no such integer
        signed = of.kind.name == "INT" and of.is_signed
        known = _BASIC.get(of.name)
        if known is not None and (known.size, known.signed) == (of.size, signed):
            return known
        return Int(of.name, of.size if of.size in (1, 2, 4, 8) else 8, signed)

    def _enum(self, of: drgn.Type) -> Type:
        if not of.is_complete():
            return Enum(of.tag or "", 4, False)
        enumerators = of.enumerators or ()
        signed = any(value < 0 for _, value in ((e.name, e.value) for e in enumerators))
        base = of.type
        size = 4 if base is None else base.size
        return Enum(of.tag or "", size, signed, tuple((e.name, e.value) for e in enumerators))

    def _under_name(self, of: drgn.Type) -> Type:
        made = self._type_of(of)
        match made:
            case Int(_, size, signed):
                return Int(of.name, size, signed)
            case Float(_, size):
                return Float(of.name, size)
            case Enum("", size, signed, members):
                return Enum(of.name, size, signed, members)
            case Struct(keyword, "", size):
                return Struct(keyword, of.name, size, made.resolve)
        return made

    def _resolver(self, of: drgn.Type) -> Callable[[], tuple[Member, ...]]:
        def resolve() -> tuple[Member, ...]:
            with reading(self.path):
                members = []
                for member in of.members or ():
                    bits = member.bit_field_size or 0
                    members.append(Member(member.name or "", self._type_of(member), member.bit_offset, bits))
                return tuple(members)

        return resolve
