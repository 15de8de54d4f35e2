"""The BTF reader: on a blob put together by hand, and on the running kernel's against facts that it tells elsewhere."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from invivo.bpf.btf import Btf, BtfMember, BtfType, Kind
from invivo.errors import UnsupportedError
from invivo.program.types import (
    BOOL,
    CHAR,
    INT,
    LONG,
    UCHAR,
    UINT,
    ULONG,
    VOID,
    Array,
    Enum,
    Func,
    Int,
    Member,
    Pointer,
    Space,
    Struct,
)
from invivo.providers.kernel_types import KernelTypes


class Blob:
    """Puts BTF together as Documentation/bpf/btf.rst describes it; `add` returns the type's id."""

    def __init__(self) -> None:
        self.strings = b"\0"
        self.types: list[bytes] = []

    def name(self, text: str) -> int:
        if not text:
            return 0
        at = self.strings.find(b"\0" + text.encode() + b"\0")
        if at >= 0:
            return at + 1
        self.strings += text.encode() + b"\0"
        return len(self.strings) - len(text) - 1

    def add(self, name: str, kind: int, target: int, *body: int, vlen: int = 0, flag: int = 0) -> int:
        words = (self.name(name), flag << 31 | kind << 24 | vlen, target, *(word & 0xFFFFFFFF for word in body))
        self.types.append(struct.pack(f"={len(words)}I", *words))
        return len(self.types)

    def bytes(self) -> bytes:
        types = b"".join(self.types)
        head = struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(self.strings))
        return head + types + self.strings


def example() -> Blob:
    """enum color { RED, BLUE = -2 }, struct node { struct node *next; unsigned flags:3, kind:5; char name[16]; }."""
    blob = Blob()
    integer = blob.add("int", Kind.INT, 4, 1 << 24 | 32)  # 1: signed
    unsigned = blob.add("unsigned int", Kind.INT, 4, 32)  # 2
    char = blob.add("char", Kind.INT, 1, 8)  # 3: unsigned, as -funsigned-char makes it
    text = blob.add("", Kind.ARRAY, 0, char, unsigned, 16)  # 4
    node = blob.add(  # 5
        "node", Kind.STRUCT, 32,
        blob.name("next"), 6, 0,
        blob.name("flags"), unsigned, 3 << 24 | 64,
        blob.name("kind"), unsigned, 5 << 24 | 67,
        blob.name("name"), text, 96,
        vlen=4, flag=1,
    )  # fmt: skip
    blob.add("", Kind.PTR, node)  # 6
    blob.add("color", Kind.ENUM, 4, blob.name("RED"), 0, blob.name("BLUE"), -2, vlen=2, flag=1)  # 7
    blob.add("big", Kind.ENUM64, 8, blob.name("HUGE"), 5, 1, vlen=1)  # 8: 1 << 32 | 5
    blob.add("pid_t", Kind.TYPEDEF, integer)  # 9
    tag = blob.add("user", Kind.TYPE_TAG, 11)  # 10: char __user, const inside
    blob.add("", Kind.CONST, char)  # 11
    blob.add("", Kind.PTR, tag)  # 12
    blob.add("", Kind.FUNC_PROTO, integer, 0, 14, 0, 6, 0, 12, vlen=3)  # 13
    blob.add("", Kind.PTR, 0)  # 14: void *
    blob.add("", Kind.PTR, 13)  # 15
    blob.add("btf_trace_visit", Kind.TYPEDEF, 15)  # 16
    blob.add("opaque", Kind.FWD, 0)  # 17
    blob.add("either", Kind.FWD, 0, flag=1)  # 18
    blob.add("", Kind.STRUCT, 4, blob.name("counter"), integer, 0, vlen=1)  # 19
    blob.add("atomic_t", Kind.TYPEDEF, 19)  # 20
    blob.add("counters", Kind.VAR, 20, 1)  # 21
    blob.add("global", Kind.VAR, 20, 1)  # 22
    blob.add(".data..percpu", Kind.DATASEC, 64, 21, 0, 4, vlen=1)  # 23
    blob.add("double", Kind.FLOAT, 8)  # 24
    proto = blob.add(  # 25
        "", Kind.FUNC_PROTO, integer,
        blob.name("__data"), 14, blob.name("head"), 6, blob.name("buffer"), 12,
        vlen=3,
    )  # fmt: skip
    blob.add("__traceiter_visit", Kind.FUNC, proto, vlen=1)  # 26
    blob.add("node", Kind.DECL_TAG, node, -1)  # 27
    blob.add("_Bool", Kind.INT, 1, 4 << 24 | 8)  # 28
    blob.add("__int128", Kind.INT, 16, 1 << 24 | 128)  # 29
    blob.add("long unsigned int", Kind.INT, 8, 64)  # 30
    return blob


