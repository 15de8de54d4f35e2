"""BPF programs: `ProgramSpec` says what to load, `Program` owns one.

    with Program.load(ProgramSpec("count", uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, code)) as program:
        program.test_run()

A program that the verifier rejects is loaded once more with a log, whose one useful line makes the error's message.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import NamedTuple

from invivo.bpf import uapi
from invivo.bpf.syscall import address, bpf, try_bpf
from invivo.errors import KernelError, RightsError, UnsupportedError, VerifierError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["Program", "ProgramInfo", "ProgramSpec"]

_LOAD = struct.Struct("<IIQQIIQII16sIIIIQIIQII")
# How lines of a log begin that do not say what is wrong.
_STATISTICS = ("processed ", "verification time", "stack depth", "max_states", "insns ")
_STATES = ("from ", "last_idx", "regs=", "parent ", "cur state:", "old state:", "mark_precise:", "; ")
_LOG_SIZES = (1 << 16, 1 << 20, 1 << 24)


class ProgramSpec(NamedTuple):
    """`code` is an array of 8-byte instructions; `attach_btf_id` names what a tracing program attaches to;
    `flags` are BPF_F_SLEEPABLE and its like."""

    name: str
    type: int
    code: bytes
    license: str = "GPL"
    expected_attach_type: int = 0
    attach_btf_id: int = 0
    flags: int = 0


class ProgramInfo(NamedTuple):
    """What the kernel knows of a program. `recursion_misses`: firings skipped since it was running on that CPU."""

    id: int
    name: str
    type: int
    run_count: int
    recursion_misses: int


class Program:
    """A loaded program; closing it unloads it, unless links hold it."""

    __slots__ = ("fd", "spec")

    def __init__(self, fd: int, spec: ProgramSpec) -> None:
        self.fd = fd
        self.spec = spec

    @classmethod
    def load(cls, spec: ProgramSpec) -> Self:
        """Verify and load.

        Raises:
            VerifierError: The verifier rejects the code; its log is attached.
            RightsError, UnsupportedError: The kernel does not allow this user, or anyone, such programs.
            KernelError: Another failure.
        """
        fd, code = _load(spec, 0, None)
        if not code:
            return cls(fd, spec)
        for size in _LOG_SIZES:
            log = bytearray(size)
            fd, code = _load(spec, 1, log)
            if not code:
                return cls(fd, spec)
            if code != errno.ENOSPC:
                break
        text = log[: log.find(b"\0")].decode("utf-8", "replace")
        raise _load_error(spec, code, text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the program back; may be called twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def test_run(self, context: bytes = b"") -> int:
        """Run the program once, now, in this process; returns what it returned.

        Args:
            context: For raw tracepoints, up to twelve 64-bit words.
        """
        # Linux 5.10 (1b4d60ec162f) brought this for raw tracepoint programs.
        attributes = bytearray(80)
        struct.pack_into("<II", attributes, 0, self.fd, 0)
        if context:
            struct.pack_into("<I", attributes, 40, len(context))
            struct.pack_into("<Q", attributes, 48, address(context))
        bpf(uapi.BPF_PROG_TEST_RUN, attributes, f"program '{self.spec.name}'")
        return int(struct.unpack_from("<I", attributes, 4)[0])

    def info(self) -> ProgramInfo:
        """What the kernel knows of it."""
        return program_info(self.fd)


def program_info(fd: int) -> ProgramInfo:
    """What the kernel knows of the program behind a descriptor."""
    info = bytearray(232)
    attributes = bytearray(16)
    struct.pack_into("<IIQ", attributes, 0, fd, len(info), address(info))
    bpf(uapi.BPF_OBJ_GET_INFO_BY_FD, attributes, "a program")
    kind, identity = struct.unpack_from("<II", info, 0)
    name = bytes(info[64:80]).split(b"\0")[0].decode("ascii", "replace")
    run_count, misses = struct.unpack_from("<QQ", info, 200)
    return ProgramInfo(identity, name, kind, run_count, misses)


def _load(spec: ProgramSpec, log_level: int, log: bytearray | None) -> tuple[int, int]:
    license_text = spec.license.encode() + b"\0"
    attributes = bytearray(_LOAD.size)
    name = spec.name.encode("ascii", "replace")[:15]
    _LOAD.pack_into(
        attributes, 0, spec.type, len(spec.code) // 8, address(spec.code), address(license_text), log_level,
        len(log) if log is not None else 0, address(log) if log is not None else 0, 0, spec.flags, name, 0,
        spec.expected_attach_type, 0, 0, 0, 0, 0, 0, 0, spec.attach_btf_id,
    )  # fmt: skip
    return try_bpf(uapi.BPF_PROG_LOAD, attributes)


def _load_error(spec: ProgramSpec, code: int, log: str) -> Exception:
    what = f"program '{spec.name}'"
    if log.strip():
        return VerifierError(code, what, _useful_line(log), log, _instruction(log))
    if code == errno.EPERM:
        if spec.type == uapi.BPF_PROG_TYPE_TRACING and os.geteuid() == 0:
            return UnsupportedError(
                f"the kernel refuses {what}: programs of this type are not permitted here",
                "the kernel's lockdown or configuration forbids them; see: invivo doctor",
            )
        return RightsError(
            f"the kernel refuses to load {what}", "run as root, or with CAP_BPF and CAP_PERFMON: sudo invivo ..."
        )
    return KernelError(code, "bpf(BPF_PROG_LOAD)", what)


def _instruction(log: str) -> int:
    """The instruction that the verifier looked at last; -1 if the log shows none."""
    for line in reversed(log.splitlines()):
        number, colon, rest = line.partition(": (")
        if colon and number.isdigit() and rest[:2].isalnum():
            return int(number)
    return -1


def _useful_line(log: str) -> str:
    """The line that says what is wrong: the last that is neither statistics nor an instruction nor a state."""
    for line in reversed(log.splitlines()):
        text = line.strip()
        is_noise = text.startswith(_STATISTICS) or text.startswith(_STATES)
        is_instruction = text.split(":")[0].isdigit()
        if text and not is_noise and not is_instruction:
            return text
    return log.strip().splitlines()[-1]
