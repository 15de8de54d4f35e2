"""Libraries that a process has not loaded yet, found where it would find them when it calls dlopen(3).

    find_for(4711, "libplugin", objects)    MappedObject("libplugin.so.2", ..., "/opt/app/plugins/libplugin.so.2", ...)

Looked at, in this order: a path as it is written (a relative one from the process's working directory); LD_LIBRARY_PATH
of its environment; the directories of the files that it has mapped; its working directory; the loader's cache and
standard directories. Source: dlopen(3), ld.so(8).
"""

from __future__ import annotations

import os

from invivo.symbols.libraries import find_library
from invivo.symbols.objects import MappedObject, object_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["find_for"]


def find_for(pid: int, name: str, objects: Sequence[MappedObject]) -> MappedObject | None:
    """The file that process `pid`, which has mapped `objects`, would load under a name as descriptions have it; None if
    no such file is found."""
    root = objects[0].root if objects else ""
    place = next((p for p in _candidates(pid, name, objects, root) if os.path.isfile(p)), None)
    if place is None:
        return None
    if not root:
        place = os.path.realpath(place)
    path = place.removeprefix(root) if root else place
    return MappedObject(os.path.basename(path), (*object_names(path), path), path, place, False, root)


def _candidates(pid: int, name: str, objects: Sequence[MappedObject], root: str) -> Iterator[str]:
    directory = f"/proc/{pid}/cwd"
    if "/" in name:
        yield root + name if name.startswith("/") else f"{directory}/{name}"
        return
    folders = [root + folder for folder in _library_path(pid) if folder.startswith("/")]
    folders += [os.path.dirname(item.place) for item in objects if not item.place.startswith(f"/proc/{pid}/map_files")]
    for folder in dict.fromkeys((*folders, directory)):
        try:
            entries = sorted(os.listdir(folder))
        except OSError:
            continue
        if name in entries and ".so" in name:
            yield f"{folder}/{name}"
        for entry in entries:
            if ".so" in entry and name in object_names(entry):
                yield f"{folder}/{entry}"
    if not root and (found := find_library(name)) is not None:
        yield found


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
