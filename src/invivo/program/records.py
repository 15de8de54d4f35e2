"""How records and aggregations lie in memory: the same bytes from every engine, read by the consumer.

Ring-buffer record   | layout u16 | cpu u16 | probe id u32 | fields ... |        (RECORD_HEADER bytes, then fields)
Aggregation key      | generation u64 | fields ... |                              (KEY_HEADER bytes, then fields)

    Field(8, FieldType(FieldKind.INT, 4, signed=True))      an int right behind a record's header
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from invivo.program.actions import Action

__all__ = [
    "KEY_HEADER",
    "LAYOUT_EXIT",
    "LAYOUT_FAULT",
    "RECORD_HEADER",
    "AggFunction",
    "AggregationPlan",
    "Field",
    "FieldKind",
    "FieldType",
    "RecordLayout",
]


RECORD_HEADER = 8
KEY_HEADER = 8
LAYOUT_FAULT = 0xFFFF  # u32 site index, u32 FaultKind value, u64 value
LAYOUT_EXIT = 0xFFFE  # no fields; wakes the consumer


class FieldKind(enum.Enum):
    INT = "int"  # size 1, 2, 4, 8
    STRING = "string"  # NUL-terminated in `size` bytes; in keys the rest is zero, in records the rest is undefined
    BYTES = "bytes"  # a structure or array, copied
    INTERNED = "interned"  # u32: an index in Plan.strings
    KSTACK = "kstack"  # u64: key in the stacks map (0: no stack)
    USTACK = "ustack"  # u64 key, then u32 pid, u32 generation (see MapKind.PROCESSES): 16 bytes
    SYMBOL = "symbol"  # u64 address in the kernel; `name` is the form: sym func mod
    USYMBOL = "usymbol"  # u64 address, then u32 pid, u32 generation: 16 bytes; `name` is: usym ufunc umod uaddr
    POINTER = "pointer"  # u64 that is an address


class FieldType(NamedTuple):
    kind: FieldKind
    size: int
    signed: bool = False
    name: str = ""  # the type as D writes it, or the symbol's form
    depth: int = 0  # stacks: frames wanted


class Field(NamedTuple):
    """A field at `offset` from the record's (or key's) start, header included."""

    offset: int
    type: FieldType


class RecordLayout(NamedTuple):
    """One kind of ring record. `size` includes the header and is a multiple of 8; `clause` is its Clause.index."""

    id: int
    clause: int
    size: int
    fields: tuple[Field, ...]
    actions: tuple[Action, ...]


class AggFunction(enum.Enum):
    """Each value is an array of 64-bit words per key and CPU, all zero at first; CPUs combine word by word by addition,
    except MIN and MAX by unsigned maximum.

    COUNT [n] · SUM [total] · AVG [n, total] · STDDEV [n, total, low and high half of the 128-bit sum of squares]
    MAX [value ^ 1<<63] · MIN [~(value ^ 1<<63)]: so the maximum of the words is the answer and 0 is neutral
    QUANTIZE 127 words: [63] is 0, [63+k] is 2^(k-1) <= v < 2^k (k 1..63), [63-k] the same of -v
    LQUANTIZE levels+2 words: [0] below base, [1+i] base+i*step, [levels+1] at or above the limit
    LLQUANTIZE: see program.aggregates, which computes bucket indexes and bounds for all three.
    """

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVG = "avg"
    STDDEV = "stddev"
    QUANTIZE = "quantize"
    LQUANTIZE = "lquantize"
    LLQUANTIZE = "llquantize"


class AggregationPlan(NamedTuple):
    """Storage of one aggregation. `keys` have offsets from the key's start; `key_size` includes KEY_HEADER.

    Keyed: map `map` is a per-CPU hash. Unkeyed: a per-CPU array of two entries, indexed by generation & 1.
    `words` is the number of 64-bit words of a value. `inserted`, `drops` (the map was full) and `refused` (the kernel
    could make no entry at that moment) are offsets in the globals of its counters.
    """

    id: int
    name: str
    function: AggFunction
    parameters: tuple[int, ...]
    keys: tuple[Field, ...]
    key_size: int
    words: int
    map: int
    inserted: int
    drops: int
    refused: int
