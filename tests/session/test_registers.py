"""Registers and callers: what a system call's arguments and the stacks say of the same moment is the second source."""

from __future__ import annotations

import os
import platform

import pytest

from invivo.bpf import features
from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel

_GETPPID = 110  # arch/x86/entry/syscalls/syscall_64.tbl


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the registers of x86-64")
def test_registers_at_a_system_call_are_its_arguments() -> None:
    """execve's path, arguments and environment are in rdi, rsi and rdx, its number in orig_rax."""
    if features.has_user_registers().outcome is not features.Outcome.YES:
        pytest.skip("this kernel shows no registers of user space")
    program = """
    syscall::getppid:entry /pid == $target/ { @n[uregs[R_ORIG_RAX]] = count(); }
    syscall::write:entry /pid == $target/ {
        printf("%d %d %d\\n", uregs[R_RDI] == arg0, uregs[R_RSI] == arg1, uregs[R_RDX] == arg2);
    }
    END { printa("%d %@d\\n", @n); }
    """
    result = invivo("run", "-q", "-e", program, "-c", f"sh -c '{trigger('syscalls')} 7; echo x >/dev/null'")
    assert (result.returncode, result.stderr) == (0, "")
    result = invivo("run", "-q", "-e", program, "-c", f"{trigger('syscalls')} 7")
    assert (result.stdout.split(), result.stderr) == ([str(_GETPPID), "14"], "")
    result = invivo("run", "-q", "-e", program, "-c", "echo written")
    assert "1 1 1" in result.stdout.splitlines()


def test_callers_are_the_second_frames_of_the_stacks() -> None:
    program = """
    syscall::getppid:entry /pid == $target/ {
        printf("%a %A", caller, ucaller); stack(2); ustack(2);
    }
    """
    result = invivo("run", "-q", "-e", program, "-c", f"{trigger('syscalls')} 1")
    assert (result.returncode, result.stderr) == (0, "")
    words = result.stdout.split()
    assert len(words) == 2 * 6, result.stdout
    for start in (0, 6):
        caller, ucaller, _, kernel, _, user = words[start : start + 6]
        assert (caller, ucaller) == (kernel, user)
        assert caller.startswith("vmlinux`")
        assert "storm" in ucaller


def test_the_cpu_s_package_and_memory_node_are_those_of_sysfs() -> None:
    result = invivo("run", "-q", "-e", 'profile-97 { printf("%d %d %d\\n", cpu, chip, lgrp); exit(0); }')
    number, chip, node = result.stdout.split()
    root = f"/sys/devices/system/cpu/cpu{number}"
    with open(f"{root}/topology/physical_package_id") as stream:
        assert chip == stream.read().strip()
    nodes = [name for name in os.listdir(root) if name.startswith("node")]
    assert f"node{node}" in (nodes or ["node0"])


def test_the_depth_of_the_user_stack_is_the_number_of_its_frames() -> None:
    program = 'syscall::getppid:entry /pid == $target/ { printf("%d", ustackdepth); ustack(); }'
    result = invivo("run", "-q", "-e", program, "-c", f"{trigger('syscalls')} 1")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line for line in result.stdout.splitlines() if line]
    depths = [index for index, line in enumerate(lines) if not line.startswith(" ")]
    assert len(depths) == 2
    assert int(lines[depths[0]]) == depths[1] - depths[0] - 1 > 1
