"""Libraries by name, as the dynamic loader finds them: in its cache, then in its standard directories.

    find_library("libc.so.6")    "/lib/x86_64-linux-gnu/libc.so.6"
    find_library("libc")         the same: what follows .so may be left out
    find_file("bash")            "/usr/bin/bash": a path, a command of PATH, or a library

Source: ld.so(8); the cache's layout is glibc's sysdeps/generic/dl-cache.h ("glibc-ld.so.cache1.1").
"""

from __future__ import annotations

import os
import struct

from invivo import dependencies

__all__ = ["cached_libraries", "find_file", "find_library"]

_MAGIC = b"glibc-ld.so.cache1.1"
_CACHE = "/etc/ld.so.cache"
_DIRECTORIES = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib")
_X86_64 = 0x0300  # FLAG_X8664_LIB64


def cached_libraries(path: str = _CACHE) -> dict[str, str]:
    """Sonames and paths of the cache's libraries for this architecture; empty where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError:
        return {}
    start = data.find(_MAGIC)
    if start < 0 or start + 48 > len(data):
        return {}
    count = struct.unpack_from("<I", data, start + 20)[0]
    found: dict[str, str] = {}
    wanted = _X86_64 if os.uname().machine == "x86_64" else None
    for at in range(start + 48, min(start + 48 + 24 * count, len(data) - 23), 24):
        flags, key, value = struct.unpack_from("<III", data, at)
        if wanted is not None and flags & 0xFF00 != wanted:
            continue
        found.setdefault(_string(data, start + key), _string(data, start + value))
    return found


def _string(data: bytes, at: int) -> str:
    return data[at : data.find(b"\0", at)].decode("utf-8", "surrogateescape")


def find_library(name: str, directories: tuple[str, ...] = _DIRECTORIES) -> str | None:
    """The path of a library by its soname or by the part before `.so`; None if there is none."""
    cache = cached_libraries()
    if name in cache:
        return cache[name]
    for soname in sorted(cache):
        if soname.startswith(name + ".so"):
            return cache[soname]
    for directory in directories:
        path = os.path.join(directory, name)
        if os.path.isfile(path):
            return path
    return None


def find_file(name: str) -> str | None:
    """The real path of a file: by a path, as a command of PATH, or as a library; None if there is none."""
    import shutil

    path = name if "/" in name else shutil.which(name) or find_library(name)
    found = os.path.realpath(path) if path is not None and os.path.exists(path) else None
    dependencies.name(name, found)
    return found
