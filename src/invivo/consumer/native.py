"""Runs a plan's compiled formatter (see codegen.formatter): batches of frames in, finished text out.

    blob | magic 8 | code bytes u32 | table bytes u32 | code | table |
    format(frames, length, out, out_size, table, state) -> bytes of frames done; state[0] becomes the bytes of text

The code is mapped from a memory file, readable and executable and never writable; where the system refuses that, there
is no native formatter, and Python does the work. The code stops at a frame that it was not made for.
"""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.consumer.output import NativeSink

__all__ = ["HEADER", "MAGIC", "NativeFormatter", "load_formatter"]

MAGIC = b"invivoF1"
HEADER = struct.Struct("<8sII")
MACHINE = "x86_64"  # what compile_formatter makes code for
_OUT_SIZE = 1 << 18
IS_ESCAPED = 1  # bit of state[1]: leave records to Python whose strings are not printing ASCII


class NativeFormatter:
    """A loaded formatter that writes to `sink`."""

    __slots__ = ("_address_of", "_code", "_function", "_out", "_out_view", "_sink", "_state", "_table")

    def __init__(self, code: object, table: int, function: object, sink: NativeSink) -> None:
        import ctypes

        self._code = code  # keeps the mapping
        self._table = table
        self._function = function
        self._sink = sink
        self._out = ctypes.create_string_buffer(_OUT_SIZE)
        self._out_view = memoryview(self._out).cast("B")
        self._state = (ctypes.c_uint64 * 2)(0, IS_ESCAPED if sink.is_escaped else 0)

    def run(self, frames: memoryview, position: int) -> int:
        """Format and write frames from `position` on; returns where it stopped: the end, or a frame for Python."""
        import ctypes

        view = _address(frames)
        try:
            base, end = view.buf or 0, len(frames)
            state, call, write = self._state, self._function, self._sink.write
            out = ctypes.addressof(self._out)
            while position < end:
                done = call(base + position, end - position, out, _OUT_SIZE, self._table, state)  # type: ignore[operator]
                if state[0]:
                    write(self._out_view[: state[0]])
                if not done:
                    break
                position += done
            return position
        finally:
            ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))


def load_formatter(blob: bytes, sink: NativeSink) -> NativeFormatter | None:
    """The formatter in `blob`, or None where it is not for this machine, or may not be executed."""
    if len(blob) < HEADER.size or os.uname().machine != MACHINE:
        return None
    magic, code_size, table_size = HEADER.unpack_from(blob)
    if magic != MAGIC or len(blob) != HEADER.size + code_size + table_size:
        return None
    import ctypes
    import mmap

    try:
        fd = os.memfd_create("invivo-formatter", os.MFD_CLOEXEC)
        try:
            os.write(fd, blob[HEADER.size :])
            code = mmap.mmap(fd, code_size + table_size, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)
        finally:
            os.close(fd)
    except OSError:
        return None
    view = _address(memoryview(code))
    start = view.buf or 0
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))
    void, size = ctypes.c_void_p, ctypes.c_uint64
    kind = ctypes.CFUNCTYPE(size, void, size, void, size, void, ctypes.POINTER(size))
    return NativeFormatter(code, start + code_size, kind(start), sink)


def _address(data: memoryview) -> _Buffer:
    """The buffer behind a memoryview, read-only ones too; to be released."""
    import ctypes

    view = _buffer_type()()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(data), ctypes.byref(view), 0)
    return view  # type: ignore[no-any-return]


if TYPE_CHECKING:
    import ctypes

    class _Buffer(ctypes.Structure):
        buf: int | None


_made: list[type] = []


def _buffer_type() -> type:
    """CPython's Py_buffer."""
    if not _made:
        import ctypes

        pointer, size = ctypes.c_void_p, ctypes.c_ssize_t

        class Buffer(ctypes.Structure):
            _fields_ = (
                ("buf", pointer), ("obj", pointer), ("len", size), ("itemsize", size), ("readonly", ctypes.c_int),
                ("ndim", ctypes.c_int), ("format", ctypes.c_char_p), ("shape", pointer), ("strides", pointer),
                ("suboffsets", pointer), ("internal", pointer),
            )  # fmt: skip

        _made.append(Buffer)
    return _made[0]
