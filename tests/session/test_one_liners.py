"""The one-liners of the manual, run as they stand, each against a second source."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel


def run(*arguments: str) -> str:
    """Standard output of an `invivo run` that must succeed in silence."""
    result = invivo("run", "-q", *arguments)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout


def aggregation(*arguments: str) -> dict[tuple[object, ...], object]:
    """Entries of the only aggregation that a run prints, as JSON."""
    lines = [json.loads(line) for line in run("--format", "json", *arguments).splitlines()]
    (found,) = [line for line in lines if line["type"] == "aggregation"]
    return {tuple(entry["key"]): entry.get("value", entry.get("buckets")) for entry in found["entries"]}


def test_syscalls_by_process_and_name() -> None:
    """31 getppid(2) a thread of the trigger, two threads."""
    found = aggregation(
        "-e", "syscall:::entry { @[execname, probefunc] = count(); }", "-c", f"{trigger('syscalls')} 31"
    )
    assert found["syscalls", "getppid"] == 62
    assert found["syscalls", "exit_group"] == 1


def test_opens_print_name_and_path(tmp_path: Path) -> None:
    wanted = tmp_path / "a file with blanks"
    wanted.write_text("x")
    output = run(
        "-e", 'syscall::openat:entry { printf("%s %s\\n", execname, copyinstr(arg1)); }', "-c", f"cat '{wanted}'"
    )
    assert f"cat {wanted}" in output.splitlines()


def test_latency_of_reads_is_a_histogram_of_all_of_them() -> None:
    found = aggregation(
        "-e",
        "syscall::read:entry /pid == $target/ { self->t = timestamp; } "
        'syscall::read:return /self->t/ { @["ns"] = quantize(timestamp - self->t); self->t = 0; }',
        "-c",
        f"{trigger('reads')} 1009 64",
    )
    buckets = found[("ns",)]
    assert isinstance(buckets, list)
    total = sum(bucket["count"] for bucket in buckets)
    assert 1009 <= total <= 1009 + 8  # and those of the dynamic loader


def test_the_latency_one_liner_as_it_stands() -> None:
    program = (
        "syscall::read:entry { self->t = timestamp; } "
        'syscall::read:return /self->t/ { @["ns"] = quantize(timestamp - self->t); self->t = 0; }'
    )
    buckets = aggregation("-e", program, "-c", f"{trigger('reads')} 1009 64")[("ns",)]
    assert isinstance(buckets, list)
    assert sum(bucket["count"] for bucket in buckets) >= 1009


def test_sizes_of_reads_of_dd() -> None:
    """dd reads 37 blocks of 8192 bytes: all in the bucket 8192..12287."""
    found = aggregation(
        "-e",
        'syscall::read:return /execname == "dd"/ { @["bytes"] = lquantize(arg0, 0, 65536, 4096); }',
        "-c",
        "dd if=/dev/zero of=/dev/null bs=8192 count=37 status=none",
    )
    buckets = found[("bytes",)]
    assert isinstance(buckets, list)
    assert {b["low"]: b["count"] for b in buckets if b["low"] == 8192} == {8192: 37}


def test_events_of_system_calls_have_the_fields_of_their_format() -> None:
    """The trigger reads 64 bytes 1,009 times; 0 is the number of read(2) on x86-64."""
    program = (
        "sdt:syscalls::sys_enter_read /pid == $target/ "
        "{ @[probename, arg0, args.__syscall_nr, args.count] = count(); } "
        "sdt:syscalls::sys_exit_read /pid == $target/ { @[probename, arg0, args.__syscall_nr, arg1] = count(); }"
    )
    found = aggregation("-e", program, "-c", f"{trigger('reads')} 1009 64")
    assert found["sys_enter_read", 0, 0, 64] == found["sys_exit_read", 0, 0, 64] == 1009


def test_every_event_at_once() -> None:
    """Some 1,600 tracepoints, and of two threads 31 system calls each. Making a key's place fires tracepoints too: the
    first of a key may be dropped on a processor, and is told."""
    result = invivo("run", "-q", "-e", "sdt::: /pid == $target/ { @[probemod, probename] = count(); }",
                    "-c", f"{trigger('syscalls')} 31")  # fmt: skip
    assert result.returncode == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    (count,) = (int(row[2]) for row in rows if row[:2] == ["syscalls", "sys_enter_getppid"])
    assert 60 <= count <= 62
    assert count == 62 or "refused aggregation key" in result.stderr


def test_exec_success_traces_the_new_name() -> None:
    """The command itself has been executed before the probes are armed; what it executes is seen."""
    command = "sh -c '/bin/true; /bin/echo; exit'"
    output = run("-e", "proc:::exec-success /ppid == $target/ { trace(execname); }", "-c", command)
    assert "".join(output.split()) == "trueecho"  # a line that echo ends may come between
    as_it_stands = run("-e", "proc:::exec-success { trace(execname); }", "-c", command)
    assert "true" in as_it_stands
    assert "echo" in as_it_stands


def test_process_lives_by_their_arguments() -> None:
    """The trigger forks 11 children, which exit by themselves, and sends itself 5 times SIGUSR1 (10)."""
    output = run(
        "-e",
        'proc:::create /pid == $target/ { printf("create %d %d\\n", args[0]->pr_ppid, pid); }'
        'proc:::exit /ppid == $target/ { printf("exit %d\\n", args[0]); }'
        'proc:::exit /pid == $target/ { printf("last %d\\n", args[0]); }'
        'proc:::signal-send /pid == $target/ { printf("signal %d to %d\\n", args[2], args[1]->pr_pid); }',
        "-c",
        f"{trigger('lives')} 11 5",
    )
    lines = output.splitlines()
    creates = [line.split() for line in lines if line.startswith("create")]
    assert len(creates) == 11
    assert all(parent == pid for _, parent, pid in creates)
    target = creates[0][2]
    assert lines.count("exit 1") == 11  # CLD_EXITED
    assert lines.count("last 1") == 1
    assert lines.count(f"signal 10 to {target}") == 5


def test_time_off_the_cpu() -> None:
    """`sleep 0.2` is off the CPU for 0.2 s: a value in 134,217,728 (2^27) .. 268,435,455 ns."""
    found = aggregation(
        "-e",
        "sched:::off-cpu { self->ts = timestamp; } "
        "sched:::on-cpu /self->ts/ { @[execname] = quantize(timestamp - self->ts); self->ts = 0; }",
        "-c",
        "sleep 0.2",
    )
    buckets = found[("sleep",)]
    assert isinstance(buckets, list)
    assert any(b["low"] == 2**27 and b["count"] >= 1 for b in buckets)


def test_profile_finds_kernel_stacks_of_the_target() -> None:
    """A program that spends its time in read(2) of /dev/zero has samples below read_zero or its clearing."""
    output = run(
        "-e", "profile-997 /pid == $target/ { @[stack()] = count(); }", "-c", f"{trigger('reads')} 3000 1000000"
    )
    assert "vmlinux`" in output
    assert re.search(r"vmlinux`(ksys_read|vfs_read|do_syscall_64|__x64_sys_read)\+", output)


def test_stacks_at_tracepoints_begin_in_the_kernels_own_code() -> None:
    """Not in the program that takes them, nor in what calls it."""
    output = run("-e", 'sched:::off-cpu /execname == "sleep"/ { @[stack()] = count(); }', "-c", "sleep 0.1")
    assert "schedule+" in output
    assert "bpf_" not in output


def test_tick_prints_and_truncates() -> None:
    """Each second starts from nothing: what the ticks print adds up to all that happened."""
    output = run(
        "-e",
        "syscall::getppid:entry /pid == $target/ { @ = count(); } "
        "tick-100ms { printa(@); trunc(@); } END { printa(@); }",
        "-c",
        f"{sys.executable} -c 'import os, time\nfor i in range(1009):\n os.getppid()\n i % 400 or time.sleep(0.15)'",
    )
    counts = [int(line) for line in output.split()]
    assert sum(counts) == 1009
    assert len(counts) >= 2


def test_block_requests_by_their_arguments(tmp_path: Path) -> None:
    """A file of 64 KiB written through to the disk: issued by block_rq_issue, sizes in bytes."""
    target = tmp_path / "block"
    before = block_sectors_written()
    found = aggregation(
        "-e",
        "sdt:block::block_rq_issue { @[args.dev] = sum(args.bytes); }",
        "-c",
        f"dd if=/dev/zero of={target} bs=65536 count=16 oflag=direct,sync status=none",
    )
    after = block_sectors_written()
    if after - before < 2048:
        pytest.skip("the file system under tests does not write to a block device")
    assert sum(int(str(value)) for value in found.values()) >= 16 * 65536


def test_io_start_by_size(tmp_path: Path) -> None:
    target = tmp_path / "io"
    before = block_sectors_written()
    found = aggregation(
        "-e",
        "io:::start { @[args[0]->b_bcount] = count(); }",
        "-c",
        f"dd if=/dev/zero of={target} bs=65536 count=16 oflag=direct,sync status=none",
    )
    if block_sectors_written() - before < 2048:
        pytest.skip("the file system under tests does not write to a block device")
    assert sum(int(str(count)) for (size,), count in found.items() if size == 65536) >= 16


def block_sectors_written() -> int:
    """Sectors (512 bytes) written to all disks, from /proc/diskstats."""
    return sum(int(line.split()[9]) for line in Path("/proc/diskstats").read_text().splitlines())


def test_the_current_thread_through_btf() -> None:
    """BEGIN runs in the tracer: its tgid is invivo's own pid."""
    output = run("-e", 'BEGIN { printf("%d %d", ((struct task_struct *)curthread)->tgid, $pid); exit(0); }')
    tgid, pid = output.split()
    assert tgid == pid


