"""Structures as print() shows them: the address, then the type and the members that are not 0, each on a line.

    0xffff888118d7c920 = *
                                                (struct list_head) {
                                                 .next = (struct list_head *)0xffff88811fbc4920,
                                                }

Of what was not recorded (option printsize), "..." stands.
"""

from __future__ import annotations

from invivo.consumer.floats import number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.program.actions import Shape

__all__ = ["structure_text"]

_COLUMN = 44  # where the data of default output begins


def structure_text(shape: Shape, title: str, data: bytes) -> bytes:
    """The text of a whole value; `title` is its first line."""
    lines = [title]
    _value(lines, "", shape, data, 0, 0, 0)
    if shape.kind in ("struct", "array"):
        lines[-1] = lines[-1].rstrip(",")
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _value(lines: list[str], name: str, shape: Shape, data: bytes, bit: int, bits: int, depth: int) -> None:
    """One value at bit `bit` of the data, `bits` wide if it is a bit-field; `name` is ".NAME = " or empty."""
    space = " " * (_COLUMN + depth)
    start = bit // 8
    if shape.kind == "array" and shape.element is not None:
        lines.append(f"{space}{name}({shape.name}) [")
        _elements(lines, shape.element, data[: start + shape.size], start, depth + 1)
        lines.append(f"{space}],")
    elif shape.kind == "struct":
        lines.append(f"{space}{name}({shape.name}) {{")
        for member, offset, width, inner in shape.members:
            end = bit + offset + (width or 8 * inner.size)
            if end > 8 * len(data):
                lines.append(f"{space} ...")
                break
            if _bits(data, bit + offset, width or 8 * inner.size):
                label = f".{member} = " if member else ""
                _value(lines, label, inner, data, bit + offset, width, depth + 1)
        lines.append(f"{space}}},")
    else:
        lines.append(f"{space}{name}({shape.name}){_scalar(shape, data, bit, bits)},")


def _elements(lines: list[str], element: Shape, data: bytes, start: int, depth: int) -> None:
    if not element.size:
        return
    for position in range(start, len(data) - element.size + 1, element.size):
        if any(data[position : position + element.size]):
            _value(lines, "", element, data, 8 * position, 0, depth)


def _bits(data: bytes, bit: int, width: int) -> int:
    """The number in `width` bits, on a little-endian machine."""
    first, last = bit // 8, (bit + width + 7) // 8
    return int.from_bytes(data[first:last], "little") >> bit % 8 & (1 << width) - 1


def _scalar(shape: Shape, data: bytes, bit: int, bits: int) -> str:
    width = bits or 8 * shape.size
    number = _bits(data, bit, width)
    match shape.kind:
        case "pointer":
            return f"{number:#x}"
        case "float":
            return f"{number_of(data[bit // 8 : bit // 8 + shape.size]):g}"
    if shape.signed and number >> (width - 1):
        number -= 1 << width
    if shape.kind == "char" and 0x20 <= number < 0x7F:
        return f"'{chr(number)}'"
    return dict(shape.names).get(number, str(number))
