"""What this kernel's BPF can do, found by tiny attempts with three outcomes: yes, no, inconclusive.

One row each in FEATURES. An attempt makes a map or loads a program of a few instructions, and closes it at once.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from invivo.bpf import uapi
from invivo.bpf.instructions import Instruction, encode
from invivo.bpf.map import Map, MapSpec
from invivo.bpf.program import Program, ProgramSpec
from invivo.errors import InvivoError, KernelError, RightsError, VerifierError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FEATURES", "Answer", "Feature", "Outcome", "has_btf_tracepoints", "has_may_goto"]

_R0_IS_0 = Instruction(0xB7)
_EXIT = Instruction(0x95)


class Outcome(enum.Enum):
    YES = "yes"
    NO = "no"
    INCONCLUSIVE = "inconclusive"


class Answer(NamedTuple):
    outcome: Outcome
    reason: str = ""


class Feature(NamedTuple):
    """`gives` is what invivo does with it; `try_it` is given the BTF id of some tracepoint (0: unknown)."""

    name: str
    gives: str
    is_needed: bool
    try_it: Callable[[int], None]

    def ask(self, btf_id: int = 0) -> Answer:
        """Try it."""
        try:
            self.try_it(btf_id)
        except VerifierError as error:
            return Answer(Outcome.NO, error.line)
        except RightsError as error:
            return Answer(Outcome.INCONCLUSIVE, error.message)
        except KernelError as error:
            return Answer(Outcome.NO, error.message)
        except InvivoError as error:
            return Answer(Outcome.NO, error.message)
        return Answer(Outcome.YES)


def has_may_goto() -> Answer:
    """Whether loops may be bounded by may_goto."""
    return _BY_NAME["may_goto"].ask()


def has_btf_tracepoints(btf_id: int) -> Answer:
    """Whether tp_btf programs may be loaded; `btf_id` is that of any btf_trace_* typedef."""
    return _BY_NAME["BTF tracepoints"].ask(btf_id)


def has_raw_cookies() -> Answer:
    """Whether a program at raw tracepoints may ask for its cookie."""
    return _BY_NAME["raw cookies"].ask()


def has_sleepable_uprobes() -> Answer:
    """Whether programs at uprobes may wait for pages of the process."""
    return _BY_NAME["sleepable uprobes"].ask()


def has_typed_task() -> Answer:
    """Whether programs may read the running task's structure without a helper."""
    return _BY_NAME["typed task"].ask()


def has_user_writes() -> Answer:
    """Whether programs may write into processes (bpf_probe_write_user)."""
    return _BY_NAME["user writes"].ask()


def has_user_registers() -> Answer:
    """Whether programs may read the running thread's registers in user space."""
    return _BY_NAME["user registers"].ask()


def _code(*instructions: Instruction) -> bytes:
    return b"".join(map(encode, instructions))


def _load(kind: int, code: bytes, expected: int = 0, btf_id: int = 0) -> Program:
    return Program.load(ProgramSpec("invivo_try", kind, code, "GPL", expected, btf_id))


def _try_ring_buffer(_: int) -> None:
    Map.create(MapSpec("invivo_try", uapi.BPF_MAP_TYPE_RINGBUF, 0, 0, 4096)).close()


def _try_mapped_array(_: int) -> None:
    with Map.create(MapSpec("invivo_try", uapi.BPF_MAP_TYPE_ARRAY, 4, 8, 1, uapi.BPF_F_MMAPABLE)) as live:
        live.mmap().close()


def _try_per_cpu_hash(_: int) -> None:
    spec = MapSpec("invivo_try", uapi.BPF_MAP_TYPE_PERCPU_HASH, 8, 8, 4, uapi.BPF_F_NO_PREALLOC)
    with Map.create(spec) as live:
        live.items()


def _try_test_run(_: int) -> None:
    with _load(uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, _code(_R0_IS_0, _EXIT)) as program:
        program.test_run()


def _try_may_goto(_: int) -> None:
    loop = Instruction(0xE5, offset=1), Instruction(0x05, offset=-2)
    _load(uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, _code(_R0_IS_0, *loop, _EXIT)).close()


def _try_btf_tracepoint(btf_id: int) -> None:
    if not btf_id:
        raise KernelError(2, "reading BTF", "btf_trace_sched_switch")
    _load(uapi.BPF_PROG_TYPE_TRACING, _code(_R0_IS_0, _EXIT), uapi.BPF_TRACE_RAW_TP, btf_id).close()


