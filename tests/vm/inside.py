"""Runs in the guest: every check's command, and prints what came of it as lines of JSON.

python -m tests.vm.inside      {"name": "count", "status": 0, "out": "...", "err": "", "left": 0}

`left` is how many BPF programs there are afterwards: those of a command are gone when it has ended. Most commands are
forks of this process, which has imported what they need: to start Python and LLVM takes half a minute there.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys

from invivo.bpf import enumerate as objects
from invivo.cli.main import main as invivo
from tests.vm.checks import CHECKS, Check

_PATIENCE_S = 300  # a large program is compiled in a minute there
_NEEDED = (
    "invivo.cli.dtrace.command", "invivo.cli.run", "invivo.codegen.formatter", "invivo.codegen.generate",
    "invivo.engines.kernel.engine", "invivo.lang.d", "invivo.output.text", "invivo.plan_cache",
    "invivo.providers.btf_types", "invivo.providers.catalog", "invivo.starting", "llvmlite.binding",
)  # fmt: skip


def started(check: Check, out: int, err: int) -> int:
    """Start a check's command, with these descriptors as its output; returns its pid."""
    if not check.is_anew:
        for name in _NEEDED:
            importlib.import_module(name)
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    os.dup2(out, 1)
    os.dup2(err, 2)
    if check.is_anew:
        os.execv(sys.executable, [sys.executable, "-m", "invivo", *check.arguments])
    sys.exit(invivo(check.arguments))


def ended(pid: int) -> int:
    """Wait for a child; returns its exit status, or minus the signal that ended it."""
    descriptor = os.pidfd_open(pid)
    if not select.select([descriptor], [], [], _PATIENCE_S)[0]:
        os.kill(pid, signal.SIGKILL)
    os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def text_of(pipe: int) -> str:
    """What was written to a pipe; a process that a command leaves behind may hold its other end a little longer."""
    found = b""
    while select.select([pipe], [], [], _PATIENCE_S)[0] and (more := os.read(pipe, 1 << 16)):
        found += more
    os.close(pipe)
    return found.decode()


def main() -> None:
    for check in (check for check in CHECKS if check.is_for(os.uname().release)):
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()  # which hold 64 KB, more than any command prints
        status = ended(started(check, out_end, err_end))
        left = len(list(objects.programs()))
        os.close(out_end)
        os.close(err_end)
        answer = {"name": check.name, "status": status, "out": text_of(out), "err": text_of(err), "left": left}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
