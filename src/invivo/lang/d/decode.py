"""Program text from bytes: it must be UTF-8, without NUL.

In: a name and the bytes of a file or an argument. Out: a SourceFile, or a CompileError that points to the first bad
byte.

    read_source("x.d", b"BEGIN { trace(\\xff) }")
    x.d:1:15: error[D_SYNTAX]: byte 0xff is not UTF-8, which program text must be
"""

from __future__ import annotations

from typing import NoReturn

from invivo.diagnostics import Diagnostic
from invivo.errors import CompileError
from invivo.source import SourceFile, Span

__all__ = ["read_source"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_source(name: str, data: bytes) -> SourceFile:
    """The text of a program; a byte order mark before it is dropped.

    Raises:
        CompileError: A byte is not UTF-8, or NUL.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    bad = data.find(b"\0")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if bad < 0 or error.start < bad:
            bad = error.start
            message = f"byte 0x{data[bad]:02x} is not UTF-8, which program text must be"
            _refuse(name, data, bad, message)
        text = ""
    if bad >= 0:
        _refuse(name, data, bad, "byte 0x00 (NUL) has no place in program text")
    return SourceFile(name, text)


def _refuse(name: str, data: bytes, offset: int, message: str) -> NoReturn:
    file = SourceFile(name, data.decode(errors="replace"))
    # What comes before the first bad byte is well-formed, so its characters can be counted.
    start = len(data[:offset].decode(errors="replace"))
    raise CompileError([Diagnostic("D_SYNTAX", Span(file, start, start + 1), message, _hint(data))])


def _hint(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "the text is UTF-16: convert it with iconv -f UTF-16 -t UTF-8"
    if data.startswith(b"\x7fELF"):
        return "this is a binary program, not a D program"
    if b"\0" in data:
        return "is this a text file? Other encodings are converted with iconv -f ENCODING -t UTF-8"
    return "convert it with iconv, for example: iconv -f ISO-8859-1 -t UTF-8"