def test_kernel_structures_give_the_parent() -> None:
    output = run("-e", 'BEGIN { printf("%d %d", curthread->real_parent->tgid, ppid); exit(0); }')
    parent, ppid = output.split()
    assert parent == ppid == str(os.getpid())


def test_a_for_loop_over_an_array_in_a_kernel_structure() -> None:
    """task_struct.comm byte by byte; the tracer's name from /proc/self/comm of the same interpreter."""
    output = run(
        "-e",
        "BEGIN { for (this->i = 0; this->i < 16 && curthread->comm[this->i] != 0; this->i++) "
        '{ printf("%c", curthread->comm[this->i]); } exit(0); }',
    )
    own = subprocess.run(
        [sys.executable, "-c", "print(open('/proc/self/comm').read(), end='')"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert output.strip() == own.stdout.strip()


def test_duration_ends_the_tracing() -> None:
    start = time.monotonic()
    run("-e", "tick-10ms { @ = count(); }", "--duration", "0.3")
    assert 0.3 <= time.monotonic() - start < 20


def test_tracepoints_counted_with_and_without_their_record() -> None:
    """A shell that runs seven commands forks seven times, at the raw tracepoint as at the one with a record."""
    command = "sh -c 'for i in 1 2 3 4 5 6 7; do /bin/true; done; exit 0'"
    probe = "sdt:sched::sched_process_fork /pid == $target/"
    assert aggregation("-e", probe + " { @[probename] = count(); }", "-c", command) == {("sched_process_fork",): 7}
    with_record = aggregation("-e", probe + " { @[probename] = sum(args[1] == $target); }", "-c", command)
    assert with_record == {("sched_process_fork",): 7}