@pytest.fixture
def btf() -> Btf:
    return Btf(example().bytes())


@pytest.fixture
def types(btf: Btf) -> KernelTypes:
    return KernelTypes(btf)


# --- the reader, by hand --------------------------------------------------------------------------------------------


def test_types_are_found_by_id(btf: Btf) -> None:
    assert len(btf) == 31  # thirty and void
    assert btf.type(0) == BtfType(0, Kind.VOID, "", 0, False, 0)
    assert btf.type(9) == BtfType(9, Kind.TYPEDEF, "pid_t", 0, False, 1)
    assert btf.type(5) == BtfType(5, Kind.STRUCT, "node", 4, True, 32)
    assert btf.type(30).name == "long unsigned int"  # the last: the sizes of all before it were right
    with pytest.raises(IndexError):
        btf.type(31)


def test_ids_are_found_by_name_and_kind(btf: Btf) -> None:
    assert btf.ids("node") == [5, 27]
    assert btf.ids("node", Kind.STRUCT) == [5]
    assert btf.ids("node", Kind.UNION) == []
    assert btf.ids("nod") == btf.ids("ode") == btf.ids("nodes") == btf.ids("") == btf.ids("int\0") == []
    assert btf.ids("flags") == []  # a member's name, and of no type


def test_members_with_bit_fields(btf: Btf) -> None:
    assert btf.members(btf.type(5)) == [
        BtfMember("next", 6, 0, 0),
        BtfMember("flags", 2, 64, 3),
        BtfMember("kind", 2, 67, 5),
        BtfMember("name", 4, 96, 0),
    ]


def test_enumerators_negative_and_wide(btf: Btf) -> None:
    assert btf.enumerators(btf.type(7)) == [("RED", 0), ("BLUE", -2)]
    assert btf.enumerators(btf.type(8)) == [("HUGE", (1 << 32) + 5)]
    assert btf.enumerator("BLUE") == (-2, 7)
    assert btf.enumerator("HUGE") == ((1 << 32) + 5, 8)
    assert btf.enumerator("GREEN") is None
    assert btf.enumerator("flags") is None  # names a member


def test_names_by_prefix_and_kind(btf: Btf) -> None:
    assert btf.names("btf_trace_", Kind.TYPEDEF) == ["btf_trace_visit"]
    assert btf.names("", Kind.TYPEDEF) == ["pid_t", "btf_trace_visit", "atomic_t"]
    assert btf.names("pid", Kind.STRUCT) == []


def test_parameters_arrays_sections(btf: Btf) -> None:
    assert btf.parameters(btf.type(13)) == [("", 14), ("", 6), ("", 12)]
    assert btf.parameters(btf.type(25)) == [("__data", 14), ("head", 6), ("buffer", 12)]
    assert btf.element(btf.type(4)) == (3, 16)
    assert btf.section(".data..percpu") == {21}
    assert btf.section(".data") == set()
    assert btf.encoding(btf.type(1)) == (True, 32, 0)


def test_the_index_can_be_kept(btf: Btf) -> None:
    again = Btf(example().bytes(), btf.index)
    assert again.index is btf.index
    assert again.ids("atomic_t") == [20]
    assert [again.type(i) for i in range(31)] == [btf.type(i) for i in range(31)]


@pytest.mark.parametrize("damage", [b"", b"x" * 7, b"\0" * 264])
def test_an_index_that_does_not_fit_is_made_anew(btf: Btf, damage: bytes) -> None:
    other = example()
    other.add("later", Kind.PTR, 0)
    for index in (damage, btf.index[:-8], Btf(other.bytes()).index):
        again = Btf(example().bytes(), index)
        assert again.index == btf.index
        assert again.ids("atomic_t") == [20]


def test_what_is_not_btf_is_refused() -> None:
    good = example().bytes()
    for data, words in [
        (b"", "not BTF"),
        (b"\x7fELF" + bytes(100), "not BTF"),
        (struct.pack(">H", 0xEB9F) + good[2:] if good[0] == 0x9F else struct.pack("<H", 0xEB9F) + good[2:], "not BTF"),
        (good[:2] + b"\2" + good[3:], "not BTF"),
        (good[:-1], "cut short"),
    ]:
        with pytest.raises(UnsupportedError, match=words):
            Btf(data)


