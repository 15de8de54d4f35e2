"""The proc provider: processes and threads begin, run other programs, get signals, and end.

In: raw tracepoints of the scheduler and the signal code, and system calls. Out: DTrace's probes and arguments.

    proc:::create { trace(args[0]->pr_pid); }             sched_process_fork, where the child leads its thread group
    proc:::exit /args[0] == 2/ { trace(execname); }       sched_process_exit of the last thread; 2 is CLD_KILLED
    proc:::signal-send { @[execname, args[1]->pr_fname, args[2]] = count(); }
"""

from __future__ import annotations

from invivo.errors import UnsupportedError
from invivo.linux.arch import architecture
from invivo.program.clauses import Context, Probe, ProbeArg
from invivo.program.nodes import Call, Expr
from invivo.program.plan import Traits
from invivo.program.types import BOOL, CHAR, INT, LONG, UINT64, ULONG, VOID, Pointer, Space
from invivo.providers.base import KernelTypeSource
from invivo.providers.expressions import (
    Maker,
    binary,
    both,
    chain,
    choose,
    compare,
    compare_two,
    convert,
    either,
    equals,
    literal,
    member,
    word,
)
from invivo.providers.syscall import Numbers, SyscallSide
from invivo.providers.table import MODULE, NO_ARGUMENTS, Kernel, Row, TableProvider, absent, context
from invivo.source import Span

__all__ = ["provider"]

# include/trace/events/signal.h: what became of a signal that was generated.
_DELIVERED, _IGNORED, _LOST_INFO = 0, 1, 4
# wait(2)'s si_code: why a process ended.
_CLD_EXITED, _CLD_KILLED, _CLD_DUMPED = 1, 2, 3


