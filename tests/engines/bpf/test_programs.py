"""Programs and links of the running kernel: loading, rejections with their useful line, nothing left when closed."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator

import pytest

from invivo.bpf import enumerate as objects
from invivo.bpf import features, uapi
from invivo.bpf.instructions import Instruction, encode
from invivo.bpf.link import perf_event, raw_tracepoint, tracepoint, tracing
from invivo.bpf.map import Map, MapSpec
from invivo.bpf.program import Program, ProgramSpec
from invivo.errors import KernelError, UnsupportedError, VerifierError
from invivo.linux import perf_event as clock
from invivo.linux import tracefs
from tests.engines.build import kernel_types

pytestmark = pytest.mark.kernel

R0_IS_0, EXIT = Instruction(0xB7), Instruction(0x95)


def code(*instructions: Instruction) -> bytes:
    return b"".join(map(encode, instructions))


def raw(*instructions: Instruction, name: str = "invivo_test") -> ProgramSpec:
    return ProgramSpec(name, uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, code(*instructions))


def counter(
    counts: Map, kind: int = uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, expected: int = 0, btf_id: int = 0
) -> ProgramSpec:
    """A program that adds 1 to the first entry of an array: key 0 on the stack, lookup, atomic addition."""
    return ProgramSpec(
        "invivo_count", kind,
        code(
            Instruction(0x62, 10, 0, -4, 0),  # *(u32 *)(r10 - 4) = 0
            Instruction(0x18, 1, uapi.BPF_PSEUDO_MAP_FD, 0, counts.fd), Instruction(0),
            Instruction(0xBF, 2, 10), Instruction(0x07, 2, 0, 0, -4),
            Instruction(0x85, immediate=1),  # map_lookup_elem
            Instruction(0x15, 0, 0, 2, 0),  # if r0 == 0 goto exit
            Instruction(0xB7, 1, 0, 0, 1), Instruction(0xDB, 0, 1),  # lock *(u64 *)r0 += 1
            R0_IS_0, EXIT,
        ), "GPL", expected, btf_id,
    )  # fmt: skip


@pytest.fixture
def counts() -> Iterator[Map]:
    with Map.create(MapSpec("invivo_counts", uapi.BPF_MAP_TYPE_ARRAY, 4, 8, 1)) as live:
        yield live


def counted(counts: Map) -> int:
    return int.from_bytes(counts.lookup(bytes(4)) or b"", "little")


def test_a_program_runs_on_request() -> None:
    with Program.load(raw(Instruction(0xB7, 0, 0, 0, 42), EXIT)) as program:
        assert program.test_run() == 42


def test_a_run_may_be_given_words() -> None:
    with Program.load(raw(Instruction(0x79, 0, 1, 8), EXIT)) as program:  # r0 = *(u64 *)(r1 + 8)
        assert program.test_run((5).to_bytes(8, "little") + (6).to_bytes(8, "little")) == 6


def test_the_kernel_knows_its_name_and_type() -> None:
    with Program.load(raw(R0_IS_0, EXIT, name="invivo_named")) as program:
        info = program.info()
        assert (info.name, info.type, info.recursion_misses) == ("invivo_named", uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, 0)
        assert any(found.id == info.id for found in objects.programs())
    assert not any(found.id == info.id for found in objects.programs())


@pytest.mark.parametrize(
    ("instructions", "line"),
    [
        ((EXIT,), "R0 !read_ok"),
        ((R0_IS_0,), "last insn is not an exit or jmp"),
        ((Instruction(0x79, 0, 0, 0), EXIT), "R0 !read_ok"),
        ((R0_IS_0, Instruction(0x79, 0, 0, 0), EXIT), "R0 invalid mem access 'scalar'"),
        ((R0_IS_0, Instruction(0x15, 0, 0, -1, 0), EXIT), "infinite loop detected at insn 1"),
        ((Instruction(0x79, 0, 10, -600), EXIT), "invalid read from stack R10 off=-600 size=8"),
        ((Instruction(0x85, immediate=99999), EXIT), "invalid func unknown#99999"),
    ],
)
def test_a_rejection_has_its_one_useful_line(instructions: tuple[Instruction, ...], line: str) -> None:
    with pytest.raises(VerifierError) as caught:
        Program.load(raw(*instructions))
    assert caught.value.line.startswith(line)
    assert caught.value.message == f"the kernel's verifier rejects program 'invivo_test': {caught.value.line}"
    assert line in caught.value.log


def test_a_program_too_large_to_check_says_so() -> None:
    """A loop of ten million rounds, each of which the verifier follows: it stops after a million instructions."""
    rounds = Instruction(0x07, 7, 0, 0, 1), Instruction(0xA5, 7, 0, -2, 10_000_000)  # r7 += 1; if r7 < ... goto -2
    with pytest.raises(VerifierError) as caught:
        Program.load(raw(Instruction(0xB7, 7), *rounds, R0_IS_0, EXIT))
    assert caught.value.line == "BPF program is too large. Processed 1000001 insn"


def storm(count: int) -> None:
    call = ctypes.CDLL(None).getppid
    for _ in range(count):
        call()


def links() -> int:
    """Links that this process holds open (others on the machine may have some too)."""
    held = (f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd"))
    return sum("bpf_link" in os.readlink(path) for path in held if os.path.islink(path))


def test_a_raw_tracepoint_counts_until_it_is_closed(counts: Map) -> None:
    before = links()
    with Program.load(counter(counts)) as program:
        with raw_tracepoint.attach(program.fd, "sys_enter") as link:
            assert links() == before + 1
            storm(1000)
        first = counted(counts)
        storm(1000)
        assert first >= 1000
        assert counted(counts) == first
        link.close()
    assert links() == before


def test_a_btf_tracepoint_counts_until_it_is_closed(counts: Map) -> None:
    btf_id = kernel_types().btf_id("btf_trace_sys_enter") or 0
    if features.has_btf_tracepoints(btf_id).outcome is not features.Outcome.YES:
        pytest.skip("no BTF tracepoints")
    spec = counter(counts, uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_RAW_TP, btf_id)
    with Program.load(spec) as program:
        with tracing.attach(program.fd, "sys_enter"):
            storm(1000)
        first = counted(counts)
        storm(1000)
    assert first >= 1000
    assert counted(counts) == first


def test_a_perf_tracepoint_counts_every_cpus_events_until_it_is_closed(counts: Map) -> None:
    before = links()
    event = tracefs.event_id("syscalls", "sys_enter_getppid")
    with Program.load(counter(counts, uapi.BPF_PROG_TYPE_TRACEPOINT)) as program:
        with tracepoint.attach(program.fd, event, 7, "syscalls:sys_enter_getppid"):
            storm(1000)
        first = counted(counts)
        storm(1000)
    assert first == counted(counts) >= 1000
    assert links() == before


def test_a_perf_event_is_closed_with_its_link(counts: Map) -> None:
    before = links()
    with Program.load(counter(counts, uapi.BPF_PROG_TYPE_PERF_EVENT)) as program:
        with perf_event.attach(program.fd, clock.open_clock(1_000_000, 0), 0, "cpu-clock on CPU 0") as link:
            assert len(link.fds) == 2
        assert link.fds == []
    assert links() == before


def test_an_unknown_tracepoint_is_unsupported() -> None:
    with Program.load(raw(R0_IS_0, EXIT)) as program, pytest.raises(UnsupportedError) as caught:
        raw_tracepoint.attach(program.fd, "no_such_thing")
    assert "no raw tracepoint 'no_such_thing'" in str(caught.value)


def test_a_program_of_another_type_is_refused_and_nothing_stays_open() -> None:
    opened = len(os.listdir("/proc/self/fd"))
    with Program.load(raw(R0_IS_0, EXIT)) as program, pytest.raises(KernelError) as caught:
        perf_event.attach(program.fd, clock.open_clock(1_000_000, 0), 5, "cpu-clock on CPU 0")
    assert caught.value.errno in (errno.EINVAL, errno.EPERM)
    assert len(os.listdir("/proc/self/fd")) == opened


def test_needed_features_are_all_here() -> None:
    btf_id = kernel_types().btf_id("btf_trace_sched_switch") or 0
    answers = {row.name: row.ask(btf_id) for row in features.FEATURES if row.is_needed}
    assert {name: answer.outcome for name, answer in answers.items()} == dict.fromkeys(answers, features.Outcome.YES)
