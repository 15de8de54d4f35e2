"""Programs at uprobes kept on the stack of the thread that runs them.

From Linux 6.13 on the kernel gives a tracing program that needs 64 bytes of stack or more a stack of its own: one for
each CPU. It may, for most such programs do not run twice on one CPU at a time. Those at uprobes do: they may wait for a
page, or lose the CPU, and meanwhile another thread runs the same program there, on the same stack. The first one then
goes on with the other's variables and addresses. A program in which a tail call stands is given no such stack, whether
it ever comes to the call or not, so it gets one that the verifier finds to be dead code, and removes:

    r0 = 0
    if r0 == 0 goto +1
    call bpf_tail_call

Source: kernel/bpf/verifier.c (bpf_enable_priv_stack(), check_max_stack_depth()), uprobe_prog_run() in
kernel/trace/bpf_trace.c.
"""

from __future__ import annotations

from invivo.bpf import uapi
from invivo.bpf.instructions import Instruction, encode

__all__ = ["LENGTH", "on_task_stack"]

_PROLOGUE = (
    Instruction(0xB7),
    Instruction(0x15, offset=1),
    Instruction(0x85, immediate=uapi.BPF_FUNC_tail_call),
)
LENGTH = len(_PROLOGUE)  # in instructions


def on_task_stack(code: bytes) -> bytes:
    """The same program, by `LENGTH` instructions longer at its beginning."""
    return b"".join(map(encode, _PROLOGUE)) + code