class _Rows:
    def __init__(self, types: KernelTypeSource, traits: Traits) -> None:
        self._kernel = Kernel(types)
        self._types = types
        self._traits = traits
        self._numbers = Numbers(architecture().name)
        self._sides: dict[str, SyscallSide] = {}
        self._born_context = Context("proc:::start")
        self._signal_context: Context | None = None

    def rows(self) -> list[Row]:
        return [
            Row("create", self.create),
            Row("exec", self.exec),
            Row("exec-failure", self.exec_failure),
            Row("exec-success", self.exec_success),
            Row("exit", self.exit),
            Row("lwp-create", self.lwp_create),
            Row("lwp-exit", self.lwp_exit),
            Row("lwp-start", self.lwp_start),
            Row("signal-clear", self.signal_clear),
            Row("signal-discard", self.signal_discard),
            Row("signal-handle", self.signal_handle),
            Row("signal-send", self.signal_send),
            Row("start", self.start),
            Row("fault", absent("Linux turns a machine fault into a signal: see proc:::signal-send")),
        ]

    # --- tasks ---

    def create(self) -> Probe:
        """In the parent, when the child is complete but has not run."""
        child, is_process = self._forked()
        args = (self._kernel.translated("process", "psinfo_t", child, "task_struct"),)
        return self._raw("create", "sched_process_fork", context("proc:::create", *args), is_process)

    def lwp_create(self) -> Probe:
        child, is_process = self._forked()
        args = self._kernel.thread(child)
        return self._raw("lwp-create", "sched_process_fork", context("proc:::lwp-create", *args), _not(is_process))

    def _forked(self) -> tuple[Maker, Maker]:
        child = self._kernel.pointer(1, "task_struct")
        task = self._kernel.struct("task_struct")
        pid, _ = member(child, task, "pid")
        tgid, _ = member(child, task, "tgid")
        return child, compare_two("==", pid, tgid)

    def exit(self) -> Probe:
        """In the last thread of the process. args[0]: CLD_EXITED, CLD_KILLED or CLD_DUMPED."""
        _, prototype = self._kernel.raw_tracepoint("sched_process_exit")
        task_pointer = self._kernel.pointer(0, "task_struct")
        task = self._kernel.struct("task_struct")
        if len(prototype) > 1:
            # Linux 6.16 tells it; before, a group without live threads is one that ends.
            is_last = compare("!=", word(1, BOOL), BOOL, 0)
        else:
            live, live_type = member(task_pointer, task, "signal.live.counter")
            is_last = compare("<=", live, live_type, 0)
        code, code_type = member(task_pointer, task, "exit_code")
        signal = binary("&", code, literal(0x7F, code_type), code_type)
        core = binary("&", code, literal(0x80, code_type), code_type)
        reason = choose(
            equals(signal, code_type, 0),
            literal(_CLD_EXITED),
            choose(compare("!=", core, code_type, 0), literal(_CLD_DUMPED), literal(_CLD_KILLED), INT),
            INT,
        )
        return self._raw(
            "exit", "sched_process_exit", context("proc:::exit", ProbeArg("reason", INT, reason)), is_last
        )

    def lwp_exit(self) -> Probe:
        """In each thread that ends, the last of its process included."""
        return self._raw("lwp-exit", "sched_process_exit", NO_ARGUMENTS)

    def start(self) -> Probe:
        """In the new process, before its first instruction: there, fork(2) and clone(2) return 0."""
        return self._born("start", compare_two("==", *_pid_and_tid()))

    def lwp_start(self) -> Probe:
        return self._born("lwp-start", compare_two("!=", *_pid_and_tid()))

    def _born(self, name: str, is_it: Maker) -> Probe:
        side = self._side("sys_exit")
        is_child = chain(self._calls(side, "clone", "clone3", "fork", "vfork"), equals(side.result, LONG, 0), is_it)
        return Probe("proc", MODULE, "", name, side.attach, self._born_context, None, is_child)

    # --- exec ---

    def exec(self) -> Probe:
        """In the calling thread, before anything is tried. args[0]: the path as the program gave it."""
        side = self._side("sys_enter")
        path_type = Pointer(CHAR, Space.USER)
        is_execve = equals(side.number, LONG, self._number("execve"))
        # execve(path, ...), execveat(directory, path, ...)
        path = choose(is_execve, side.arguments[0], side.arguments[1], ULONG)
        args = ProbeArg("path", path_type, convert(path, path_type))
        guard = self._calls(side, "execve", "execveat")
        return Probe("proc", MODULE, "", "exec", side.attach, context("proc:::exec", args), None, guard)

    def exec_failure(self) -> Probe:
        """args[0]: the error number, positive."""
        side = self._side("sys_exit")
        error = convert(binary("-", literal(0, LONG), side.result, LONG), INT)
        guard = both(self._calls(side, "execve", "execveat"), compare("<", side.result, LONG, 0))
        args = ProbeArg("error", INT, error)
        return Probe("proc", MODULE, "", "exec-failure", side.attach, context("proc:::exec-failure", args), None, guard)

    def exec_success(self) -> Probe:
        """In the process as it now is: execname is the new program's."""
        return self._raw("exec-success", "sched_process_exec", NO_ARGUMENTS)

    # --- signals ---

    def signal_send(self) -> Probe:
        """In the sender. A signal that is pending already, or cannot be queued, is not sent again."""
        result = self._result()
        sent = either(equals(result, INT, _DELIVERED), equals(result, INT, _LOST_INFO))
        return self._generated("signal-send", sent)

    def signal_discard(self) -> Probe:
        """In the sender: the target ignores the signal."""
        return self._generated("signal-discard", equals(self._result(), INT, _IGNORED))

    def _result(self) -> Maker:
        return word(4, INT)

    def _generated(self, name: str, guard: Maker) -> Probe:
        if self._signal_context is None:
            target = self._kernel.pointer(2, "task_struct")
            args = (*self._kernel.thread(target), ProbeArg("signal", INT, word(0, INT)))
            self._signal_context = context("proc:::signal-send", *args)
        return self._raw(name, "signal_generate", self._signal_context, guard)

    def signal_handle(self) -> Probe:
        """In the target, where it is about to run a handler of its own."""
        action = self._kernel.pointer(2, "k_sigaction")
        handler, _ = member(action, self._kernel.struct("k_sigaction"), "sa.sa_handler")
        address = convert(handler, ULONG)
        pointer = Pointer(VOID, Space.USER)
        args = (
            ProbeArg("signal", INT, word(0, INT)),
            ProbeArg("info", self._info_type(), word(1, self._info_type())),
            ProbeArg("handler", pointer, convert(address, pointer)),
        )
        # SIG_DFL is 0, SIG_IGN is 1.
        guard = compare(">", address, ULONG, 1)
        return self._raw("signal-handle", "signal_deliver", context("proc:::signal-handle", *args), guard)

    def _info_type(self) -> Pointer:
        return Pointer(self._kernel.struct("kernel_siginfo"), Space.KERNEL)

    def signal_clear(self) -> Probe:
        """In the target, where sigwaitinfo(2) or sigtimedwait(2) has taken a pending signal."""
        side = self._side("sys_exit")
        guard = both(self._calls(side, "rt_sigtimedwait"), compare(">", side.result, LONG, 0))
        args = ProbeArg("signal", INT, convert(side.result, INT))
        return Probe("proc", MODULE, "", "signal-clear", side.attach, context("proc:::signal-clear", args), None, guard)

    # --- parts ---

    def _raw(self, name: str, tracepoint: str, seen: Context, guard: Maker | None = None) -> Probe:
        attach, _ = self._kernel.raw_tracepoint(tracepoint)
        return Probe("proc", MODULE, "", name, attach, seen, None, guard)

    def _side(self, tracepoint: str) -> SyscallSide:
        side = self._sides.get(tracepoint)
        if side is None:
            side = self._sides[tracepoint] = SyscallSide(self._types, self._traits, tracepoint)
        return side

    def _calls(self, side: SyscallSide, *names: str) -> Maker:
        """Whether the system call is one of these, of a 64-bit task (32-bit ones have other numbers)."""
        is_one: Maker | None = None
        for name in names:
            if name in self._numbers.table:
                this = equals(side.number, LONG, self._number(name))
                is_one = this if is_one is None else either(is_one, this)
        if is_one is None:
            raise UnsupportedError(f"it has no system call {' or '.join(names)}")
        return both(is_one, side.is_native)

    def _number(self, name: str) -> int:
        return self._numbers.table[name]


def _not(condition: Maker) -> Maker:
    return equals(condition, INT, 0)


def _pid_and_tid() -> tuple[Maker, Maker]:
    def both_ids(span: Span) -> Expr:
        return Call("kernel_pid_tgid", (), UINT64, span)

    pid = binary(">>", both_ids, literal(32, UINT64), UINT64)
    tid = binary("&", both_ids, literal(0xFFFFFFFF, UINT64), UINT64)
    return pid, tid


def provider(types: KernelTypeSource, traits: Traits) -> TableProvider:
    return TableProvider("proc", _Rows(types, traits).rows())
