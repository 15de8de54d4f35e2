"""The programs that tell of files that a process maps: more units, of plans whose descriptions mean such files.

One waits in a process's loader, until probes are in what that has mapped. It sends who it is, and goes round in a loop
until the tracer has answered, or for Late.WAIT_NS. Reading a word of the process by the helper for other processes'
memory lets the CPU go, should somebody wait for it (cond_resched() in mm/gup.c): the tracer may be that. Should it be
killed, the process goes on when the time is over. The other tells that a descendant of the traced process executes a
program, which may have no loader that is watched. Nothing can wait there, so its number is 0.
Source: kernel/trace/bpf_trace.c, bpf_copy_from_user_task() in kernel/bpf/helpers.c.
"""

from __future__ import annotations

from invivo.codegen import namespace
from invivo.codegen.emitter import Emitter, Helper
from invivo.codegen.ir import ZERO, Block, Value, const
from invivo.codegen.lowering import NOWHERE, new_emitter
from invivo.codegen.module import Module
from invivo.program.attach import RawTracepoint
from invivo.program.clauses import Probe
from invivo.program.plan import Attachment
from invivo.program.shared import Globals, Late

__all__ = ["EXEC", "lower_late_exec", "lower_late_watch"]

EXEC = Attachment(RawTracepoint("sched_process_exec"), 0)

_FORCE_WAKEUP = 2
_ADDRESS = 128  # of the instruction pointer in struct pt_regs: any place that is there will do


def lower_late_watch(module: Module, name: str, probe: Probe) -> str:
    """The LLVM function in the loader; `probe` stands for those that are added, and says which processes are meant."""
    e = new_emitter(module, name, probe.attach)
    out = e.out
    done = _begin(e, probe)
    word = out.alloca(8)
    number = out.add(out.fetch_add(module.global_address(Globals.LATE_VISITS), const(1)), const(1))
    status = _send(e, number)
    sent, unheld = out.new_block("sent"), out.new_block("unheld")
    out.branch_if(out.compare("eq", status, ZERO), sent, unheld)
    out.enter(sent)
    if e.may_sleep and module.traits.has_may_goto:
        start = out.call(Helper.KTIME)
        distance = out.binary("shl", e.opaque_mask(number, Late.SLOTS - 1), const(3))
        answer = out.offset(module.global_address(Globals.LATE_DONE), distance)
        task = out.call(Helper.CURRENT_TASK_BTF)
        address = out.load(out.offset(out.context, _ADDRESS))
        head, waits = out.new_block("head"), out.new_block("waits")
        out.enter(head)
        e.may_go_on(unheld)
        out.branch_if(out.compare("uge", out.load(answer, volatile=True), number), done, waits)
        out.enter(waits)
        out.call(Helper.COPY_FROM_USER_TASK, word, const(8), address, task, ZERO)
        passed = out.sub(out.call(Helper.KTIME), start)
        out.branch_if(out.compare("ugt", passed, const(Late.WAIT_NS)), unheld, head)
    else:
        out.branch(unheld)
    out.enter(unheld)
    e.count(Globals.LATE_UNHELD)
    return _end(e, done)


def lower_late_exec(module: Module, name: str, probe: Probe) -> str:
    """The LLVM function at the raw tracepoint of execs."""
    e = new_emitter(module, name, EXEC.point)
    done = _begin(e, probe)
    with e.when(e.is_true(_send(e, ZERO)), (0, 1)):
        e.count(Globals.LATE_UNHELD)
    e.out.branch(done)
    return _end(e, done)


def _begin(e: Emitter, probe: Probe) -> Block:
    """Go on for processes that are meant only; yields the block at the end."""
    done = e.out.new_block("done")
    e.resumes.append(done)
    e.start_firing()
    if probe.guard is not None:
        meant = e.out.new_block("meant")
        e.out.branch_if(e.is_true(e.scalar(probe.guard(NOWHERE))), meant, done)
        e.out.enter(meant)
    return done


def _send(e: Emitter, number: Value) -> Value:
    """Send a visit; yields 0 if there was room."""
    visit = e.out.alloca(Late.VISIT_SIZE)
    e.out.store(namespace.pid_tgid(e), visit)
    e.out.store(number, e.out.offset(visit, 8))
    size = const(Late.VISIT_SIZE)
    return e.out.call(Helper.RINGBUF_OUTPUT, e.module.late_visits(), visit, size, const(_FORCE_WAKEUP))


def _end(e: Emitter, done: Block) -> str:
    e.out.enter(done)
    for fault in e.faults:
        fault.source.lines.append(f"  br label %{done.label}")
    e.out.ret()
    return e.out.text()
