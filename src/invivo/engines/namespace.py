"""What programs need to know to number processes as invivo's own pid namespace does.

    kernel_namespace(KernelTypes())     None in the initial pid namespace; else program.plan.PidNumbers

The kernel keeps one number of a process for each namespace that it is in, from the initial one (level 0) down. How deep
invivo's own lies no file tells: a program of nine instructions, run in invivo, reads it.
"""

from __future__ import annotations

from invivo.bpf import uapi
from invivo.bpf.instructions import Instruction, encode
from invivo.bpf.program import Program, ProgramSpec
from invivo.errors import UnsupportedError
from invivo.linux.pid_namespace import pid_namespace
from invivo.program.plan import PidNumbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.providers.kernel_types import KernelTypes

__all__ = ["kernel_namespace"]

_TGID = 1  # PIDTYPE_TGID, include/linux/pid_types.h


def kernel_namespace(types: KernelTypes) -> PidNumbers | None:
    """See the module.

    Raises:
        RightsError, KernelError: The kernel does not load the program that asks for the level.
        UnsupportedError: Its BTF does not tell where the numbers are.
    """
    mine = pid_namespace()
    if mine is None:
        return None
    thread_pid = _offset(types, "task_struct", "thread_pid")
    level = _level(thread_pid, _offset(types, "pid", "level"))
    upid = types.struct("struct", "upid")
    size = (upid.size or 0) if upid is not None else 0
    return PidNumbers(
        device=mine.device,
        inode=mine.inode,
        level=level,
        thread_pid=thread_pid,
        signal=_offset(types, "task_struct", "signal"),
        process_pid=_offset(types, "signal_struct", "pids") + 8 * _TGID,
        pid_level=_offset(types, "pid", "level"),
        number=_offset(types, "pid", "numbers") + size * level + _offset(types, "upid", "nr"),
        namespace=_offset(types, "pid", "numbers") + size * level + _offset(types, "upid", "ns"),
        namespace_inode=_offset(types, "pid_namespace", "ns") + _offset(types, "ns_common", "inum"),
    )


def _offset(types: KernelTypes, struct: str, member: str) -> int:
    found = types.struct("struct", struct)
    place = found.find(member) if found is not None else None
    if place is None:
        raise UnsupportedError(
            f"in this pid namespace processes have no numbers: the kernel's BTF has no '{member}' in 'struct {struct}'",
            "run invivo in the initial pid namespace",
        )
    return place.bit_offset // 8


def _level(thread_pid: int, level: int) -> int:
    """How many namespaces lie around the one of this process."""
    code = (
        Instruction(0x85, immediate=uapi.BPF_FUNC_get_current_task),
        Instruction(0xBF, 3, 0),  # r3 = the task
        *_read(thread_pid, 8),
        Instruction(0x79, 3, 10, -8),  # r3 = its struct pid
        *_read(level, 4),
        Instruction(0x61, 0, 10, -8),  # r0 = the level
        Instruction(0x95),
    )
    spec = ProgramSpec("invivo_level", uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, b"".join(map(encode, code)), "GPL", 0, 0)
    with Program.load(spec) as program:
        return program.test_run()


def _read(offset: int, size: int) -> tuple[Instruction, ...]:
    """Read `size` bytes at r3 + offset into the stack's first word."""
    return (
        Instruction(0x07, 3, immediate=offset),
        Instruction(0xBF, 1, 10),
        Instruction(0x07, 1, immediate=-8),
        Instruction(0xB7, 2, immediate=size),
        Instruction(0x85, immediate=uapi.BPF_FUNC_probe_read_kernel),
    )