def test_a_kind_from_the_future_is_refused_by_number() -> None:
    blob = example()
    blob.add("tomorrow", 25, 0)
    with pytest.raises(UnsupportedError, match="kind 25"):
        Btf(blob.bytes())


def test_a_description_that_is_cut_short_is_damage() -> None:
    blob = example()
    blob.types.append(struct.pack("=3I", 0, Kind.STRUCT << 24 | 2, 8))  # two members promised, none there
    with pytest.raises(UnsupportedError, match="damaged"):
        Btf(blob.bytes())


def test_a_kernel_without_btf_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="CONFIG_DEBUG_INFO_BTF"):
        Btf.open(str(tmp_path / "vmlinux"))


def test_an_ordinary_file_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "vmlinux").write_bytes(example().bytes())
    assert Btf.open(str(tmp_path / "vmlinux")).ids("pid_t") == [9]
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(UnsupportedError):
        Btf.open(str(tmp_path / "empty"))


# --- program types, by hand -----------------------------------------------------------------------------------------


def test_typedefs_keep_their_names(types: KernelTypes) -> None:
    assert types.typedef("pid_t") == Int("pid_t", 4, True)
    assert types.typedef("atomic_t") == Struct("struct", "atomic_t", 4)
    assert types.typedef("node") is None
    atomic = types.typedef("atomic_t")
    assert isinstance(atomic, Struct)
    assert atomic.members == (Member("counter", INT, 0),)


def test_basic_types_have_the_names_that_c_has(types: KernelTypes) -> None:
    assert [types.type(i) for i in (1, 2, 3, 28, 30)] == [INT, UINT, CHAR, BOOL, ULONG]
    assert types.type(0) == VOID
    assert types.type(29) == Array(ULONG, 2)


def test_structures_resolve_their_members_when_asked(types: KernelTypes) -> None:
    node = types.struct("struct", "node")
    assert node is not None
    assert node.size == 32
    assert node.members == (
        Member("next", Pointer(node), 0),
        Member("flags", UINT, 64, 3),
        Member("kind", UINT, 67, 5),
        Member("name", Array(CHAR, 16), 96),
    )
    assert types.struct("union", "node") is None


def test_declared_structures_are_incomplete(types: KernelTypes) -> None:
    assert types.struct("struct", "opaque") == Struct("struct", "opaque", None)
    assert types.struct("union", "either") == Struct("union", "either", None)
    assert types.struct("struct", "either") is None


def test_the_user_tag_is_the_user_space(types: KernelTypes) -> None:
    assert types.type(12) == Pointer(CHAR, Space.USER)
    assert types.type(14) == Pointer(VOID, Space.KERNEL)


def test_enumerations_and_their_constants(types: KernelTypes) -> None:
    color = Enum("color", 4, True, (("RED", 0), ("BLUE", -2)))
    assert types.enum("color") == color
    assert types.enumerator("BLUE") == (-2, color)
    assert types.enum("node") is None
    assert types.enumerator("node") is None


def test_a_prototype_has_its_names_from_the_function_of_the_tracepoint(types: KernelTypes) -> None:
    node = types.struct("struct", "node")
    assert node is not None
    assert types.prototype("btf_trace_visit") == [("head", Pointer(node)), ("buffer", Pointer(CHAR, Space.USER))]
    assert types.prototype("btf_trace_leave") is None
    assert types.prototype("pid_t") is None
    assert types.btf_id("btf_trace_visit") == 16
    assert types.btf_id("node") is None
    assert list(types.typedef_names("btf_trace_")) == ["btf_trace_visit"]


def test_functions_have_parameters(types: KernelTypes) -> None:
    made = types.type(13)
    assert isinstance(made, Func)
    assert made.result == INT
    assert made.parameters[0] == Pointer(VOID)


def test_a_bit_field_of_the_old_kind_is_narrower_than_its_bytes() -> None:
    blob = Blob()
    narrow = blob.add("unsigned char", Kind.INT, 1, 2 << 16 | 3)  # three bits, at bit 2
    blob.add("old", Kind.STRUCT, 4, blob.name("bits"), narrow, 8, vlen=1)
    old = KernelTypes(Btf(blob.bytes())).struct("struct", "old")
    assert old is not None
    assert old.members == (Member("bits", UCHAR, 10, 3),)


def test_a_per_cpu_variable_has_no_address(types: KernelTypes, monkeypatch: pytest.MonkeyPatch) -> None:
    from invivo.linux import kallsyms

    monkeypatch.setattr(kallsyms.Kallsyms, "address", lambda self, name: 0xFFFFFFFF81000000)
    assert types.symbol("", "counters") is None
    assert types.symbol("vmlinux", "global") == (0xFFFFFFFF81000000, types.typedef("atomic_t"))
    assert types.symbol("xfs", "global") is None
    assert types.symbol("", "pid_t") is None


