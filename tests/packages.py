"""Packages of other Debian suites, unpacked below the project without touching this system.

In: a suite and a package (or a pattern). Out: a folder with the package's files. apt's own resolver does the work, in
an empty world of its own, from the archive that this machine is set up with.

    with suite("bookworm") as world:
        name = world.newest(r"linux-image-6\\.1\\.\\d+-\\d+-amd64")     "linux-image-6.1.0-40-amd64"
        world.unpack(name, Path(".guests/bookworm"), needs=False)      its files, without what it depends on
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["PackageError", "Suite", "suite"]

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class PackageError(Exception):
    """A package is not to be had; the text tells why."""


class Suite:
    """One suite's lists of packages, in a scratch folder."""

    def __init__(self, name: str, world: Path) -> None:
        self.name = name
        self._world = world

    def newest(self, pattern: str) -> str:
        """The package with the highest version number in its name, of those whose whole name matches."""
        names = [name for name in self._apt("apt-cache", "pkgnames").split() if re.fullmatch(pattern, name)]
        if not names:
            raise PackageError(f"{self.name} has no package whose name matches {pattern}")
        return max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])

    def unpack(self, package: str, place: Path, *, needs: bool = True) -> None:
        """Download a package, with what it depends on if `needs`, and unpack all of it below `place`."""
        debs = self._world / "debs"
        if needs:
            self._apt("apt-get", "install", "-y", "--download-only", package)
        else:
            self._apt("apt-get", "download", package, folder=debs)
        place.mkdir(parents=True, exist_ok=True)
        for path in sorted(debs.glob("*.deb")):
            _run(["dpkg", "-x", str(path), str(place)])
            path.unlink()

    def _apt(self, program: str, *words: str, folder: Path | None = None) -> str:
        world = self._world
        settings = {
            "Dir::Etc::sourcelist": world / "sources.list", "Dir::Etc::sourceparts": "/nonexistent",
            "Dir::Etc::preferencesparts": "/nonexistent", "Dir::State::Lists": world / "lists",
            "Dir::Cache": world / "cache", "Dir::State::status": world / "state/status",
            "Dir::Cache::archives": world / "debs", "APT::Install-Recommends": "false", "APT::Sandbox::User": "root",
            "Debug::NoLocking": "true", "DPkg::Post-Invoke::": "",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return _run([program, "-qq", *options, *words], folder)


@contextmanager
def suite(name: str) -> Iterator[Suite]:
    """A suite's lists, fetched anew.

    Raises:
        PackageError: This is no Debian system, or the archive has no such suite.
    """
    archive = _archive()
    if archive is None or not shutil.which("apt-get"):
        raise PackageError("packages of Debian are fetched with apt-get, from the archive that /etc/apt names")
    with tempfile.TemporaryDirectory() as scratch:
        world = Path(scratch)
        for folder in ("lists/partial", "cache", "state", "debs/partial"):
            (world / folder).mkdir(parents=True)
        (world / "state/status").touch()
        (world / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {archive} {name} main\n")
        found = Suite(name, world)
        found._apt("apt-get", "update")
        yield found


def _archive() -> str | None:
    """The Debian archive that this machine is set up with."""
    for path in sorted(Path("/etc/apt").glob("sources.list.d/*.sources")):
        for line in path.read_text().splitlines():
            if line.startswith("URIs:"):
                return line.split()[1]
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt").glob("sources.list.d/*.list"))]:
        for line in path.read_text().splitlines() if path.exists() else []:
            words = line.split()
            if words[:1] == ["deb"]:
                return next(word for word in words if "://" in word)
    return None


def _run(command: list[str], folder: Path | None = None) -> str:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    if done.returncode:
        raise PackageError(f"{command[0]} {command[-1]}: {done.stderr.strip()[-300:]}")
    return done.stdout
