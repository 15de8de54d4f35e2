"""What this machine and this user may do: a list of findings, each with the command that mends it.

    Finding(State.MISSING, "tracefs", "/sys/kernel/tracing/events cannot be read",
            "sudo mount -t tracefs tracefs /sys/kernel/tracing")

Nothing is changed, and nothing is guessed from the kernel's version: files are read and tiny programs tried.
"""

from __future__ import annotations

import enum
import os
import shlex
import sys
from typing import NamedTuple

from invivo.bpf import features
from invivo.cache import BTF_PATH
from invivo.errors import InvivoError
from invivo.linux import tracefs
from invivo.linux.kallsyms import Kallsyms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Finding", "State", "can_use_kernel_engine", "can_use_process_engine", "examine"]

# Bits of CapEff, from <linux/capability.h>.
_PTRACE = "ptrace"
_CAP_SYS_ADMIN, _CAP_PERFMON, _CAP_BPF = 21, 38, 39
_AS_ROOT = f"sudo {shlex.quote(sys.executable)} -m invivo ..."


class State(enum.Enum):
    OK = "ok"
    UNKNOWN = "unknown"  # could not be found out; tracing will tell
    LIMITED = "limited"  # invivo works; something that some programs need is absent
    MISSING = "missing"  # no program can be run


class Finding(NamedTuple):
    """`mend` is a command or advice, empty where nothing is to be done (or can be)."""

    state: State
    what: str
    detail: str
    mend: str = ""


def examine() -> list[Finding]:
    """All findings, in the order in which one would mend them."""
    rights = _rights()
    return [
        Finding(State.OK, "kernel", " ".join(os.uname()[field] for field in (0, 2, 4))),
        rights,
        _lockdown(),
        _btf(),
        _tracefs(),
        _kernel_symbols(),
        *(_tried_features() if rights.state is State.OK else _untried_features()),
        _ptrace(),
    ]


def can_use_kernel_engine(findings: list[Finding]) -> bool:
    """Whether nothing that the kernel engine needs is missing."""
    return all(finding.state is not State.MISSING for finding in findings if finding.what != _PTRACE)


def can_use_process_engine(findings: list[Finding]) -> bool:
    """Whether one's own processes can be traced by ptrace(2)."""
    needed = ("BTF", _PTRACE)
    return all(finding.state is not State.MISSING for finding in findings if finding.what in needed)


def _ptrace() -> Finding:
    """Tried with a child that waits."""
    import signal

    from invivo.linux import procfs, ptrace

    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        ptrace.seize(child, ptrace.OPTIONS)
    except InvivoError as error:
        mend = "a seccomp profile of the container, or a tracer above, may forbid it"
        return Finding(State.MISSING, _PTRACE, f"not even a child may be traced: {error.message}", mend)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if os.geteuid() and (scope := procfs.yama_scope()):
        detail = f"commands started with -c may be traced; kernel.yama.ptrace_scope is {scope}: running ones may not"
        return Finding(State.LIMITED, _PTRACE, detail, "sudo sysctl kernel.yama.ptrace_scope=0")
    return Finding(State.OK, _PTRACE, "one's own processes may be traced, with no rights at all")


def _rights() -> Finding:
    held = int(_status_field("CapEff") or "0", 16)
    who = f"uid {os.geteuid()}"
    if held >> _CAP_SYS_ADMIN & 1:
        return Finding(State.OK, "rights", f"{who} with CAP_SYS_ADMIN")
    names = {_CAP_BPF: "CAP_BPF", _CAP_PERFMON: "CAP_PERFMON"}
    missing = [name for bit, name in names.items() if not held >> bit & 1]
    if not missing:
        return Finding(State.OK, "rights", f"{who} with CAP_BPF and CAP_PERFMON")
    mend = f"run it as root: {_AS_ROOT}" if os.geteuid() else "start the container with these capabilities"
    return Finding(State.MISSING, "rights", f"{who} lacks {' and '.join(missing)}", mend)


def _lockdown() -> Finding:
    text = _read("/sys/kernel/security/lockdown")
    if not text:
        if os.path.isdir("/sys/kernel/security") and not os.listdir("/sys/kernel/security"):
            mend = "sudo mount -t securityfs securityfs /sys/kernel/security"
            return Finding(State.UNKNOWN, "lockdown", "/sys/kernel/security is not mounted", mend)
        return Finding(State.OK, "lockdown", "this kernel has none")
    mode = text[text.find("[") + 1 : text.find("]")]
    if mode == "confidentiality":
        return Finding(
            State.MISSING, "lockdown", "confidentiality: BPF may not read kernel memory",
            "boot with lockdown=integrity or none",
        )  # fmt: skip
    return Finding(State.OK, "lockdown", mode)


def _btf() -> Finding:
    if os.access(BTF_PATH, os.R_OK):
        return Finding(State.OK, "BTF", f"the kernel's types are at {BTF_PATH}")
    return Finding(
        State.MISSING, "BTF", f"{BTF_PATH} cannot be read: structures and typed arguments are unknown",
        "a kernel with CONFIG_DEBUG_INFO_BTF=y",
    )  # fmt: skip


def _tracefs() -> Finding:
    mounted = [place for place in tracefs.PLACES if os.path.isdir(f"{place}/events")]
    for place in mounted:
        if os.access(f"{place}/events", os.R_OK | os.X_OK):
            return Finding(State.OK, "tracefs", f"mounted at {place}")
    place = tracefs.PLACES[0]
    if tracefs.is_mounted(place):
        mend = f"{_AS_ROOT}, or let all users read it: sudo chmod -R a+rX {place}"
        return Finding(State.MISSING, "tracefs", f"{place} may not be read by this user", mend)
    mend = f"sudo mount -t tracefs tracefs {place}"
    if int(_status_field("CapEff") or "0", 16) >> _CAP_SYS_ADMIN & 1:
        return Finding(State.OK, "tracefs", f"not mounted yet; invivo mounts it at {place}", mend)
    return Finding(State.MISSING, "tracefs", f"not mounted at {place}", mend)


def _kernel_symbols() -> Finding:
    if reason := Kallsyms().reason:
        return Finding(State.LIMITED, "kernel symbols", f"stacks show addresses: {reason}")
    return Finding(State.OK, "kernel symbols", "/proc/kallsyms gives the names of functions")


def _tried_features() -> Iterator[Finding]:
    """One finding a row of bpf/features, each by a tiny attempt."""
    from invivo.providers.kernel_types import KernelTypes

    try:
        btf_id = KernelTypes().btf_id("btf_trace_sched_switch") or 0
    except InvivoError:
        btf_id = 0
    for row in features.FEATURES:
        answer = row.ask(btf_id)
        if answer.outcome is features.Outcome.YES:
            yield Finding(State.OK, row.name, row.gives)
        elif row.is_needed:
            yield Finding(State.MISSING, row.name, answer.reason or f"no: {row.gives}")
        else:
            yield Finding(State.LIMITED, row.name, f"{answer.outcome.value}: {answer.reason or row.gives}")


def _untried_features() -> Iterator[Finding]:
    names = ", ".join(row.name for row in features.FEATURES)
    yield Finding(State.UNKNOWN, "BPF", f"not tried without those rights: {names}")


def _status_field(name: str) -> str:
    for line in _read("/proc/self/status").splitlines():
        if line.startswith(name + ":"):
            return line.split()[1]
    return ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return ""
