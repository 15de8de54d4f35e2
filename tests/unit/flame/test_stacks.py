"""Stacks as they come from tracing, made nodes of a profile."""

from __future__ import annotations

from invivo.consumer.records import Stack
from invivo.flame.profile import Kind, Profile
from invivo.tools.flame.stacks import Stacks


def test_a_wait_is_one_stack_however_many_programs_are_at_its_tracepoint() -> None:
    profile = Profile()
    stacks = Stacks(profile)
    user = Stack((1, 2), ("prog`wait+0x4", "prog`main+0x8"), True, 7)
    alone = Stack((3, 4), ("vmlinux`__schedule+0x1", "vmlinux`schedule+0x2"), False, 0)
    above = "vmlinux`__traceiter_sched_switch+0x3"
    beside = Stack((5, 6, 7), (above, "vmlinux`__schedule+0x2", "vmlinux`schedule+0x2"), False, 0)
    node = stacks.node(user, alone)
    assert stacks.node(user, beside) == node
    assert [(frame.name, frame.kind) for frame in profile.stack(node)] == [
        ("main", Kind.USER), ("wait", Kind.USER), ("schedule", Kind.KERNEL), ("__schedule", Kind.KERNEL)
    ]  # fmt: skip
