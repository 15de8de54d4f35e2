"""elfutils' unwinder, by its library: the stack of a thread that the caller has stopped with ptrace(2).

    with Unwinder(4711) as unwinder:
        unwinder.stack()        [0x401136, 0x401180, ...], innermost first

Source: elfutils/libdwfl.h. dwfl_linux_proc_attach() may be told that the thread is stopped already.
"""

from __future__ import annotations

import ctypes
import ctypes.util

import pytest

_DWARF_CB_OK = 0


class _Callbacks(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("find_elf", "find_debuginfo", "section_address", "debug_path")]


_Frame = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class Unwinder:
    """Of a process with one thread that matters, its first. What it has mapped is looked up once."""

    def __init__(self, pid: int) -> None:
        try:
            self._dw = ctypes.CDLL(ctypes.util.find_library("dw") or "libdw.so.1")
        except OSError:
            pytest.skip("libdw is not there (apt-get install libdw1)")
        self._pid = pid
        self._callbacks = _Callbacks(
            *(
                ctypes.cast(getattr(self._dw, name), ctypes.c_void_p).value
                for name in ("dwfl_linux_proc_find_elf", "dwfl_standard_find_debuginfo")
            )
        )
        for name in ("dwfl_begin", "dwfl_linux_proc_report", "dwfl_report_end", "dwfl_linux_proc_attach"):
            getattr(self._dw, name).restype = ctypes.c_void_p if name == "dwfl_begin" else ctypes.c_int
        self._dwfl = ctypes.c_void_p(self._dw.dwfl_begin(ctypes.byref(self._callbacks)))
        assert self._dwfl
        self._ask("dwfl_linux_proc_report", ctypes.c_int(pid))
        self._ask("dwfl_report_end", None, None)
        assert self._dw.dwfl_linux_proc_attach(self._dwfl, ctypes.c_int(pid), ctypes.c_bool(True)) == 0
        self._found: list[int] = []
        self._frame = _Frame(self._take)

    def _ask(self, function: str, *arguments: object) -> None:
        assert getattr(self._dw, function)(self._dwfl, *arguments) == 0, function

    def _take(self, frame: int, _: int) -> int:
        address = ctypes.c_uint64()
        if not self._dw.dwfl_frame_pc(ctypes.c_void_p(frame), ctypes.byref(address), None):
            return -1
        self._found.append(address.value)
        return _DWARF_CB_OK

    def stack(self) -> list[int]:
        """Addresses of the frames, as far as it comes."""
        self._found = []
        self._dw.dwfl_getthread_frames(self._dwfl, ctypes.c_int(self._pid), self._frame, None)
        return self._found

    def __enter__(self) -> Unwinder:
        return self

    def __exit__(self, *_: object) -> None:
        self._dw.dwfl_end(self._dwfl)
