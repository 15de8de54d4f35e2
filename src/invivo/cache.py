"""The user's cache directory: what is slow to compute and the same until the kernel changes.

Out: a directory that only this user can write to (plans are unpickled from it, so nothing less will do), a file written
whole or not at all, and a key that names the running kernel's build.

    cache_dir()                              -> "/home/ada/.cache/invivo", or None where there is no safe place
    kernel_key()                             -> "x86_64 6.18.44 #1 SMP ... 5516713 4a5a9b0affb66c43..."
    write_atomically(f"{directory}/x", data)
"""

from __future__ import annotations

import os
import stat

__all__ = ["BTF_PATH", "cache_dir", "kernel_key", "write_atomically"]

BTF_PATH = "/sys/kernel/btf/vmlinux"
NOTES_PATH = "/sys/kernel/notes"
ROOT_CACHE = "/var/cache/invivo"


def cache_dir() -> str | None:
    """The directory for invivo's cached files, made with mode 0700 if it is absent; None if there can be none.

    It is $XDG_CACHE_HOME/invivo or ~/.cache/invivo; for root, whose HOME sudo may leave pointing at another user's
    directory, /var/cache/invivo if that one will not do. A directory is refused if another user could write to it or
    put another one in its place.
    """
    for path in _candidates():
        if _make(path) and _is_ours_alone(path):
            return path
    return None


def _candidates() -> list[str]:
    found = []
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG base directory specification: a relative path is to be ignored
        found.append(os.path.join(base, "invivo"))
    else:
        home = os.path.expanduser("~")
        if os.path.isabs(home):
            found.append(os.path.join(home, ".cache", "invivo"))
    if os.geteuid() == 0:
        found.append(ROOT_CACHE)
    return found


def _make(path: str) -> bool:
    if os.path.isdir(path):
        return True
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        os.mkdir(path, 0o700)
    except FileExistsError:  # made by another process just now, or a file
        return os.path.isdir(path)
    except OSError:
        return False
    return True


def _is_ours_alone(path: str) -> bool:
    """Whether the directory is ours with no writer but us, and every directory above it lets nobody else rename it."""
    uid = os.geteuid()
    try:
        real = os.path.realpath(path, strict=True)
        here = os.stat(real)
        if here.st_uid != uid or stat.S_IMODE(here.st_mode) & 0o022:
            return False
        while real != "/":
            real = os.path.dirname(real)
            above = os.stat(real)
            if above.st_uid not in (uid, 0):
                return False
            if above.st_mode & 0o022 and not above.st_mode & stat.S_ISVTX:
                return False
    except OSError:
        return False
    return True


def write_atomically(path: str, data: bytes) -> None:
    """Write a file (mode 0600) so that a reader, or a crash, sees the old one or the new one and never a part.

    Raises:
        OSError: It cannot be written; nothing is left behind.
    """
    from invivo.whole_file import write_whole  # a warm start writes nothing

    write_whole(path, (data,), 0o600)


def kernel_key() -> str:
    """A text that differs between any two builds of the kernel: its machine, release, version, BTF size, build id."""
    kernel = os.uname()
    try:
        btf_size = os.stat(BTF_PATH).st_size
    except OSError:
        btf_size = 0
    return f"{kernel.machine} {kernel.release} {kernel.version} {btf_size} {_build_id()}"


def _build_id() -> str:
    """The GNU build id in the kernel's ELF notes, in hexadecimal, or "". See elf(5), "Notes"."""
    try:
        with open(NOTES_PATH, "rb") as stream:
            notes = stream.read()
    except OSError:
        return ""
    position = 0
    while position + 12 <= len(notes):
        name_size, size, kind = (int.from_bytes(notes[position + i : position + i + 4], "little") for i in (0, 4, 8))
        name_at = position + 12
        data_at = name_at + (name_size + 3 & ~3)
        if kind == 3 and notes[name_at : name_at + name_size] == b"GNU\0":
            return notes[data_at : data_at + size].hex()
        position = data_at + (size + 3 & ~3)
    return ""
