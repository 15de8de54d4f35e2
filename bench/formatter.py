"""How many records a second the consumer decodes and formats: Python alone, and the compiled formatter.

    python bench/formatter.py [RECORDS]

One printf with a string, a process id and a number a record, in batches as the ring buffer hands them over, written to
/dev/null. The bar is 1,500,000 records a second on one core.
"""

from __future__ import annotations

import os
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from invivo.codegen.formatter import compile_formatter
from invivo.consumer.loop import Consumer
from invivo.output.text import TextOutput
from invivo.program.actions import Printf
from invivo.program.plan import Plan, ProbeInfo
from invivo.program.records import Field, FieldKind, FieldType, RecordLayout

BAR = 1_500_000
BATCH_BYTES = 1 << 20


class NoServices:
    """The records need none."""

    def refresh(self) -> None:
        pass

    def stack(self, identity: int) -> tuple[int, ...]:
        return ()

    def kernel_symbol(self, address: int) -> str:
        return hex(address)


def plan(is_quiet: bool) -> Plan:
    """execname, pid and a 64-bit number by one printf."""
    fields = (
        Field(8, FieldType(FieldKind.INT, 4, True, "pid_t")),
        Field(16, FieldType(FieldKind.INT, 8, True, "int64_t")),
        Field(24, FieldType(FieldKind.STRING, 16, name="string")),
    )
    layout = RecordLayout(0, 0, 40, fields, (Printf("%s %d %d\n", (2, 0, 1)),))
    probes = (ProbeInfo("syscall", "vmlinux", "getppid", "entry"),)
    return Plan("", (), (), 0, b"", probes, (layout,), (), (), (), {"quiet": is_quiet})


def batch() -> tuple[memoryview, int]:
    """Frames for about BATCH_BYTES, and how many they are."""
    names = (b"bash", b"python3", b"systemd-journal", b"dd")
    frames = bytearray()
    count = 0
    while len(frames) < BATCH_BYTES:
        name = names[count % len(names)] + b"\0"
        payload = struct.pack("<HHIiiq", 0, count & 1, 1, 1000 + count % 30000, 0, count * 7919) + name
        frames += struct.pack("<II", len(payload), 0) + payload + bytes(-len(payload) % 8)
        count += 1
    return memoryview(bytes(frames)), count


def records_per_second(made: Plan, total: int) -> float:
    """Feed at least `total` records, time it."""
    frames, count = batch()
    sink = os.open(os.devnull, os.O_WRONLY)
    consumer = Consumer(made, TextOutput(made, sink), NoServices())
    consumer.feed(frames)
    rounds = -(-total // count)
    start = time.perf_counter()
    for _ in range(rounds):
        consumer.feed(frames)
    seconds = time.perf_counter() - start
    os.close(sink)
    return rounds * count / seconds


def main() -> int:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    is_met = True
    for is_quiet in (True, False):
        made = plan(is_quiet)
        start = time.perf_counter()
        code = compile_formatter(made)
        compile_ms = (time.perf_counter() - start) * 1e3
        python = max(records_per_second(made, total // 4) for _ in range(3))
        print(f"{'quiet' if is_quiet else 'default columns'}:")
        print(f"  Python           {python:>12,.0f} records/s")
        if code is None:
            print("  compiled         not on this machine")
            is_met &= python >= BAR
            continue
        native = max(records_per_second(made._replace(formatter=code), total) for _ in range(3))
        ratio = f"x{native / python:.1f}, compiled in {compile_ms:.0f} ms"
        print(f"  compiled         {native:>12,.0f} records/s   {ratio}")
        print(f"  bar {BAR:,}: {'met' if native >= BAR else 'MISSED'}")
        is_met &= native >= BAR
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
