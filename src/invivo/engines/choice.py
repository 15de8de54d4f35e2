"""Which engine may be used here: the kernel is asked, by loading a program of two instructions.

    kernel_engine_refusal()     "" where BPF programs may be loaded; else why not: "bpf(BPF_PROG_LOAD) of ...: EPERM"
"""

from __future__ import annotations

from invivo.bpf import uapi
from invivo.bpf.instructions import Instruction, encode
from invivo.bpf.program import Program, ProgramSpec
from invivo.errors import InvivoError, OptionError

__all__ = ["ENGINES", "is_process_engine", "kernel_engine_refusal"]

ENGINES = ("kernel", "process")

_RETURN_ZERO = encode(Instruction(0xB7)) + encode(Instruction(0x95))


def kernel_engine_refusal() -> str:
    """Why no tracing program can be loaded, or ""."""
    try:
        Program.load(ProgramSpec("invivo_try", uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, _RETURN_ZERO, "GPL", 0, 0)).close()
    except InvivoError as error:
        return error.message
    return ""


def is_process_engine(name: str) -> bool:
    """Which engine will trace: the one asked for by name, else (empty) the kernel's unless that is refused.

    Raises:
        OptionError: There is no engine of that name.
    """
    if name:
        if name not in ENGINES:
            raise OptionError(f"there is no engine '{name}'", f"there are: {', '.join(ENGINES)}")
        return name == "process"
    return bool(kernel_engine_refusal())