# --- the kernel's own -----------------------------------------------------------------------------------------------

needs_btf = pytest.mark.skipif(not os.access("/sys/kernel/btf/vmlinux", os.R_OK), reason="this kernel has no BTF")


@pytest.fixture(scope="module")
def kernel() -> KernelTypes:
    return KernelTypes(Btf.open())


@needs_btf
def test_every_type_of_the_kernel_can_be_made(kernel: KernelTypes) -> None:
    """And no member lies outside of its structure."""
    from invivo.program.types import size_of

    structures = 0
    for type_id in range(len(kernel.btf)):
        made = kernel.type(type_id)
        if isinstance(made, Struct) and made.size is not None:
            structures += 1
            for member in made.members:
                bits = member.bit_size or 8 * (size_of(member.type) or 0)
                assert member.bit_offset + bits <= 8 * made.size, (made, member)
    assert structures > 1000


@needs_btf
def test_members_follow_one_another(kernel: KernelTypes) -> None:
    """list_head is two pointers, on every kernel: next and prev, eight bytes each."""
    found = kernel.struct("struct", "list_head")
    assert found is not None
    assert found.size == 16
    assert found.members == (Member("next", Pointer(found), 0), Member("prev", Pointer(found), 64))


@needs_btf
def test_uapi_structures_are_as_large_as_their_manual_pages_say(kernel: KernelTypes) -> None:
    """struct timespec is two longs, and sockaddr_in is 16 bytes with a 16-bit port at 2 (ip(7))."""
    timespec = kernel.struct("struct", "timespec64")
    address = kernel.struct("struct", "sockaddr_in")
    assert timespec is not None
    assert timespec.size == 16
    assert address is not None
    assert address.size == 16
    port = address.find("sin_port")
    assert port is not None
    assert (port.bit_offset, port.type) == (16, Int("__be16", 2, False))


@needs_btf
def test_members_of_anonymous_unions_are_found(kernel: KernelTypes) -> None:
    """`struct page` is full of them; its first member is flags, at 0 (or a structure with them)."""
    page = kernel.struct("struct", "page")
    assert page is not None
    assert any(not member.name for member in page.members)
    mapping = page.find("mapping")
    assert mapping is not None
    assert mapping.type == Pointer(kernel.struct("struct", "address_space") or VOID)


@needs_btf
def test_constants_are_those_of_the_headers(kernel: KernelTypes) -> None:
    """BPF_MAP_TYPE_HASH is 1 and BPF_PROG_TYPE_KPROBE 2 for ever, being uapi."""
    for name, value in (("BPF_MAP_TYPE_HASH", 1), ("BPF_PROG_TYPE_KPROBE", 2), ("PERF_TYPE_TRACEPOINT", 2)):
        found = kernel.enumerator(name)
        assert found is not None
        assert found[0] == value


@needs_btf
def test_the_prototype_of_sched_switch(kernel: KernelTypes) -> None:
    """As TP_PROTO of include/trace/events/sched.h has had it since Linux 5.18: preempt, prev, next, prev_state."""
    prototype = kernel.prototype("btf_trace_sched_switch")
    assert prototype is not None
    task = Pointer(kernel.struct("struct", "task_struct") or VOID)
    assert prototype[:3] == [("preempt", Int("bool", 1, False)), ("prev", task), ("next", task)]
    assert "btf_trace_sched_switch" in kernel.typedef_names("btf_trace_sched_")


@needs_btf
def test_typedefs_of_the_kernel(kernel: KernelTypes) -> None:
    assert kernel.typedef("pid_t") == Int("pid_t", 4, True)
    assert kernel.typedef("u64") == Int("u64", 8, False)
    assert kernel.typedef("size_t") == Int("size_t", 8, False)
    assert kernel.type(kernel.btf.ids("long int", Kind.INT)[0]) == LONG


@needs_btf
def test_the_index_is_kept_in_the_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = KernelTypes().btf
    (kept,) = (tmp_path / "invivo").iterdir()
    assert kept.name.startswith("btf-")
    assert kept.read_bytes().endswith(first.index)
    second = KernelTypes()
    assert second.btf.index == first.index
    assert second.typedef("pid_t") == Int("pid_t", 4, True)
    kept.write_bytes(kept.read_bytes()[:1000])  # a damaged one is replaced
    assert KernelTypes().btf.index == first.index
    assert kept.read_bytes().endswith(first.index)
