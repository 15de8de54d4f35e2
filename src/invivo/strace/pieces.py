"""Arguments as text: each kind of argument is a Piece, made for its place in the call.

    path(1).early(frame)          '"/etc/passwd"'; None if it is known when the call has returned
    buffer_out(1, 2).late(frame)  '"root:x:0:0:"...'

A piece also says what memory it reads, so that an engine may capture that and let the process go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from invivo.strace.flags import Names, signal_name, styled
from invivo.strace.frame import Frame
from invivo.strace.structures import quoted, signal_set, size_of, structure

__all__ = [
    "MASK_IN_FRAME", "RESULT", "Capture", "Piece", "address", "array", "buffer_in", "buffer_out", "descriptor",
    "descriptors", "environment", "flags", "hexadecimal", "in_out_number", "mask_of_frame", "mode", "number",
    "number_at", "path", "signal_number", "string_out", "strings", "structure_in", "structure_out", "text", "unsigned",
]  # fmt: skip

RESULT = 6  # as the index of a count: what the call returned
_PATH_MAX = 4096


class Capture(NamedTuple):
    """Memory to read when the call begins or (`at_return`) ends: from the address in argument `argument` (-1: where the
    mask of a signal's frame lies) `size` bytes, or a string of at most so many. -1 as size: as many as are shown. Where
    `times` is an index of an argument (or RESULT), at most as many times `unit` bytes as that says."""

    argument: int
    size: int
    at_return: bool = False
    is_string: bool = False
    times: int = -1
    unit: int = 1


class Piece(NamedTuple):
    """How one argument is shown. `early` gives its text when the call begins, or None; then `late` does, at the return.
    `note` reads what will be needed then. `captures` is None where what is read depends on memory itself."""

    early: Callable[[Frame], str | None]
    late: Callable[[Frame], str] | None = None
    note: Callable[[Frame], None] | None = None
    captures: tuple[Capture, ...] | None = ()


def _not_yet(frame: Frame) -> str | None:
    return None


# --- plain words ------------------------------------------------------------------------------------------------------


def number(index: int, bits: int = 32) -> Piece:
    """A signed number."""
    half, full = 1 << bits - 1, 1 << bits

    def early(frame: Frame) -> str:
        word = frame.words[index] & full - 1
        return str(word - full if word & half else word)

    return Piece(early)


def unsigned(index: int, bits: int = 32) -> Piece:
    """A number without a sign."""
    mask = (1 << bits) - 1
    return Piece(lambda frame: str(frame.words[index] & mask))


def hexadecimal(index: int, zero: str = "0", bits: int = 64) -> Piece:
    """Bits, or an address that is not read."""
    mask = (1 << bits) - 1
    return Piece(lambda frame: f"{word:#x}" if (word := frame.words[index] & mask) else zero)


def address(index: int) -> Piece:
    """An address that is not read."""
    return hexadecimal(index, "NULL")


def flags(index: int, names: Names, bits: int = 32) -> Piece:
    """Named values or bits; a text is made once for each value."""
    mask = (1 << bits) - 1
    known: dict[int, str] = {}

    def early(frame: Frame) -> str:
        word = frame.words[index] & mask
        text = known.get(word)
        if text is None:
            if len(known) > 4096:
                known.clear()
            text = known[word] = names.text(word)
        return text

    return Piece(early)


def mode(index: int) -> Piece:
    """Permissions, in octal."""
    return Piece(lambda frame: f"{word:04o}" if (word := frame.words[index] & 0xFFFF) else "000")


def descriptor(index: int) -> Piece:
    """A file's number, or AT_FDCWD."""

    def early(frame: Frame) -> str:
        word = frame.words[index] & 0xFFFFFFFF
        return frame.descriptor(word - (word >> 31 << 32))

    return Piece(early)


def signal_number(index: int) -> Piece:
    """A signal."""


    def early(frame: Frame) -> str:
        number = frame.words[index] & 0xFFFFFFFF
        return styled(str(number), signal_name(number))

    return Piece(early)


# In struct ucontext, which lies on the stack at rt_sigreturn(2): arch/x86/include/uapi/asm/ucontext.h.
MASK_IN_FRAME = 296


def mask_of_frame() -> Piece:
    """The signal mask that a handler's end puts back."""

    def early(frame: Frame) -> str:
        mask = frame.number(frame.stack + MASK_IN_FRAME, 8, False)
        return "" if mask is None else f"{{mask={signal_set(mask)}}}"

    return Piece(early, captures=(Capture(-1, 8),))


# --- bytes and strings ------------------------------------------------------------------------------------------------


def _string(frame: Frame, at: int, limit: int, most: int = _PATH_MAX) -> str:
    if not at:
        return "NULL"
    text = frame.source.read_string(at, most)
    return f"{at:#x}" if text is None else quoted(text, limit)


def path(index: int) -> Piece:
    """A path, shown whole, as far as the kernel would read it."""
    capture = Capture(index, _PATH_MAX, is_string=True)
    return Piece(lambda frame: _string(frame, frame.words[index], _PATH_MAX), captures=(capture,))


def text(index: int) -> Piece:
    """A string that is no path: cut as buffers are."""
    capture = Capture(index, _PATH_MAX, is_string=True)
    return Piece(lambda frame: _string(frame, frame.words[index], frame.limit), captures=(capture,))


def _bytes(frame: Frame, at: int, size: int) -> str:
    if not at:
        return "NULL"
    data = frame.source.read(at, min(size, frame.limit + 1))
    return quoted(data, frame.limit) if data or not size else f"{at:#x}"


def buffer_in(index: int, length: int) -> Piece:
    """Bytes that the call reads, as many as another argument says."""
    capture = Capture(index, -1, times=length)
    return Piece(lambda frame: _bytes(frame, frame.words[index], frame.words[length]), captures=(capture,))


def buffer_out(index: int, length: int) -> Piece:
    """Bytes that the call filled, as many as it returned."""

    def late(frame: Frame) -> str:
        at = frame.words[index]
        if frame.has_failed:
            return f"{at:#x}" if at else "NULL"
        return _bytes(frame, at, min(frame.result, frame.words[length])) if at else "NULL"

    return Piece(_not_yet, late, captures=(Capture(index, -1, at_return=True, times=RESULT),))


def string_out(index: int) -> Piece:
    """A string that the call filled."""

    def late(frame: Frame) -> str:
        at = frame.words[index]
        return f"{at:#x}" if frame.has_failed and at else _string(frame, at, _PATH_MAX)

    return Piece(_not_yet, late, captures=(Capture(index, _PATH_MAX, at_return=True, is_string=True),))


def _pointers(frame: Frame, at: int, most: int) -> list[int]:
    found: list[int] = []
    while len(found) < most:
        word = frame.number(at + 8 * len(found), 8, False)
        if not word:
            break
        found.append(word)
    return found


def strings(index: int) -> Piece:
    """An array of strings that ends with NULL."""

    def early(frame: Frame) -> str:
        at = frame.words[index]
        if not at:
            return "NULL"
        pointers = _pointers(frame, at, frame.limit + 1)
        items = [_string(frame, pointer, frame.limit) for pointer in pointers[: frame.limit]]
        return f"[{', '.join(items)}{', ...' if len(pointers) > frame.limit else ''}]"

    return Piece(early, captures=None)


def environment(index: int) -> Piece:
    """The same, of which only the number is shown."""

    def early(frame: Frame) -> str:
        at = frame.words[index]
        if not at:
            return "NULL"
        count = len(_pointers(frame, at, 4096))
        return f"{at:#x} /* {count} var{'s' * (count != 1)} */"

    return Piece(early, captures=None)


# --- structures -------------------------------------------------------------------------------------------------------


def _structure(frame: Frame, type_: str, at: int, count: int) -> str:
    if not at:
        return "NULL"
    return structure(type_, at, frame, count) or f"{at:#x}"


def _count(frame: Frame, count: int) -> int:
    if count < 0:
        return 1
    return frame.result if count == RESULT else frame.signed(count)


def _captures(type_: str, index: int, at_return: bool, count: int) -> tuple[Capture, ...] | None:
    size = size_of(type_)
    if size is None:
        return None
    if not size.is_array:
        return (Capture(index, size.bytes, at_return),)
    return (Capture(index, size.bytes * size.most, at_return, times=count, unit=size.bytes),)


def structure_in(index: int, type_: str, count: int = -1) -> Piece:
    """A structure that the call reads; `count` is the argument with the number of elements, or of bytes."""
    return Piece(
        lambda frame: _structure(frame, type_, frame.words[index], _count(frame, count)),
        captures=_captures(type_, index, False, count),
    )


def structure_out(index: int, type_: str, count: int = -1) -> Piece:
    """A structure that the call filled."""

    def late(frame: Frame) -> str:
        at = frame.words[index]
        if frame.has_failed:
            return f"{at:#x}" if at else "NULL"
        return _structure(frame, type_, at, _count(frame, count))

    return Piece(
        lambda frame: None if frame.words[index] else "NULL", late, captures=_captures(type_, index, True, count)
    )


def number_at(index: int, size: int = 4, text: Callable[[int], str] = str, at_return: bool = True) -> Piece:
    """A number in memory: [16]."""

    def shown(frame: Frame) -> str:
        at = frame.words[index]
        value = None if at_return and frame.has_failed else frame.number(at, size)
        return ("NULL" if not at else f"{at:#x}") if value is None else f"[{text(value)}]"

    captures = (Capture(index, size, at_return),)
    if at_return:
        return Piece(lambda frame: None if frame.words[index] else "NULL", shown, captures=captures)
    return Piece(shown, captures=captures)


def in_out_number(index: int, size: int = 4, is_plain: bool = False) -> Piece:
    """A number that the call reads and sets: [128 => 16], or [16] if it is the same; with `is_plain`, [0] => [3]."""

    def note(frame: Frame) -> None:
        frame.notes[index] = frame.number(frame.words[index], size)

    def late(frame: Frame) -> str:
        before = frame.notes.get(index)
        if before is None:
            return f"{frame.words[index]:#x}"
        after = None if frame.has_failed else frame.number(frame.words[index], size)
        if after is None or (after == before and not is_plain):
            return f"[{before}]"
        return f"[{before}] => [{after}]" if is_plain else f"[{before} => {after}]"

    captures = (Capture(index, size), Capture(index, size, at_return=True))
    return Piece(lambda frame: None if frame.words[index] else "NULL", late, note, captures)


def descriptors(index: int) -> Piece:
    """Two numbers of files that the call made: [3, 4]."""

    def late(frame: Frame) -> str:
        at = frame.words[index]
        data = b"" if frame.has_failed else frame.read(at, 8)
        if len(data) != 8:
            return f"{at:#x}"
        first, second = (int.from_bytes(data[start : start + 4], "little", signed=True) for start in (0, 4))
        return f"[{frame.descriptor(first)}, {frame.descriptor(second)}]"

    return Piece(_not_yet, late, captures=(Capture(index, 8, at_return=True),))


def array(index: int, count: int, size: int, text: Callable[[int], str], at_return: bool = False) -> Piece:
    """Numbers in memory, as many as another argument says or the call returned."""
    most = 32

    def shown(frame: Frame) -> str:
        at = frame.words[index]
        wanted = min(max(_count(frame, count), 0), most)
        data = b"" if at_return and frame.has_failed else frame.read(at, size * wanted)
        if not at or len(data) < size * wanted or (at_return and frame.has_failed):
            return f"{at:#x}" if at else "NULL"
        items = [text(int.from_bytes(data[start : start + size], "little")) for start in range(0, len(data), size)]
        return f"[{', '.join(items)}{', ...' if _count(frame, count) > most else ''}]"

    captures = (Capture(index, size * most, at_return, times=count, unit=size),)
    if at_return:
        return Piece(lambda frame: None if frame.words[index] else "NULL", shown, captures=captures)
    return Piece(shown, captures=captures)
