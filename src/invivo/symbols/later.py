"""Libraries that a process has not loaded yet, found where it would find them when it calls dlopen(3).

    find_for(4711, "libplugin", objects)    MappedObject("libplugin.so.2", ..., "/opt/app/plugins/libplugin.so.2", ...)
    find_all(4711, Glob("libplug*"), objects)       the same in a list, with all others of such a name

Looked at, in this order: a path as it is written (a relative one from the process's working directory); LD_LIBRARY_PATH
of its environment; the directories of the files that it has mapped; its working directory; the loader's cache and
standard directories. Source: dlopen(3), ld.so(8).
"""

from __future__ import annotations

import os

from invivo import dependencies
from invivo.symbols.libraries import cached_libraries, find_library
from invivo.symbols.objects import MappedObject, object_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["MOST", "find_all", "find_for"]

_ELSEWHERE = "libraries that a process may load are looked for in its folders"
MOST = 16  # libraries that one pattern may mean


def find_for(pid: int, name: str, objects: Sequence[MappedObject]) -> MappedObject | None:
    """The file that process `pid`, which has mapped `objects`, would load under a name as descriptions have it; None if
    no such file is found."""
    dependencies.never(_ELSEWHERE)
    root = objects[0].root if objects else ""
    place = next((p for p in _candidates(pid, name, objects, root) if os.path.isfile(p)), None)
    return None if place is None else _object(place, root)


def find_all(pid: int, matches: Callable[[str], bool], objects: Sequence[MappedObject]) -> list[MappedObject]:
    """The files that process `pid` has not mapped, and would find under a name that `matches`; none if they are more
    than MOST: a pattern for so many means what is there."""
    dependencies.never(_ELSEWHERE)
    root = objects[0].root if objects else ""
    mapped = {os.path.realpath(item.place) for item in objects}
    found: dict[str, MappedObject] = {}
    places = [f"{folder}/{entry}" for folder in _folders(pid, objects, root) for entry in _entries(folder)]
    places += [] if root else cached_libraries().values()
    for place in places:
        name = os.path.basename(place)
        if ".so" in name and any(map(matches, object_names(name))):
            real = os.path.realpath(place)
            if real not in mapped and os.path.isfile(real) and _is_elf(real):
                found.setdefault(real, _object(place, root))
                if len(found) > MOST:
                    return []
    return list(found.values())


def _is_elf(place: str) -> bool:
    try:
        with open(place, "rb") as stream:
            return stream.read(4) == b"\x7fELF"
    except OSError:
        return False


def _object(place: str, root: str) -> MappedObject:
    if not root:
        place = os.path.realpath(place)
    path = place.removeprefix(root) if root else place
    return MappedObject(os.path.basename(path), (*object_names(path), path), path, place, False, root)


def _candidates(pid: int, name: str, objects: Sequence[MappedObject], root: str) -> Iterator[str]:
    directory = f"/proc/{pid}/cwd"
    if "/" in name:
        yield root + name if name.startswith("/") else f"{directory}/{name}"
        return
    for folder in _folders(pid, objects, root):
        entries = _entries(folder)
        if name in entries and ".so" in name:
            yield f"{folder}/{name}"
        for entry in entries:
            if ".so" in entry and name in object_names(entry):
                yield f"{folder}/{entry}"
    if not root and (found := find_library(name)) is not None:
        yield found


def _folders(pid: int, objects: Sequence[MappedObject], root: str) -> list[str]:
    """Directories in which the process may find libraries, as this one opens them."""
    found = [root + folder for folder in _library_path(pid) if folder.startswith("/")]
    found += [os.path.dirname(item.place) for item in objects if not item.place.startswith(f"/proc/{pid}/map_files")]
    return list(dict.fromkeys((*found, f"/proc/{pid}/cwd")))


def _entries(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _library_path(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            variables = stream.read().split(b"\0")
    except OSError:
        return []
    for variable in variables:
        if variable.startswith(b"LD_LIBRARY_PATH="):
            return os.fsdecode(variable.partition(b"=")[2]).split(":")
    return []
