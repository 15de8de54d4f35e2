"""The types of C++ programs, from DWARF by pyelftools: what drgn does not read, references and base classes.

    types = CxxTypes("/usr/bin/demo")
    types.function_at(0x1189).parameters     (("this", Pointer(Struct Holder)), ("d", Pointer(Struct Derived)))
    types.struct("Derived").find("id")       Member("id", Int, 64), which Derived has from its base

A reference is a pointer. A base class is an anonymous member, behind the class's own members, which hide its names; a
virtual base is left out: where it lies depends on the object. Of templates the names have their arguments. Source:
DWARF 5, 5.7; the Itanium C++ ABI, 3.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

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
from invivo.providers.program_types import Function
from invivo.symbols.dwarf import DwarfFile

__all__ = ["CxxTypes"]

_LANGUAGES = {0x04, 0x1A, 0x19, 0x21, 0x2B, 0x2C}  # DW_LANG_C_plus_plus, and with a year
_LINKS = 8  # from an entry to what it is a copy of, in files that are whole at most three
_SEARCH_S = 5.0  # for a class by its name: pyelftools takes a second for some megabytes
_BOOLEAN, _FLOAT, _SIGNED = 2, 4, (5, 6)  # DW_ATE_*
_BY_REFERENCE = 4  # DW_CC_pass_by_reference: objects with a copy constructor or destructor of their own
_DEFAULTED_IN_CLASS = 1  # DW_DEFAULTED_in_class
_POINTERS = ("DW_TAG_pointer_type", "DW_TAG_reference_type", "DW_TAG_rvalue_reference_type")
_CLASSES = ("DW_TAG_class_type", "DW_TAG_structure_type", "DW_TAG_union_type")
_QUALIFIERS = ("DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type", "DW_TAG_atomic_type")
_BASIC = {
    "char": CHAR, "unsigned char": UCHAR, "short int": SHORT, "short unsigned int": USHORT, "int": INT,
    "unsigned int": UINT, "long int": LONG, "long unsigned int": ULONG, "bool": Int("bool", 1, False), "_Bool": BOOL,
}  # fmt: skip


class CxxTypes:
    """Types of one file.

    Raises:
        TargetError: From every method, where the file is damaged.
    """

    def __init__(self, path: str) -> None:
        self._file = DwarfFile(path)
        self._made: dict[int, Type] = {}
        self._classes: dict[str, Struct | None] = {}
        self._by_reference: set[Callable[[], tuple[Member, ...]]] = set()  # classes whose objects are passed so

    def function_at(self, address: int) -> Function | None:
        """The C++ function that begins at a link-time address, or None."""
        with self._file.reading():
            entry = self._file.function_at(address)
            return None if entry is None or not _is_cxx(entry.cu) else self._function(entry, address)

    def _function(self, entry: Any, address: int) -> Function:
        parameters = []
        is_variadic = False
        for child in _children(entry):
            if child.tag == "DW_TAG_formal_parameter":
                parameters.append((self._name(child), self._passed(self._type_of(child))))
            elif child.tag == "DW_TAG_unspecified_parameters":
                is_variadic = True
        result = self._type_of(entry)
        if isinstance(result, Struct) and self._passed(result) != result:
            result = Struct(result.keyword, result.name, None)  # it goes where the caller wants it, however small it is
        return Function(self._name(entry), address, tuple(parameters), result, is_variadic)

    def variables_at(self, address: int) -> dict[str, Type]:
        """The types of the variables in scope at a link-time address; empty where the code is not C++'s."""
        with self._file.reading():
            entries = self._file.entries_at(address)
            return {name: self._type_of(entry) for name, entry in entries.items() if _is_cxx(entry.cu)}

    def struct(self, name: str) -> Struct | None:
        """The class of that name, in whichever namespace; None if none is found in a few seconds."""
        if name not in self._classes:
            with self._file.reading():
                self._classes[name] = self._search(name)
        return self._classes[name]

    def _search(self, name: str) -> Struct | None:
        end = time.monotonic() + _SEARCH_S
        for unit in self._file.units():
            if not _is_cxx(unit):
                continue
            for entry in _declared(unit.get_top_DIE()):
                if time.monotonic() > end:
                    return None
                if entry.tag in _CLASSES and self._name(entry) == name and "DW_AT_byte_size" in entry.attributes:
                    made = self._type(entry)
                    return made if isinstance(made, Struct) else None
        return None

    # --- conversion -----------------------------------------------------------------------------------------------

    def _name(self, entry: Any) -> str:
        found = self._file.attribute(entry, "DW_AT_name")
        return "" if found is None else found.value.decode("utf-8", "replace")

    def _number(self, entry: Any, attribute: str) -> int | None:
        found = self._file.attribute(entry, attribute)
        return found.value if found is not None and isinstance(found.value, int) else None

    def _passed(self, type_: Type) -> Type:
        """How a parameter of a type is passed: some objects by their address."""
        is_address = isinstance(type_, Struct) and type_.resolve in self._by_reference
        return Pointer(type_, Space.USER) if is_address else type_

    def _is_by_reference(self, entry: Any) -> bool:
        """Whether objects of a class are passed by their address, as Clang says, and GCC leaves to be found out: they
        have, or a member or base of theirs has, a destructor or a copy constructor that is not the compiler's own."""
        convention = self._number(entry, "DW_AT_calling_convention")
        if convention is not None:
            return convention == _BY_REFERENCE
        name = self._name(entry)
        for child in entry.iter_children():
            if child.tag == "DW_TAG_subprogram":
                if self._number(child, "DW_AT_defaulted") == _DEFAULTED_IN_CLASS:
                    continue
                method = self._name(child)
                if method.startswith("~") or (method == name and self._copies(child, entry)):
                    return True
            elif child.tag == "DW_TAG_inheritance" and "DW_AT_virtuality" in child.attributes:
                return True
            elif child.tag in ("DW_TAG_member", "DW_TAG_inheritance") and "DW_AT_external" not in child.attributes:
                made = self._type_of(child)
                if self._name(child).startswith("_vptr") or self._passed(made) != made:
                    return True
        return False

    def _copies(self, constructor: Any, of: Any) -> bool:
        """Whether a constructor takes a reference to its own class."""
        parameters = [child for child in constructor.iter_children() if child.tag == "DW_TAG_formal_parameter"]
        if len(parameters) != 2:
            return False
        target = parameters[1].get_DIE_from_attribute("DW_AT_type")
        if target.tag not in _POINTERS[1:]:
            return False
        for _ in range(_LINKS):
            if target.tag in (*_POINTERS[1:], *_QUALIFIERS) and "DW_AT_type" in target.attributes:
                target = target.get_DIE_from_attribute("DW_AT_type")
        return bool(target.offset == of.offset)

    def _type_of(self, entry: Any) -> Type:
        """The type that an entry has; void where it names none."""
        found = self._file.attribute(entry, "DW_AT_type")
        if found is None:
            return VOID
        holder = entry
        for _ in range(_LINKS):
            if "DW_AT_type" in holder.attributes:
                return self._type(holder.get_DIE_from_attribute("DW_AT_type"))
            link = "DW_AT_abstract_origin" if "DW_AT_abstract_origin" in holder.attributes else "DW_AT_specification"
            holder = holder.get_DIE_from_attribute(link)
        return VOID

    def _type(self, entry: Any) -> Type:
        made = self._made.get(entry.offset)
        if made is None:
            made = self._made[entry.offset] = self._make(entry)
        return made

    def _make(self, entry: Any) -> Type:
        tag = entry.tag
        size = self._number(entry, "DW_AT_byte_size")
        if tag == "DW_TAG_base_type":
            return self._base(entry, size or 1)
        if tag in _POINTERS:
            return Pointer(self._type_of(entry), Space.USER)
        if tag in _QUALIFIERS:
            return self._type_of(entry)
        if tag == "DW_TAG_typedef":
            return self._under_name(self._name(entry), self._type_of(entry))
        if tag in _CLASSES:
            keyword = "union" if tag == "DW_TAG_union_type" else "struct"
            made = Struct(keyword, self._name(entry), size, self._resolver(entry))
            if self._is_by_reference(entry):
                self._by_reference.add(made.resolve)
            return made
        if tag == "DW_TAG_enumeration_type":
            constants = [child for child in _children(entry) if child.tag == "DW_TAG_enumerator"]
            members = tuple((self._name(c), self._number(c, "DW_AT_const_value") or 0) for c in constants)
            return Enum(self._name(entry), size or 4, any(value < 0 for _, value in members), members)
        if tag == "DW_TAG_array_type":
            return self._array(entry)
        if tag == "DW_TAG_subroutine_type":
            return Func(self._type_of(entry))
        if tag == "DW_TAG_ptr_to_member_type":
            target = entry.get_DIE_from_attribute("DW_AT_type").tag
            return Array(LONG, 2) if target == "DW_TAG_subroutine_type" else LONG
        return VOID

    def _base(self, entry: Any, size: int) -> Type:
        name, encoding = self._name(entry), self._number(entry, "DW_AT_encoding") or 0
        if encoding == _FLOAT:
            return Float(name, size)
        if size > 8:
            return Array(ULONG, size // 8)  # __int128: D has no such integer
        known = _BASIC.get(name)
        return known if known is not None and known.size == size else Int(name, size, encoding in _SIGNED)

    @staticmethod
    def _under_name(name: str, made: Type) -> Type:
        match made:
            case Int(_, size, signed):
                return Int(name, size, signed)
            case Float(_, size):
                return Float(name, size)
        return made

    def _array(self, entry: Any) -> Type:
        counts = []
        for child in _children(entry):
            if child.tag == "DW_TAG_subrange_type":
                count, last = self._number(child, "DW_AT_count"), self._number(child, "DW_AT_upper_bound")
                counts.append(max(0, count if count is not None else last + 1 if last is not None else 0))
        made = self._type_of(entry)
        for count in reversed(counts or [0]):
            made = Array(made, count)
        return made

    def _resolver(self, entry: Any) -> Callable[[], tuple[Member, ...]]:
        def resolve() -> tuple[Member, ...]:
            with self._file.reading():
                return members()

        def members() -> tuple[Member, ...]:
            own, bases = [], []
            for child in _children(entry):
                if child.tag == "DW_TAG_member" and not {"DW_AT_external", "DW_AT_declaration"} & set(child.attributes):
                    bits = self._number(child, "DW_AT_bit_size") or 0
                    own.append(Member(self._name(child), self._type_of(child), self._place(child, bits), bits))
                elif child.tag == "DW_TAG_inheritance" and "DW_AT_virtuality" not in child.attributes:
                    bases.append(Member("", self._type_of(child), self._place(child, 0)))
            return (*own, *bases)

        return resolve

    def _place(self, entry: Any, bits: int) -> int:
        """The offset of a member in bits."""
        offset = self._number(entry, "DW_AT_data_bit_offset")
        if offset is not None:
            return offset
        start = 8 * (self._number(entry, "DW_AT_data_member_location") or 0)
        from_top = self._number(entry, "DW_AT_bit_offset")  # DWARF 3: counted from the most significant bit
        if from_top is None:
            return start
        unit = 8 * (self._number(entry, "DW_AT_byte_size") or 4)
        return start + unit - from_top - bits


def _is_cxx(unit: Any) -> bool:
    language = unit.get_top_DIE().attributes.get("DW_AT_language")
    return language is not None and language.value in _LANGUAGES


def _children(entry: Any) -> Iterator[Any]:
    """The entries inside of one, or where it is a bare copy of another (a constructor's), of that."""
    found = list(entry.iter_children())
    if not found and "DW_AT_specification" in entry.attributes:
        found = list(entry.get_DIE_from_attribute("DW_AT_specification").iter_children())
    yield from found


def _declared(entry: Any) -> Iterator[Any]:
    """What is declared in a unit or namespace, and in those and the classes within."""
    for child in entry.iter_children():
        yield child
        if child.tag == "DW_TAG_namespace" or child.tag in _CLASSES:
            yield from _declared(child)
