"""The container that a process runs in, by its control group, and the container's name where its engine left one.

    container_of(4711)    "web-1"            docker, podman: the name from the engine's own files
                          "3f4e1a2b9c0d"     the first twelve digits of the identity, where no name is found
                          "buster"           LXC, systemd-nspawn: the control group has the name
                          ""                 in none

Source: cgroups(7), /proc/PID/cgroup; how engines name control groups: runc's libcontainer/cgroups, podman's cgroups
documentation, systemd's CONTAINER_INTERFACE.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

__all__ = ["Containers", "container_in"]

# docker/ID, docker-ID.scope, libpod-ID.scope, cri-containerd-ID.scope, crio-ID.scope, kubepods/.../ID, ecs/TASK/ID
_BY_IDENTITY = re.compile(
    r"(?:^|/)(?:(?:docker|libpod|cri-containerd|crio|nerdctl)-)?([0-9a-f]{64})(?:\.scope)?(?=/|$)"
)
_BY_NAME = re.compile(
    r"/lxc(?:\.payload\.|/)([^/]+)|/machine-([^/]+)\.scope(?=/|$)|/systemd-nspawn@([^/]+)\.service(?=/|$)"
)
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")  # as systemd writes what a unit's name may not hold


def container_in(cgroup: str) -> str:
    """The identity (64 digits) or name in the text of /proc/PID/cgroup; empty if the process is in no container. Of
    containers within containers, the outermost."""
    for line in cgroup.splitlines():
        path = line.split(":", 2)[-1]
        if found := _BY_IDENTITY.search(path):
            return found[1]
        if found := _BY_NAME.search(path):
            name = next(filter(None, found.groups()))
            return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)
    return ""


class Containers:
    """Remembers each process's container. `root`: the file system in which engines keep their files."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._of: dict[int, str] = {}
        self._names: dict[str, str] = {}

    def of(self, pid: int) -> str:
        """The container of a process; empty if it is in none, or has ended before it was asked for."""
        found = self._of.get(pid)
        if found is None:
            try:
                text = (self._root / f"proc/{pid}/cgroup").read_text("utf-8", "replace")
            except OSError:
                text = ""
            found = self._of[pid] = self._named(container_in(text))
        return found

    def _named(self, identity: str) -> str:
        if len(identity) != 64:
            return identity
        if identity not in self._names:
            self._names[identity] = self._docker(identity) or self._podman(identity) or identity[:12]
        return self._names[identity]

    def _docker(self, identity: str) -> str:
        found = self._json(f"var/lib/docker/containers/{identity}/config.v2.json")
        name = found.get("Name") if isinstance(found, dict) else None
        return name.lstrip("/") if isinstance(name, str) else ""

    def _podman(self, identity: str) -> str:
        rows = self._json("var/lib/containers/storage/overlay-containers/containers.json")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and row.get("id") == identity and isinstance(row.get("names"), list):
                return next((name for name in row["names"] if isinstance(name, str)), "")
        return ""

    def _json(self, path: str) -> object:
        try:
            found: object = json.loads((self._root / path).read_bytes())
        except (OSError, ValueError):
            return None
        return found
