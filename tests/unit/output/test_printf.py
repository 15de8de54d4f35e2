"""printf()'s conversions, against C's own snprintf(3) where C has them, and hand-made texts where it has not."""

from __future__ import annotations

import ctypes
import itertools
import time

import pytest

from invivo.consumer.records import Raw, Stack
from invivo.consumer.resolve import Resolver
from invivo.output.printf import Style, compile_printf
from invivo.program.records import FieldKind, FieldType
from tests.unit.consumer.frames import INT16, INT32, INT64, INTERNED, STRING, SYM, UINT8, UINT32, UINT64, FakeServices

LIBC = ctypes.CDLL(None)


def c_printf(format_: str, *arguments: ctypes._SimpleCData[int] | bytes) -> bytes:
    """What C prints."""
    room = ctypes.create_string_buffer(4096)
    LIBC.snprintf(room, len(room), format_.encode(), *arguments)
    return room.value


def printed(format_: str, *arguments: tuple[Raw, FieldType], is_escaped: bool = False) -> bytes:
    """What invivo prints."""
    services = FakeServices()
    services.symbols = {0xFFFF_0010: "vmlinux`vfs_read+0x10", 0xFFFF_0000: "vmlinux`vfs_read"}
    style = Style(Resolver(services), is_escaped=is_escaped)
    types = [type_ for _, type_ in arguments]
    return compile_printf(format_, tuple(range(len(types))), types, style)(tuple(value for value, _ in arguments))


NUMBERS = [0, 1, 7, 8, 42, 255, 1000, 65535, 1 << 31, (1 << 63) - 1]


@pytest.mark.parametrize("conv", "diuxXo")
@pytest.mark.parametrize("flags", ["", "-", "0", "#", "-0", "#0", "+", " ", "+ ", "-#"])
def test_integers_print_as_in_c(conv: str, flags: str) -> None:
    """64-bit integers of all widths and precisions, both signs."""
    if conv in "uxXo":
        flags = flags.replace("+", "").replace(" ", "")  # undefined in C there
    for width, precision, number in itertools.product(["", "5", "24"], ["", ".0", ".3", ".12"], NUMBERS):
        for value in (number, -number):
            format_ = f"%{flags}{width}{precision}"
            expected = c_printf(f"{format_}ll{conv}", ctypes.c_longlong(value))
            assert printed(format_ + conv, (value, INT64)) == expected, (format_ + conv, value)


@pytest.mark.parametrize(("type_", "c_type", "size"), [(INT32, ctypes.c_int, "%"), (INT16, ctypes.c_short, "%h")])
def test_unsigned_conversions_keep_to_the_argument_s_size(type_: FieldType, c_type: type, size: str) -> None:
    """%x of an int that is -2 has 8 digits, of a short 4."""
    for conv in "xXou":
        assert printed(f"%{conv}", (-2, type_)) == c_printf(size + conv, c_type(-2))


def test_d_follows_the_type_and_ld_is_signed() -> None:
    """A uint32_t of 4294967295 is that by %d, and -1 by %ld: the size is the argument's, the sign the conversion's."""
    assert printed("%d %ld", (0xFFFF_FFFF, UINT32), (0xFFFF_FFFF, UINT32)) == b"4294967295 -1"
    assert printed("%d", ((1 << 64) - 1, UINT64)) == b"18446744073709551615"


@pytest.mark.parametrize("format_", ["%s", "%20s", "%-20s|", "%.3s", "%10.2s|", "%-10.2s|", "%.0s|", "%3s"])
def test_strings_print_as_in_c(format_: str) -> None:
    for text in (b"", b"a", b"hello, world", b"caf\xc3\xa9 \xff"):
        assert printed(format_, (text, STRING)) == c_printf(format_, text)


@pytest.mark.parametrize(("width", "precision"), [(5, 2), (-5, 2), (0, 0), (12, -1)])
def test_stars_take_arguments_as_in_c(width: int, precision: int) -> None:
    """A negative width means left, a negative precision none."""
    ours = printed("%*.*s|", (width, INT32), (precision, INT32), (b"abc", STRING))
    assert ours == c_printf("%*.*s|", ctypes.c_int(width), ctypes.c_int(precision), b"abc")
    ours = printed("%*d|", (width, INT32), (7, INT32))
    assert ours == c_printf("%*d|", ctypes.c_int(width), ctypes.c_int(7))


def test_characters() -> None:
    assert printed("%c%c%3c|%-3c|", (65, INT32), (0x142, INT32), (66, UINT8), (67, INT64)) == b"AB  B|C  |"
    assert printed("%C%C%C", (10, INT32), (65, INT32), (7, UINT8)) == b"\\nA\\a"


def test_d_s_own_conversions() -> None:
    assert printed("%'d", (1234567, INT64)) == b"1,234,567"
    assert printed("%?x|%-?x|", (255, UINT64), (255, UINT64)) == b"              ff|ff              |"
    assert printed("%p", (0xFFFF_8000_0000_0000, UINT64)) == b"ffff800000000000"
    assert printed("%S", (b'a\n"\x01\\', STRING)) == b'a\\n\\"\\x01\\\\'
    assert printed("%a %a", (0xFFFF_0010, UINT64), (0x10, UINT64)) == b"vmlinux`vfs_read+0x10 0x10"
    assert printed("%s %s", (0xFFFF_0010, SYM), (0xFFFF_0010, SYM._replace(name="mod"))) == b"vmlinux`vfs_read vmlinux"
    assert printed("%s!", (b"read", INTERNED)) == b"read!"


def test_stack_conversion() -> None:
    stack = Stack((1, 2), ("a`b", "a`c+0x1"), False, 0)
    text = b"\n              a`b\n              a`c+0x1\n"
    assert printed("%k", (stack, FieldType(FieldKind.KSTACK, 8))) == text


def test_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """1700000000 is Tue Nov 14 22:13:20 UTC 2023, as `date -u -d @1700000000` says."""
    monkeypatch.setenv("TZ", "UTC-2")  # two hours east
    time.tzset()
    try:
        moment = 1_700_000_000_999_999_999
        assert printed("%Y", (moment, INT64)) == b"2023 Nov 15 00:13:20"
        assert printed("%T", (moment, UINT64)) == b"Tue, 14 Nov 2023 22:13:20 UTC"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_percent_signs_and_order() -> None:
    assert printed("100%% %s=%d%%", (b"x", STRING), (5, INT32)) == b"100% x=5%"


def test_control_characters_are_shown_on_a_terminal_only() -> None:
    hostile = b"\x1b[2Jx"
    assert printed("\x1b[1m%s%c", (hostile, STRING), (27, INT32)) == b"\x1b[1m\x1b[2Jx\x1b"
    assert printed("\x1b[1m%s%c", (hostile, STRING), (27, INT32), is_escaped=True) == b"\x1b[1m\\x1b[2Jx\\x1b"
