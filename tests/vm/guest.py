"""A guest under software emulation: a stock kernel over this machine's own files, read-only.

    with prepared(KERNELS[0], Path(".guests")) as kernel:        the package, unpacked below .guests once
        run(kernel, ["sh", "-c", "uname -r"])                    -> "6.1.0-50-amd64\\n"

In: a GuestKernel. Out: what a command prints there. QEMU boots in seconds, then is some ten times slower than this
machine; /dev/kvm is left alone.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.packages import suite
from tests.vm.kernels import GuestKernel

__all__ = ["GuestError", "Kernel", "prepared", "run"]

_END = "@@@ end @@@"
_MODULES = Path("/lib/modules")


class GuestError(Exception):
    """The guest did not get as far as the command; the text is the end of its output and its console."""


class Kernel(NamedTuple):
    """An unpacked kernel: its release, and its image."""

    release: str
    image: Path


def prepared(kernel: GuestKernel, place: Path) -> Kernel:
    """Unpack the newest package of a kernel below `place`, if none is there, and put its modules where qemu's helper
    looks for them: under /lib/modules, as a link.

    Raises:
        PackageError: The package is not to be had.
    """
    folder = place / kernel.series
    images = sorted(folder.glob("boot/vmlinuz-*"))
    if not images:
        with suite(kernel.suite) as world:
            world.unpack(world.newest(kernel.package), folder, needs=False)
        images = sorted(folder.glob("boot/vmlinuz-*"))
    image = images[-1]
    release = image.name.partition("-")[2]
    modules = next(path for path in (folder / "usr/lib/modules", folder / "lib/modules") if path.exists())
    if not (modules / release / "modules.dep").exists():
        subprocess.run(["depmod", "-b", str(modules.parent.parent), release], check=True)
    _MODULES.mkdir(exist_ok=True)
    link = _MODULES / release
    if link.is_symlink() or not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to((modules / release).resolve())
    return Kernel(release, image)


def run(kernel: Kernel, command: Sequence[str], timeout_s: float = 600) -> str:
    """Boot, run a command as root, and give back what it printed, in a file of a folder that guest and host share: on
    the console the kernel writes between, and lines were seen to get lost there.

    Raises:
        GuestError: The command was not reached, or did not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="invivo-guest-") as shared:
        output = Path(shared, "output")
        inside = f"cd {shlex.quote(os.getcwd())} && {{ {shlex.join(command)}; echo '{_END}'; }} >{output} 2>&1"
        tools = Path(sys.executable).parent
        words = [
            str(tools / "vng"), "-v", "-r", str(kernel.image), "--disable-kvm", "--memory", "2G", "--cpus", "2",
            "--user", "root", "--rwdir", shared, "--", inside,
        ]  # fmt: skip
        environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=timeout_s, check=False
            )
            console = done.stdout + done.stderr
        except subprocess.TimeoutExpired as error:
            console = (error.stdout or b"") + (error.stderr or b"") + b"\n(out of time)"
        printed = output.read_text("utf-8", "replace") if output.exists() else ""
    before, end, after = printed.rpartition(f"{_END}\n")
    if not end or after:
        raise GuestError(f"{printed[-3000:]}\n--- console:\n{console.decode('utf-8', 'replace')[-3000:]}")
    return before
