"""Actions that change what is traced, or the system: only with the option destructive.

raise(SIGUSR1)             Call("send_signal", (10,)): the kernel sends it as soon as it may
stop()                     the same of SIGSTOP, and Stopped(pid): the consumer tells how the process goes on
copyout(p, address, 8)     Call("copyout"): bpf_probe_write_user
system("date; id %d", u)   System("date; id %d", ...): the consumer runs it when it meets the record
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.builtins.formats import formatted
from invivo.builtins.registry import Builder, Builtin, Kind, Operand, register
from invivo.program.actions import Freopen, Ftruncate, Stopped, System
from invivo.program.nodes import Binary, Call, Compare, Conditional, Convert, Expr, IntLit, RuntimeConstant
from invivo.program.shared import Globals
from invivo.program.statements import ExprStmt
from invivo.program.types import INT, INT64, ULONG, Int, Pointer, Space, String, a_type, is_scalar

__all__: list[str] = []

_SIGSTOP = 19  # signal(7)
_LAST_SIGNAL = 64
_PID = Int("pid_t", 4, True)


def _send(b: Builder, signal: Expr) -> Expr:
    return Call("send_signal", (signal,), INT64, b.span)


def _raise(b: Builder, operands: Sequence[Operand]) -> None:
    signal = b.integer(operands[0])
    if isinstance(signal, IntLit) and not 1 <= signal.value <= _LAST_SIGNAL:
        b.error("D_PROTO_ARG", signal.span, f"there is no signal {signal.value}", f"signals are 1 to {_LAST_SIGNAL}")
    b.add(ExprStmt(_send(b, signal)))


def _stop(b: Builder, operands: Sequence[Operand]) -> None:
    """invivo itself, in which BEGIN, END and tick probes fire, is not stopped: nobody could let it go on."""
    span = b.span
    pair = Call("pid_tgid", (), ULONG, span)
    pid = Convert(Binary(">>", pair, IntLit(32, ULONG, span), ULONG, span), _PID, span)
    b.act(Stopped(b.field(pid)))
    b.flush()  # told before it happens: who is killed on the way leaves no process that nobody knows of
    is_own = Compare("==", pid, Convert(RuntimeConstant(Globals.TRACER_PID, INT, span), _PID, span), INT, span)
    send = _send(b, IntLit(_SIGSTOP, INT64, span))
    b.add(ExprStmt(Conditional(is_own, IntLit(0, INT64, span), send, INT64, span)))


def _copyout(b: Builder, operands: Sequence[Operand]) -> None:
    source = b.raw(operands[0])
    address, size = b.integer_or_pointer(operands[1]), b.integer(operands[2])
    if isinstance(source.type, String):
        call = Call("copyout_string", (source, address, size), INT64, b.span)
    elif not is_scalar(source.type):
        b.error("D_PROTO_ARG", source.span, f"copyout() takes an address to copy from, not {a_type(source.type)}")
    elif isinstance(source.type, Pointer) and source.type.space is Space.SCRATCH:
        call = Call("copyout", (source, address, size), INT64, b.span)
    elif isinstance(source.type, Pointer) and source.type.space is Space.USER:
        b.error("D_PROTO_ARG", source.span, "copyout() copies memory of the program's own, or of the kernel",
                "use copyin() to bring in memory of the process")  # fmt: skip
    else:
        call = Call("copyout_kernel", (Convert(source, ULONG, source.span), address, size), INT64, b.span)
    b.add(ExprStmt(call))


def _copyoutstr(b: Builder, operands: Sequence[Operand]) -> None:
    text = b.string(operands[0])
    address = b.integer_or_pointer(operands[1])
    size: Expr = b.integer(operands[2]) if len(operands) > 2 else IntLit(b.strsize, INT64, b.span)
    b.add(ExprStmt(Call("copyout_string", (text, address, size), INT64, b.span)))


def _chill(b: Builder, operands: Sequence[Operand]) -> None:
    b.add(ExprStmt(Call("chill", (b.integer(operands[0]),), INT64, b.span)))


def _system(b: Builder, operands: Sequence[Operand]) -> None:
    b.act(System(*formatted(b, operands, "system", has_own_words=True)))


def _freopen(b: Builder, operands: Sequence[Operand]) -> None:
    text, fields = formatted(b, operands, "freopen")
    if text == ".":
        b.error("D_FREOPEN_INVALID", operands[0].span, "freopen() cannot write to a directory",
                'freopen("") goes back to where the output went at first')  # fmt: skip
    b.act(Freopen(text, fields))


def _ftruncate(b: Builder, operands: Sequence[Operand]) -> None:
    b.act(Ftruncate())


register(
    Builtin(
        "raise",
        Kind.ACTION,
        "void raise(int signal)",
        "sends a signal to the running process (destructive)",
        action=_raise,
        is_destructive=True,
    ),
    Builtin(
        "stop",
        Kind.ACTION,
        "void stop()",
        "stops the running process as SIGSTOP does; it goes on by SIGCONT (destructive)",
        action=_stop,
        is_destructive=True,
    ),
    Builtin(
        "copyout",
        Kind.ACTION,
        "void copyout(void *source, uintptr_t address, size_t size)",
        "writes into the memory of the running process, where the kernel lets programs do so (destructive)",
        action=_copyout,
        is_destructive=True,
    ),
    Builtin(
        "copyoutstr",
        Kind.ACTION,
        "void copyoutstr(string text, uintptr_t address [, size_t limit])",
        "writes a string with its NUL into the memory of the running process, at most limit bytes (destructive)",
        action=_copyoutstr,
        is_destructive=True,
    ),
    Builtin(
        "chill",
        Kind.ACTION,
        "void chill(int64_t nanoseconds)",
        "keeps the CPU busy where the probe fired, for at most 100 ms (destructive)",
        action=_chill,
        is_destructive=True,
    ),
    Builtin(
        "system",
        Kind.ACTION,
        "void system(string format, ...)",
        "runs a command with the shell, when its record is read; what is traced is passed in it as one word each, "
        "never as shell text (destructive)",
        action=_system,
        is_destructive=True,
    ),
    Builtin(
        "freopen",
        Kind.ACTION,
        "void freopen(string format, ...)",
        "appends the output from here on to the file that the format names; an empty name ends that (destructive)",
        action=_freopen,
        is_destructive=True,
    ),
    Builtin(
        "ftruncate",
        Kind.ACTION,
        "void ftruncate()",
        "empties the file that the output goes to",
        action=_ftruncate,
    ),
)