def _try_cookie(_: int) -> None:
    call = Instruction(0x85, immediate=uapi.BPF_FUNC_get_attach_cookie)
    _load(uapi.BPF_PROG_TYPE_TRACEPOINT, _code(call, _R0_IS_0, _EXIT)).close()


def _try_raw_cookie(_: int) -> None:
    call = Instruction(0x85, immediate=uapi.BPF_FUNC_get_attach_cookie)
    _load(uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, _code(call, _R0_IS_0, _EXIT)).close()


def _try_typed_task(_: int) -> None:
    call = Instruction(0x85, immediate=uapi.BPF_FUNC_get_current_task_btf)
    load = Instruction(0x79)  # r0 = *(u64 *)(r0 + 0)
    _load(uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, _code(call, load, _R0_IS_0, _EXIT)).close()


def _try_user_registers(_: int) -> None:
    task = Instruction(0x85, immediate=uapi.BPF_FUNC_get_current_task_btf)
    argument = Instruction(0xBF, dst=1)  # r1 = r0
    registers = Instruction(0x85, immediate=uapi.BPF_FUNC_task_pt_regs)
    _load(uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, _code(task, argument, registers, _R0_IS_0, _EXIT)).close()


def _try_uprobe_multi(_: int) -> None:
    from invivo.bpf.link import uprobe

    if not uprobe.has_multi():
        raise KernelError(22, "bpf(BPF_LINK_CREATE)", "a uprobe_multi link: each probe gets a perf event of its own")


def _try_sleepable_uprobe(_: int) -> None:
    from invivo.bpf.link import uprobe

    code = _code(
        Instruction(0xBF, 1, 10), Instruction(0x07, 1, immediate=-8), Instruction(0xB7, 2, immediate=1),
        Instruction(0xB7, 3), Instruction(0x85, immediate=uapi.BPF_FUNC_copy_from_user), _R0_IS_0, _EXIT,
    )  # fmt: skip
    expected = uprobe.expected_attach_type()
    if not expected:
        raise KernelError(22, "bpf(BPF_LINK_CREATE)", "a uprobe_multi link")
    spec = ProgramSpec("invivo_try", uapi.BPF_PROG_TYPE_KPROBE, code, "GPL", expected, 0, uapi.BPF_F_SLEEPABLE)
    Program.load(spec).close()


def _try_write_user(_: int) -> None:
    write = Instruction(0x85, immediate=uapi.BPF_FUNC_probe_write_user)
    arguments = (
        Instruction(0xB7, dst=1),  # r1 = 0, the address
        Instruction(0xBF, dst=2, src=10),  # r2 = the stack ...
        Instruction(0x07, dst=2, immediate=-8),
        Instruction(0x7A, dst=10, offset=-8),  # ... and on it a word of zeros
        Instruction(0xB7, dst=3, immediate=8),  # r3 = its size
    )
    _load(uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, _code(*arguments, write, _R0_IS_0, _EXIT)).close()


FEATURES = (
    Feature("ring buffer", "carries records to the consumer", True, _try_ring_buffer),
    Feature("mapped arrays", "globals shared with the consumer", True, _try_mapped_array),
    Feature("per-CPU hashes", "aggregations", True, _try_per_cpu_hash),
    Feature("test runs", "BEGIN, END and tick probes", True, _try_test_run),
    Feature("attach cookies", "one program serves many tracepoints", True, _try_cookie),
    Feature("BTF tracepoints", "system call arguments read without a helper", False, _try_btf_tracepoint),
    Feature("raw cookies", "many tracepoints let go of at once", False, _try_raw_cookie),
    Feature("typed task", "execname read without a helper", False, _try_typed_task),
    Feature("user registers", "user stacks without frame pointers", False, _try_user_registers),
    Feature("uprobe_multi links", "thousands of functions of a program attached at once", False, _try_uprobe_multi),
    Feature("sleepable uprobes", "reads of a program's pages that are not in memory", False, _try_sleepable_uprobe),
    Feature("may_goto", "loops of any length", False, _try_may_goto),
    Feature("user writes", "copyout() and copyoutstr()", False, _try_write_user),
)

_BY_NAME = {feature.name: feature for feature in FEATURES}
