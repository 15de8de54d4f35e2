"""The loop's machine code: compiled by LLVM once, kept in the user's cache, mapped to be executed.

    run = load_loop()
    run(address of the control block)      see loop_ir.py for what it returns; other Python threads go on meanwhile

The code is mapped from a memory file, readable and executable and never writable. Where that is refused, or the
machine is another, there is no loop, and the tracer handles every stop in Python.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
from collections.abc import Callable

__all__ = ["load_loop"]

_MACHINE = "x86_64"

_loaded: list[Callable[[int], int]] = []


def load_loop() -> Callable[[int], int] | None:
    """The loop, or None where it cannot be had."""
    if not _loaded:
        if os.uname().machine != _MACHINE:
            return None
        made = _mapped(_code())
        if made is None:
            return None
        _loaded.append(made)
    return _loaded[0]


def _code() -> bytes:
    from hashlib import sha256

    from invivo.cache import cache_dir, write_atomically
    from invivo.engines.process.native.loop_ir import text

    source = text()
    directory = cache_dir()
    path = f"{directory}/tracer-{sha256(source.encode()).hexdigest()[:16]}" if directory else ""
    if path:
        try:
            with open(path, "rb") as stream:
                return stream.read()
        except OSError:
            pass
    from invivo.codegen.host_code import machine_code

    code = machine_code(source)
    if code is None:
        return b""
    if path:
        with contextlib.suppress(OSError):
            write_atomically(path, code)
    return code


def _mapped(code: bytes) -> Callable[[int], int] | None:
    """The code as a function. It stays mapped as long as this process lives."""
    if not code:
        return None
    libc_mmap = ctypes.CDLL(None).mmap
    libc_mmap.restype = ctypes.c_void_p
    libc_mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *(ctypes.c_int,) * 3, ctypes.c_long)
    try:
        fd = os.memfd_create("invivo-tracer", os.MFD_CLOEXEC)
    except OSError:
        return None
    try:
        os.write(fd, code)
        address = libc_mmap(None, len(code), mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE, fd, 0)
    except OSError:
        return None
    finally:
        os.close(fd)
    if address in (None, ctypes.c_void_p(-1).value):
        return None
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)
