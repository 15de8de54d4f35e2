"""What this machine and this user may do: a list of findings, each with the command that mends it.

    Finding(State.MISSING, "tracefs", "/sys/kernel/tracing/events cannot be read",
            "sudo mount -t tracefs tracefs /sys/kernel/tracing")

Nothing is changed, and nothing is guessed from the kernel's version: files are read and tiny programs tried.
"""

from __future__ import annotations

import enum
import os
from typing import NamedTuple

from invivo.errors import InvivoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Finding", "State", "can_use_kernel_engine", "examine"]

# Bits of CapEff, from <linux/capability.h>.
_CAP_SYS_PTRACE, _CAP_SYS_ADMIN, _CAP_PERFMON, _CAP_BPF = 19, 21, 38, 39


class State(enum.Enum):
    OK = "ok"
    LIMITED = "limited"  # invivo works; something that some programs need is absent
    MISSING = "missing"  # the kernel engine cannot be used


class Finding(NamedTuple):
    """`mend` is a command or advice, empty where nothing is to be done (or can be)."""

    state: State
    what: str
    detail: str
    mend: str = ""


def examine() -> list[Finding]:
    """All findings, in the order in which one would mend them."""
    return [
        *_user(),
        *_settings(),
        *_kernel_interfaces(),
        *_tried_features(),
    ]


def can_use_kernel_engine(findings: list[Finding]) -> bool:
    """Whether nothing that the kernel engine needs is missing."""
    return all(finding.state is not State.MISSING for finding in findings)


def _user() -> Iterator[Finding]:
    held = int(_status_field("CapEff"), 16)
    names = {_CAP_BPF: "CAP_BPF", _CAP_PERFMON: "CAP_PERFMON", _CAP_SYS_ADMIN: "CAP_SYS_ADMIN"}
    if held >> _CAP_SYS_ADMIN & 1:
        yield Finding(State.OK, "rights", f"uid {os.geteuid()} with CAP_SYS_ADMIN")
        return
    missing = [names[bit] for bit in (_CAP_BPF, _CAP_PERFMON) if not held >> bit & 1]
    if missing:
        yield Finding(
            State.MISSING, "rights", f"uid {os.geteuid()} lacks {' and '.join(missing)}", "sudo invivo ...  (or setcap)"
        )
    else:
        yield Finding(State.OK, "rights", f"uid {os.geteuid()} with CAP_BPF and CAP_PERFMON")


def _settings() -> Iterator[Finding]:
    lockdown = _read("/sys/kernel/security/lockdown")
    mode = lockdown[lockdown.find("[") + 1 : lockdown.find("]")] if "[" in lockdown else "none"
    if mode == "confidentiality":
        yield Finding(
            State.MISSING, "lockdown", "confidentiality: BPF may not read kernel memory",
            "boot with lockdown=integrity or none",
        )  # fmt: skip
    elif mode == "integrity":
        yield Finding(State.LIMITED, "lockdown", "integrity: nothing may be written to traced programs or the kernel")
    else:
        yield Finding(State.OK, "lockdown", mode)
    paranoid = _read("/proc/sys/kernel/perf_event_paranoid")
    if paranoid and os.geteuid() != 0 and int(paranoid) > 1:
        yield Finding(
            State.LIMITED, "perf_event_paranoid", f"{paranoid}: ordinary users may not sample the kernel",
            "sysctl kernel.perf_event_paranoid=1",
        )  # fmt: skip
    restricted = _read("/proc/sys/kernel/kptr_restrict")
    if restricted and (int(restricted) > 1 or (int(restricted) == 1 and os.geteuid() != 0)):
        yield Finding(
            State.LIMITED, "kptr_restrict", f"{restricted}: kernel stacks show numbers for names",
            "sysctl kernel.kptr_restrict=0",
        )  # fmt: skip


def _kernel_interfaces() -> Iterator[Finding]:
    kernel = os.uname()
    yield Finding(State.OK, "kernel", f"{kernel.sysname} {kernel.release} {kernel.machine}")
    if os.path.exists("/sys/kernel/btf/vmlinux"):
        yield Finding(State.OK, "BTF", "the kernel's types are at /sys/kernel/btf/vmlinux")
    else:
        yield Finding(
            State.MISSING, "BTF", "no /sys/kernel/btf/vmlinux: structures and typed arguments are unknown",
            "a kernel with CONFIG_DEBUG_INFO_BTF=y",
        )  # fmt: skip
    yield _tracefs()
    if os.path.isdir("/sys/bus/event_source/devices/kprobe"):
        yield Finding(State.OK, "kprobes", "kernel functions can be probed")
    else:
        yield Finding(State.LIMITED, "kprobes", "this kernel was built without them; tracepoints serve")
    if os.path.isdir("/sys/bus/event_source/devices/uprobe"):
        yield Finding(State.OK, "uprobes", "functions of programs can be probed")
    else:
        yield Finding(State.LIMITED, "uprobes", "this kernel was built without them")


def _tracefs() -> Finding:
    for place in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"):
        if os.access(f"{place}/events", os.R_OK | os.X_OK):
            return Finding(State.OK, "tracefs", f"mounted at {place}")
    mend = "mount -t tracefs tracefs /sys/kernel/tracing"
    if os.geteuid() == 0:
        return Finding(State.OK, "tracefs", "not mounted or not readable yet; invivo mounts it when it needs it", mend)
    return Finding(State.MISSING, "tracefs", "/sys/kernel/tracing/events cannot be read", f"sudo {mend}")


def _tried_features() -> Iterator[Finding]:
    from invivo.bpf import features
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


def _status_field(name: str) -> str:
    for line in _read("/proc/self/status").splitlines():
        if line.startswith(name + ":"):
            return line.split()[1]
    return "0"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return ""
