"""A kernel that is not there: types from a dictionary, a tracefs tree of files, and an evaluator of expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from invivo.program import nodes
from invivo.program.nodes import Expr
from invivo.program.types import (
    BOOL,
    INT,
    LONG,
    UINT,
    ULONG,
    USHORT,
    Enum,
    Int,
    Member,
    Pointer,
    Space,
    Struct,
    Type,
    size_of,
)
from invivo.source import SourceFile, Span

SPAN = Span(SourceFile("test.d", ""), 0, 0)


def struct(name: str, **members: tuple[int, Type]) -> Struct:
    """A structure from name=(byte offset, type)."""
    made = tuple(Member(key, type_, offset * 8) for key, (offset, type_) in members.items())
    return Struct("struct", name, 512, lambda: made)


# Offsets are arbitrary, and none is x86-64 Linux's own: what a test reads there must have come through these.
_ATOMIC = struct("atomic_t", counter=(0, INT))
_SIGNAL = struct("signal_struct", live=(12, _ATOMIC))
TASK = struct(
    "task_struct",
    pid=(100, INT),
    tgid=(104, INT),
    exit_code=(108, INT),
    signal=(112, Pointer(_SIGNAL)),
    __state=(120, UINT),
)
REGISTERS = struct(
    "pt_regs",
    di=(8, ULONG),
    si=(16, ULONG),
    dx=(24, ULONG),
    r10=(32, ULONG),
    r8=(40, ULONG),
    r9=(48, ULONG),
    orig_ax=(56, ULONG),
    cs=(64, USHORT),
)
_HANDLER = Pointer(Int("char", 1, True), Space.KERNEL)
_ACTION = struct("k_sigaction", sa=(0, struct("sigaction", sa_handler=(8, _HANDLER))))
REQUEST = struct("request", bio=(72, Pointer(struct("bio"))))
_STRUCTS = (TASK, REGISTERS, _SIGNAL, _ACTION, REQUEST, struct("kernel_siginfo"), struct("bio"))

PROTOTYPES: dict[str, list[tuple[str, Type]]] = {
    "sys_enter": [("regs", Pointer(REGISTERS)), ("id", LONG)],
    "sys_exit": [("regs", Pointer(REGISTERS)), ("ret", LONG)],
    "sched_switch": [("preempt", BOOL), ("prev", Pointer(TASK)), ("next", Pointer(TASK)), ("prev_state", UINT)],
    "sched_waking": [("p", Pointer(TASK))],
    "sched_process_fork": [("parent", Pointer(TASK)), ("child", Pointer(TASK))],
    "sched_process_exec": [("p", Pointer(TASK)), ("old_pid", INT), ("bprm", Pointer(struct("linux_binprm")))],
    "sched_process_exit": [("p", Pointer(TASK)), ("group_dead", BOOL)],
    "signal_generate": [("", INT), ("", Pointer(struct("kernel_siginfo"))), ("", Pointer(TASK)), ("", INT), ("", INT)],
    "signal_deliver": [("sig", INT), ("info", Pointer(struct("kernel_siginfo"))), ("ka", Pointer(_ACTION))],
    "block_bio_queue": [("bio", Pointer(struct("bio")))],
    "block_bio_complete": [("q", Pointer(struct("request_queue"))), ("bio", Pointer(struct("bio")))],
    "sched_exit_tp": [("is_switch", BOOL)],
}


class FakeTypes:
    """`providers.base.KernelTypeSource` over dictionaries; counts what is asked."""

    def __init__(self, prototypes: Mapping[str, list[tuple[str, Type]]] = PROTOTYPES) -> None:
        self.structs = {s.name: s for s in _STRUCTS}
        self.typedefs: dict[str, Type] = {
            "size_t": Int("size_t", 8, False),
            "umode_t": Int("umode_t", 2, False),
            "pid_t": Int("pid_t", 4, True),
            "dev_t": Int("dev_t", 4, False),
            "u8": Int("u8", 1, False),
        }
        self.enums = {"direction": Enum("direction", 4, False, (("IN", 0), ("OUT", 1)))}
        self.prototypes = {f"btf_trace_{name}": list(row) for name, row in prototypes.items()}
        self.asked: list[str] = []

    def struct(self, keyword: str, name: str) -> Type | None:
        return self.structs.get(name) if keyword == "struct" else None

    def enum(self, name: str) -> Type | None:
        return self.enums.get(name)

    def typedef(self, name: str) -> Type | None:
        return self.typedefs.get(name)

    def enumerator(self, name: str) -> tuple[int, Type] | None:
        return None

    def symbol(self, module: str, name: str) -> tuple[int, Type] | None:
        return None

    def prototype(self, name: str) -> Sequence[tuple[str, Type]] | None:
        self.asked.append(name)
        return self.prototypes.get(name)

    def btf_id(self, name: str) -> int | None:
        self.asked.append(name)
        return 1000 + list(self.prototypes).index(name) if name in self.prototypes else None

    def typedef_names(self, prefix: str) -> Iterable[str]:
        self.asked.append(prefix + "*")
        return [name for name in self.prototypes if name.startswith(prefix)]

    def function_names(self, prefix: str) -> Iterable[str]:
        self.asked.append(prefix + "*")
        return [name for name in ("__x64_sys_openat", "__x64_sys_stub", "__do_sys_getpid") if name.startswith(prefix)]


COMMON = """\
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;
"""


def add_event(root: Path, group: str, name: str, fields: Sequence[tuple[str, int, int, int]] = ()) -> None:
    """One event: fields as (declaration, offset, size, signed)."""
    directory = root / "events" / group / name
    directory.mkdir(parents=True)
    own = "".join(f"\tfield:{d};\toffset:{o};\tsize:{s};\tsigned:{g};\n" for d, o, s, g in fields)
    text = f'name: {name}\nID: 7\nformat:\n{COMMON}\n{own}\nprint fmt: "%d", REC->x\n'
    (directory / "format").write_text(text)
    (directory / "id").write_text("7\n")


def add_syscall(root: Path, name: str, *parameters: str) -> None:
    nr = ("int __syscall_nr", 8, 4, 1)
    slots = [(parameter, 16 + 8 * i, 8, 0) for i, parameter in enumerate(parameters)]
    add_event(root, "syscalls", f"sys_enter_{name}", [nr, *slots])
    add_event(root, "syscalls", f"sys_exit_{name}", [nr, ("long ret", 16, 8, 1)])


class Machine:
    """Evaluates the expressions that providers make: C arithmetic on given words, registers and memory.

    `memory` holds little-endian bytes by address; bytes that are not there read 0.
    """

    def __init__(
        self,
        words: Sequence[int] = (),
        memory: Mapping[int, bytes] | None = None,
        record: bytes = b"",
        pid_tgid: int = 0,
    ) -> None:
        self.words = words
        self.record = record
        self.pid_tgid = pid_tgid
        self.bytes: dict[int, int] = {}
        for start, data in (memory or {}).items():
            self.bytes.update({start + i: byte for i, byte in enumerate(data)})

    RECORD = 0xFFFF_8000_0000_0000

    def run(self, make: object) -> int:
        assert callable(make)
        return self.value(make(SPAN))

    def value(self, expr: Expr) -> int:
        return _wrap(self._raw(expr), expr.type)

    def _raw(self, expr: Expr) -> int:
        match expr:
            case nodes.IntLit(value):
                return value
            case nodes.ContextWord(index):
                return self.words[index]
            case nodes.ContextBytes(offset, type_):
                return int.from_bytes(self.record[offset : offset + (size_of(type_) or 0)], "little")
            case nodes.ContextAddress(offset):
                return self.RECORD + offset
            case nodes.Load(address, _, type_):
                at = self.value(address)
                return int.from_bytes(bytes(self._byte(at + i) for i in range(size_of(type_) or 0)), "little")
            case nodes.Convert(operand):
                return self.value(operand)
            case nodes.Binary(op, left, right, type_):
                assert left.type == right.type == type_ or op in ("<<", ">>"), "operands have the common type"
                return _OPERATORS[op](self.value(left), self.value(right))
            case nodes.Compare(op, left, right):
                assert left.type == right.type, "operands have one type"
                return int(_COMPARISONS[op](self.value(left), self.value(right)))
            case nodes.Logical("&&", left, right):
                return int(bool(self.value(left)) and bool(self.value(right)))
            case nodes.Logical("||", left, right):
                return int(bool(self.value(left)) or bool(self.value(right)))
            case nodes.Conditional(condition, then, other, type_):
                assert then.type == other.type == type_, "branches have the type"
                return self.value(then if self.value(condition) else other)
            case nodes.Call("kernel_pid_tgid"):
                return self.pid_tgid
            case _:
                raise AssertionError(f"not a provider's expression: {expr}")

    def _byte(self, address: int) -> int:
        if self.RECORD <= address < self.RECORD + len(self.record):
            return self.record[address - self.RECORD]
        return self.bytes.get(address, 0)


_OPERATORS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "&": lambda a, b: a & b, ">>": lambda a, b: a >> b,
}  # fmt: skip
_COMPARISONS = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def _wrap(value: int, type_: Type) -> int:
    bits = 8 * (size_of(type_) or 8)
    value &= (1 << bits) - 1
    if isinstance(type_, Int | Enum) and type_.signed and value >> (bits - 1):
        value -= 1 << bits
    return value
