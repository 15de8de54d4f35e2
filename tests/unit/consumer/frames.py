"""Plans and ring-buffer frames made by hand, for tests of everything after the kernel."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

from invivo.consumer.loop import Consumer
from invivo.output.text import TextOutput
from invivo.program.actions import Action
from invivo.program.aggregates import words
from invivo.program.plan import FaultSite, Plan, ProbeInfo
from invivo.program.records import KEY_HEADER, AggFunction, AggregationPlan, Field, FieldKind, FieldType, RecordLayout

INT64 = FieldType(FieldKind.INT, 8, True, "int64_t")
UINT64 = FieldType(FieldKind.INT, 8, False, "uint64_t")
INT32 = FieldType(FieldKind.INT, 4, True, "int")
UINT32 = FieldType(FieldKind.INT, 4, False, "uint32_t")
INT16 = FieldType(FieldKind.INT, 2, True, "short")
UINT8 = FieldType(FieldKind.INT, 1, False, "uint8_t")
STRING = FieldType(FieldKind.STRING, 32, name="string")
INTERNED = FieldType(FieldKind.INTERNED, 4, name="string")
KSTACK = FieldType(FieldKind.KSTACK, 8, depth=20)
USTACK = FieldType(FieldKind.USTACK, 16, depth=20)
SYM = FieldType(FieldKind.SYMBOL, 8, name="sym")
USYM = FieldType(FieldKind.USYMBOL, 16, name="usym")

PROBES = (ProbeInfo("dtrace", "", "", "BEGIN", 1), ProbeInfo("syscall", "vmlinux", "read", "entry", 2))


class FakeServices:
    """Stacks and symbols from dictionaries; `refreshed` counts the calls, each of which runs `on_refresh`."""

    def __init__(self) -> None:
        self.stacks: dict[int, tuple[int, ...]] = {}
        self.symbols: dict[int, str] = {}
        self.user_symbols: dict[tuple[int, int, int], str] = {}  # by pid, generation, address
        self.refreshed = 0

    def refresh(self) -> None:
        self.refreshed += 1

    def stack(self, identity: int) -> Sequence[int]:
        return self.stacks.get(identity, ())

    def kernel_symbol(self, address: int) -> str:
        return self.symbols.get(address, f"{address:#x}")

    def user_symbol(self, pid: int, address: int, generation: int = 0, *, is_return: bool = False) -> str:
        return self.user_symbols.get((pid, generation, address), f"{address:#x} [unknown]")

    def user_frames(
        self, pid: int, address: int, generation: int = 0, *, is_return: bool = False
    ) -> tuple[tuple[str, str, bool], ...]:
        return ((self.user_symbol(pid, address, generation), "", False),)


def fields_of(types: Sequence[FieldType], start: int = 8) -> tuple[Field, ...]:
    """Fields one after another, naturally aligned, strings last."""
    places = {}
    offset = start
    for index in sorted(range(len(types)), key=lambda i: types[i].kind is FieldKind.STRING):
        alignment = 1 if types[index].kind is FieldKind.STRING else min(types[index].size, 8)
        offset = -(-offset // alignment) * alignment
        places[index] = offset
        offset += types[index].size
    return tuple(Field(places[index], type_) for index, type_ in enumerate(types))


def layout_of(identity: int, types: Sequence[FieldType], actions: Sequence[Action], clause: int = 0) -> RecordLayout:
    fields = fields_of(types)
    size = max([8, *(field.offset + field.type.size for field in fields)])
    return RecordLayout(identity, clause, -(-size // 8) * 8, fields, tuple(actions))


def aggregation(
    identity: int,
    function: AggFunction,
    keys: Sequence[FieldType] = (),
    name: str = "",
    parameters: tuple[int, ...] = (),
) -> AggregationPlan:
    fields = fields_of(keys, KEY_HEADER)
    size = max([KEY_HEADER, *(field.offset + field.type.size for field in fields)])
    count = words(function, parameters)
    return AggregationPlan(identity, name, function, parameters, fields, size, count, 0, 0, 0, 0)


def plan_of(
    records: Sequence[RecordLayout] = (),
    aggregations: Sequence[AggregationPlan] = (),
    strings: Sequence[bytes] = (),
    faults: Sequence[FaultSite] = (),
    **options: int | str | bool,
) -> Plan:
    return Plan("", (), (), 0, b"", PROBES, tuple(records), tuple(aggregations), tuple(faults), tuple(strings), options)


def record(
    layout: RecordLayout, values: Sequence[int | bytes], probe: int = 2, cpu: int = 0, cut: bool = True
) -> bytes:
    """A record's payload; with `cut`, it ends after the NUL of its last string, as the kernel sends it."""
    data = bytearray(layout.size)
    struct.pack_into("<HHI", data, 0, layout.id, cpu, probe)
    end = 8
    for field, value in zip(layout.fields, values, strict=True):
        part = _bytes(value, field.type.size)
        data[field.offset : field.offset + len(part)] = part
        is_string = field.type.kind is FieldKind.STRING
        end = max(end, field.offset + (len(part) + 1 if is_string else field.type.size))
    return bytes(data[:end]) if cut else bytes(data)


def _bytes(value: int | bytes, size: int) -> bytes:
    return value if isinstance(value, bytes) else (value & (1 << 8 * size) - 1).to_bytes(size, "little")


def frame(payload: bytes, flags: int = 0) -> bytes:
    return struct.pack("<II", len(payload) | flags, 0) + payload + bytes(-len(payload) % 8)


def key(plan: AggregationPlan, values: Sequence[int | bytes], generation: int = 1) -> bytes:
    data = bytearray(plan.key_size)
    struct.pack_into("<Q", data, 0, generation)
    for field, value in zip(plan.keys, values, strict=True):
        part = _bytes(value, field.type.size)
        data[field.offset : field.offset + len(part)] = part
    return bytes(data)


class Run:
    """A consumer with text output into pipes' files; `out` and `err` are what was written so far."""

    def __init__(self, plan: Plan, services: FakeServices | None = None) -> None:
        self.services = services or FakeServices()
        self._out = os.memfd_create("out")
        self._err = os.memfd_create("err")
        self.consumer = Consumer(plan, TextOutput(plan, self._out, self._err), self.services)

    def feed(self, *payloads: bytes) -> Run:
        self.consumer.feed(memoryview(b"".join(frame(payload) for payload in payloads)))
        return self

    @property
    def out(self) -> str:
        return self._read(self._out)

    @property
    def err(self) -> str:
        return self._read(self._err)

    @staticmethod
    def _read(fd: int) -> str:
        return os.pread(fd, 1 << 24, 0).decode("utf-8", "surrogateescape")
