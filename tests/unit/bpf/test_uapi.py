"""The kernel's numbers, against second sources: the headers where there are some, BTF where that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from invivo.bpf import uapi
from invivo.codegen.emitter import Helper

HEADER = Path("/usr/include/linux/bpf.h")
VALUES = {name: value for name, value in vars(uapi).items() if name.startswith("BPF_")}

# Those that <linux/bpf.h> has as enumeration constants, by the enumeration that BTF knows them of.
ENUMS = ("bpf_cmd", "bpf_map_type", "bpf_prog_type", "bpf_attach_type", "bpf_func_id")


@pytest.fixture(scope="module")
def kernels_own() -> dict[str, int]:
    from invivo.errors import InvivoError
    from invivo.program.types import Enum
    from invivo.providers.kernel_types import KernelTypes

    found: dict[str, int] = {}
    try:
        types = KernelTypes()
        for name in ENUMS:
            made = types.enum(name)
            assert isinstance(made, Enum)
            found.update(dict(made.members))
    except InvivoError as error:
        pytest.skip(f"no BTF: {error}")
    return found


def test_enumeration_constants_are_the_kernels(kernels_own: dict[str, int]) -> None:
    named = {name: value for name, value in VALUES.items() if name in kernels_own}
    assert len(named) > 25
    assert named == {name: kernels_own[name] for name in named}


def test_helpers_are_the_kernels(kernels_own: dict[str, int]) -> None:
    names = {
        Helper.MAP_LOOKUP: "map_lookup_elem", Helper.MAP_UPDATE: "map_update_elem",
        Helper.MAP_DELETE: "map_delete_elem", Helper.KTIME: "ktime_get_ns", Helper.RANDOM: "get_prandom_u32",
        Helper.CPU: "get_smp_processor_id", Helper.PID_TGID: "get_current_pid_tgid",
        Helper.UID_GID: "get_current_uid_gid", Helper.COMM: "get_current_comm",
        Helper.CURRENT_TASK: "get_current_task", Helper.GET_STACK: "get_stack",
        Helper.CGROUP_ID: "get_current_cgroup_id", Helper.READ_USER: "probe_read_user",
        Helper.READ_KERNEL: "probe_read_kernel", Helper.READ_USER_STRING: "probe_read_user_str",
        Helper.READ_KERNEL_STRING: "probe_read_kernel_str", Helper.RINGBUF_OUTPUT: "ringbuf_output",
        Helper.WRITE_USER: "probe_write_user", Helper.SEND_SIGNAL: "send_signal",
        Helper.RINGBUF_QUERY: "ringbuf_query", Helper.SNPRINTF: "snprintf",
        Helper.CURRENT_TASK_BTF: "get_current_task_btf", Helper.COPY_FROM_USER: "copy_from_user",
        Helper.TASK_PT_REGS: "task_pt_regs", Helper.NS_PID_TGID: "get_ns_current_pid_tgid",
        Helper.COPY_FROM_USER_TASK: "copy_from_user_task",
    }  # fmt: skip
    assert set(names) == set(Helper)
    assert {helper.value: name for helper, name in names.items()} == {
        kernels_own[f"BPF_FUNC_{name}"]: name for name in names.values()
    }


def test_defined_constants_are_the_headers() -> None:
    if not HEADER.exists():
        pytest.skip("no kernel headers for user space (linux-libc-dev)")
    text = HEADER.read_text()
    shifts = {name: 1 << int(bit) for name, bit in re.findall(r"(BPF_\w+)\s*=\s*\(1U << (\d+)\)", text)}
    plain = {name: int(value) for name, value in re.findall(r"#define\s+(BPF_\w+)\s+(\d+)\b", text)}
    known = {**shifts, **plain}
    both = VALUES.keys() & known.keys()
    assert {"BPF_F_NO_PREALLOC", "BPF_F_MMAPABLE", "BPF_F_RDONLY_PROG", "BPF_PSEUDO_MAP_FD"} <= both
    assert {name: VALUES[name] for name in both} == {name: known[name] for name in both}
