"""BTF, the kernel's description of its own types, read where it lies.

In: the bytes of `/sys/kernel/btf/vmlinux`. Out: single types, found by id or by name; nothing is parsed before it is
asked for. Types have variable sizes, so an index (where each begins, and its name) is needed first: one pass of about
30 ms over 130,000 types, which a caller may keep (`btf.index`) and hand back.

    btf = Btf.open()                              index = btf.index  ->  Btf.open(index=index) takes a millisecond
    btf.ids("task_struct", Kind.STRUCT)           -> [187]
    btf.members(btf.type(187))[0]                 -> BtfMember("thread_info", 188, 0, 0)

Source: Documentation/bpf/btf.rst, include/uapi/linux/btf.h. Stands alone: needs the standard library and `errors`.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from invivo.errors import UnsupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap

__all__ = ["Btf", "BtfMember", "BtfType", "Kind"]

KERNEL_BTF = "/sys/kernel/btf/vmlinux"
_MAGIC = 0xEB9F
_INDEX_MAGIC = 0x58495442  # "BTIX"


class Kind:
    """BTF_KIND_*."""

    VOID = 0
    INT = 1
    PTR = 2
    ARRAY = 3
    STRUCT = 4
    UNION = 5
    ENUM = 6
    FWD = 7
    TYPEDEF = 8
    VOLATILE = 9
    CONST = 10
    RESTRICT = 11
    FUNC = 12
    FUNC_PROTO = 13
    VAR = 14
    DATASEC = 15
    FLOAT = 16
    DECL_TAG = 17
    TYPE_TAG = 18
    ENUM64 = 19


# Size of a type's description in 32-bit words: fixed part, and for each of its `vlen` elements.
_WORDS = {
    Kind.INT: (4, 0), Kind.PTR: (3, 0), Kind.ARRAY: (6, 0), Kind.STRUCT: (3, 3), Kind.UNION: (3, 3), Kind.ENUM: (3, 2),
    Kind.FWD: (3, 0), Kind.TYPEDEF: (3, 0), Kind.VOLATILE: (3, 0), Kind.CONST: (3, 0), Kind.RESTRICT: (3, 0),
    Kind.FUNC: (3, 0), Kind.FUNC_PROTO: (3, 2), Kind.VAR: (4, 0), Kind.DATASEC: (3, 3), Kind.FLOAT: (3, 0),
    Kind.DECL_TAG: (4, 0), Kind.TYPE_TAG: (3, 0), Kind.ENUM64: (3, 3),
}  # fmt: skip


class BtfType(NamedTuple):
    """The fixed part of a type's description.

    `target` is a size in bytes for INT, STRUCT, UNION, ENUM, ENUM64, FLOAT and DATASEC, else the id of the type it
    refers to (0 is void). `flag` is kind_flag: of a FWD, that it is a union; of an enumeration, that it is signed.
    """

    id: int
    kind: int
    name: str
    vlen: int
    flag: bool
    target: int


class BtfMember(NamedTuple):
    """A member of a structure or union; `bit_size` is 0 unless it is a bit-field."""

    name: str
    type: int
    bit_offset: int
    bit_size: int


class _Sizes(dict[int, int]):
    """Words taken by a type, by the `info` word of its description: computed once for each value met."""

    def __missing__(self, info: int) -> int:
        kind = info >> 24 & 0x1F
        if kind not in _WORDS:
            raise UnsupportedError(
                f"the kernel's BTF has types of kind {kind}, which this invivo does not know", "use a newer invivo"
            )
        fixed, each = _WORDS[kind]
        size = self[info] = fixed + each * (info & 0xFFFF)
        return size


class Btf:
    """One BTF blob.

    Args:
        data: The blob: bytes, or an mmap.
        index: The `index` of a Btf for the same blob before; made anew if it does not fit.

    Raises:
        UnsupportedError: The blob is not BTF, is damaged, or of another byte order.
    """

    __slots__ = ("_data", "_names_at", "_offsets", "_strings", "_strings_end", "_types", "_words", "index")

    def __init__(self, data: bytes | mmap.mmap, index: bytes | None = None) -> None:
        raw = memoryview(data)
        header = raw[:24].cast("I") if len(raw) >= 24 else None
        if header is None or int.from_bytes(raw[:2], sys.byteorder) != _MAGIC or raw[2] != 1:
            raise UnsupportedError("this is not BTF of version 1 in this machine's byte order")
        size, types_at, types_size, strings_at, strings_size = header[1:6]
        if size + types_at + types_size > len(raw) or size + strings_at + strings_size > len(raw) or types_size % 4:
            raise UnsupportedError(f"the BTF is cut short: {len(raw)} bytes are fewer than its header says")
        self._data = data
        self._types = size + types_at
        self._words = raw[self._types : self._types + types_size].cast("I")
        self._strings = size + strings_at
        self._strings_end = size + strings_at + strings_size
        if index is None or not self._fits(index):
            index = self._make_index()
        # A head of four words; of each type the first word of its description; of each its name's place.
        self.index = index  # to be kept, and given to the next Btf of this very blob
        self._names_at = 16 + (len(index) - 16) // 2
        self._offsets = memoryview(index)[16 : self._names_at].cast("I")

    @classmethod
    def open(cls, path: str = KERNEL_BTF, index: bytes | None = None) -> Btf:
        """The BTF in a file, by default the running kernel's.

        Raises:
            UnsupportedError: There is no such file, or it is not BTF.
        """
        from mmap import MAP_PRIVATE, PROT_READ, mmap

        try:
            with open(path, "rb", buffering=0) as stream:
                try:
                    # Linux 6.17 (a539e2a6d51d) lets sysfs's BTF be mapped, private and read-only: nothing is copied.
                    size = stream.seek(0, 2)
                    mapped = mmap(stream.fileno(), size, MAP_PRIVATE, PROT_READ)
                except (OSError, ValueError):
                    stream.seek(0)
                    return cls(stream.readall(), index)
                return cls(mapped, index)
        except FileNotFoundError as error:
            raise UnsupportedError(
                f"there is no {path}: this kernel does not describe its types", "a kernel with CONFIG_DEBUG_INFO_BTF=y"
            ) from error
        except OSError as error:
            raise UnsupportedError(f"the kernel's types cannot be read: {error}") from error

    # --- index --------------------------------------------------------------------------------------------------

    def _fits(self, index: bytes) -> bool:
        if len(index) < 24 or len(index) % 8:
            return False
        magic, words, strings_end, count = memoryview(index)[:16].cast("I")
        ours = (_INDEX_MAGIC, len(self._words), self._strings_end)
        return (magic, words, strings_end) == ours and len(index) == 16 + 8 * count

    def _make_index(self) -> bytes:
        words = self._words
        sizes = _Sizes()
        offsets = [0]  # type 0 is void and has no description
        append = offsets.append
        position, end = 0, len(words)
        try:
            while position < end:
                append(position)
                position += sizes[words[position + 1]]
        except IndexError:
            position = -1
        if position != end:
            raise UnsupportedError("the BTF is damaged: its last type is cut short")
        names = array("I", map(words.__getitem__, offsets))
        names[0] = 0
        head = array("I", [_INDEX_MAGIC, len(words), self._strings_end, len(offsets)])
        return head.tobytes() + array("I", offsets).tobytes() + names.tobytes()

    # --- types by id --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Number of types, void (0) included."""
        return len(self._offsets)

    def type(self, type_id: int) -> BtfType:
        """The type with this id.

        Raises:
            IndexError: There is none.
        """
        if type_id == 0:
            return BtfType(0, Kind.VOID, "", 0, False, 0)
        position = self._offsets[type_id]
        name, info, target = self._words[position : position + 3]
        return BtfType(type_id, info >> 24 & 0x1F, self.string(name), info & 0xFFFF, bool(info >> 31), target)

    def string(self, offset: int) -> str:
        """The string at a place in the string section."""
        if offset == 0:
            return ""
        start = self._strings + offset
        end = self._data.find(b"\0", start, self._strings_end)
        return bytes(self._data[start:end]).decode("utf-8", "replace")

    def members(self, of: BtfType) -> list[BtfMember]:
        """Members of a STRUCT or UNION."""
        body = self._body(of, 3 * of.vlen)
        members = []
        for i in range(0, len(body), 3):
            name, type_id, place = body[i : i + 3]
            if of.flag:
                members.append(BtfMember(self.string(name), type_id, place & 0xFFFFFF, place >> 24))
            else:
                members.append(BtfMember(self.string(name), type_id, place, 0))
        return members

    def enumerators(self, of: BtfType) -> list[tuple[str, int]]:
        """Names and values of an ENUM or ENUM64."""
        each = 2 if of.kind == Kind.ENUM else 3
        body = self._body(of, each * of.vlen)
        return [(self.string(body[i]), self._value(of, body[i + 1 : i + each])) for i in range(0, len(body), each)]

    def parameters(self, of: BtfType) -> list[tuple[str, int]]:
        """Names and types of a FUNC_PROTO's parameters; a last one of type 0 stands for `...`."""
        body = self._body(of, 2 * of.vlen)
        return [(self.string(body[i]), body[i + 1]) for i in range(0, len(body), 2)]

    def element(self, of: BtfType) -> tuple[int, int]:
        """Element type and number of elements of an ARRAY."""
        body = self._body(of, 3)
        return body[0], body[2]

    def encoding(self, of: BtfType) -> tuple[bool, int, int]:
        """Of an INT: whether it is signed, its width in bits, and their offset from its start (old bit-fields)."""
        word = self._body(of, 1)[0]
        return bool(word >> 24 & 1), word & 0xFF, word >> 16 & 0xFF

    def section(self, name: str) -> set[int]:
        """Ids of the variables in the DATASEC `name`."""
        return {
            variable
            for section in self.ids(name, Kind.DATASEC)
            for variable in self._body(self.type(section), 3 * self.type(section).vlen)[::3]
        }

    def _body(self, of: BtfType, words: int) -> list[int]:
        position = self._offsets[of.id] + 3
        return self._words[position : position + words].tolist()

    def _value(self, of: BtfType, words: list[int]) -> int:
        bits = 32 * len(words)
        value = words[0] if bits == 32 else words[0] | words[1] << 32
        return value - (1 << bits) if of.flag and value >> (bits - 1) else value

    # --- types by name ------------------------------------------------------------------------------------------

    def ids(self, name: str, *kinds: int) -> list[int]:
        """Ids of the types called `name` that are of one of `kinds` (all, if none is given), ascending."""
        offset = self._string_offset(name)
        return [i for i in self._named(offset) if self._is(i, kinds)] if offset > 0 else []

    def names(self, prefix: str, kind: int) -> list[str]:
        """Names that begin with `prefix` of the types of a kind, in the order of the string section."""
        needle = b"\0" + prefix.encode()
        places = []
        at = self._find(needle, self._strings)
        while at >= 0:
            places.append(at + 1 - self._strings)
            at = self._find(needle, at + 1)
        wanted = set(places)
        all_names = memoryview(self.index)[self._names_at :].cast("I")
        of_kind = {place for i, place in enumerate(all_names) if place in wanted and self._is(i, (kind,))}
        return [self.string(place) for place in places if place in of_kind]

    def enumerator(self, name: str) -> tuple[int, int] | None:
        """The value of an enumeration constant, and the id of its enumeration."""
        offset = self._string_offset(name)
        for word in self._words_with(offset) if offset > 0 else ():
            type_id = bisect_right(self._offsets, word, 1) - 1
            of = self.type(type_id)
            each = {Kind.ENUM: 2, Kind.ENUM64: 3}.get(of.kind, 0)
            inside = word - self._offsets[type_id] - 3
            if each and inside >= 0 and inside % each == 0:
                return self._value(of, self._words[word + 1 : word + each].tolist()), type_id
        return None

    def _is(self, type_id: int, kinds: tuple[int, ...]) -> bool:
        return not kinds or self._words[self._offsets[type_id] + 1] >> 24 & 0x1F in kinds

    def _find(self, needle: bytes, start: int) -> int:
        return self._data.find(needle, start, self._strings_end)

    def _string_offset(self, name: str) -> int:
        """Where in the string section `name` stands, or -1. No string is there twice: pahole and libbpf see to it."""
        needle = b"\0" + name.encode("utf-8", "surrogateescape") + b"\0"
        at = self._find(needle, self._strings) if name and "\0" not in name else -1
        return at + 1 - self._strings if at >= 0 else -1

    def _named(self, name_offset: int) -> Iterator[int]:
        """Ids of the types whose name stands at `name_offset`."""
        return _words_equal(self.index, name_offset, self._names_at, len(self.index))

    def _words_with(self, value: int) -> Iterator[int]:
        """Indexes of the words of the type section that hold `value`."""
        return _words_equal(self._data, value, self._types, self._types + 4 * len(self._words))


def _words_equal(haystack: bytes | mmap.mmap, value: int, start: int, end: int) -> Iterator[int]:
    needle = value.to_bytes(4, sys.byteorder)
    at = haystack.find(needle, start, end)
    while at >= 0:
        inside = at - start
        if inside % 4 == 0:
            yield inside // 4
        at = haystack.find(needle, at + 1, end)
