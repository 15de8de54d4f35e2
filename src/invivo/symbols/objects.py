"""The files that a process runs: its program, its libraries, each by the path under which this process can open it.

    mapped_objects(4711)    [MappedObject("nginx", ("nginx", "a.out"), "/usr/sbin/nginx", "/usr/sbin/nginx", True),
                             MappedObject("libc.so.6", ("libc.so.6", "libc"), ...), ...]

A process in another mount namespace (a container) sees other files under the same paths, and a file may have been
deleted or replaced since. What is opened is therefore compared with what is mapped, by device and inode: the path as it
is, then under /proc/PID/root, then the mapping itself (/proc/PID/map_files). Source: proc(5).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from invivo import dependencies
from invivo.errors import RightsError, TargetError
from invivo.linux import procfs
from invivo.linux.maps import Mapping, read_maps

__all__ = ["MappedObject", "file_object", "mapped_objects", "object_names"]

_STEM = re.compile(r"(?P<stem>[^/]+?)(?:-[0-9][0-9.]*)?\.so(?:\.[0-9A-Za-z.]*)?")

# While a thread calls execve(2), the first one of its process is on its way out, and has given up its memory before the
# other takes over its number: de_thread() in fs/exec.c. So long that may take on a busy machine.
_EXECUTES_S = 1.0
_PAUSE_S = 0.001


class MappedObject(NamedTuple):
    """`name` is the last part of the path, `names` all by which probe descriptions may call it, `path` the file as the
    process names it, `place` as this process opens it, `root` what stands before paths of the process's file system."""

    name: str
    names: tuple[str, ...]
    path: str
    place: str
    is_program: bool
    root: str = ""


def object_names(path: str) -> tuple[str, ...]:
    """What descriptions may call a file: "libc.so.6" and "libc"; "libm-2.31.so", "libm-2.31" and "libm"."""
    name = os.path.basename(path)
    names = [name]
    if match := _STEM.fullmatch(name):
        names += [name[: name.index(".so")], match["stem"]]
    return tuple(dict.fromkeys(names))


def file_object(path: str) -> MappedObject:
    """A file by its path, whoever runs it."""
    return MappedObject(os.path.basename(path), (*object_names(path), path), path, path, False)


def mapped_objects(pid: int) -> list[MappedObject]:
    """Files of which a process has executable mappings, the program first, then in order of address.

    Raises:
        TargetError: There is no such process, or it has ended.
        RightsError: Its mappings may not be read.
    """
    dependencies.process(pid)
    maps, deadline = read_maps(pid), time.monotonic() + _EXECUTES_S
    while maps == [] and len(procfs.threads(pid)) > 1 and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
        maps = read_maps(pid)
    if maps is None:
        if not os.path.exists(f"/proc/{pid}"):
            raise TargetError(f"there is no process {pid}", "see: ps -e")
        mend = "run as root, or as the process's user"
        if os.geteuid() == 0:
            mend = "root lacks CAP_SYS_PTRACE here, or a security module forbids it: ptrace(2), on access modes"
        raise RightsError(f"the mappings of process {pid} may not be read", mend)
    if not maps and _is_kernel_thread(pid):
        raise TargetError(f"process {pid} is a kernel thread: it runs no program", "see: invivo list 'sdt:::'")
    program = _identity(f"/proc/{pid}/exe")
    root = _root(pid)
    found: dict[tuple[tuple[int, int], int, str], MappedObject] = {}
    for mapping in maps:
        key = mapping.device, mapping.inode, mapping.path
        if not mapping.inode or not mapping.path.startswith("/") or key in found:
            continue
        path = mapping.path.removesuffix("//deleted").removesuffix(" (deleted)")
        place = _place(pid, mapping, path, root)
        if place is None:
            continue
        is_program = program is not None and _identity(place) == program
        names = (*object_names(path), path, *(("a.out", *_called(pid, place)) if is_program else ()))
        found[key] = MappedObject(os.path.basename(path), names, path, place, is_program, root)
    objects = sorted(found.values(), key=lambda item: not item.is_program)
    dependencies.mapped(repr(objects))
    return objects


def _place(pid: int, mapping: Mapping, path: str, root: str) -> str | None:
    link = f"/proc/{pid}/map_files/{mapping.start:x}-{mapping.end:x}"
    wanted = _identity(link)
    for place in (root + path, link):
        identity = _identity(place)
        if identity is not None and (identity == wanted if wanted is not None else identity[1] == mapping.inode):
            return place
    return None


def _called(pid: int, place: str) -> Iterator[str]:
    """The name that the program was started by, if that is another for its file: redis-server of redis-check-rdb."""
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:
            name = os.fsdecode(file.read().removesuffix(b"\n"))
    except OSError:
        return
    # What a thread calls itself is no name of a file, and names of files are told by their folder.
    if name and "/" not in name and _identity(os.path.join(os.path.dirname(place), name)) == _identity(place):
        yield name


def _root(pid: int) -> str:
    """What to put before a path of the process: nothing if it has this process's own file system."""
    try:
        same_namespace = os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
        if same_namespace and os.readlink(f"/proc/{pid}/root") == os.readlink("/proc/self/root"):
            return ""
    except OSError:
        return ""
    return f"/proc/{pid}/root"


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_kernel_thread(pid: int) -> bool:
    try:
        os.readlink(f"/proc/{pid}/exe")
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
