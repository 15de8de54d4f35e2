"""proc, sched and io: which tracepoint, which thread, which condition."""

from __future__ import annotations

import pytest

from invivo.program.attach import BtfTracepoint, RawTracepoint
from invivo.program.clauses import Probe
from invivo.program.plan import Traits
from invivo.program.sources import ProbePattern
from invivo.program.types import CHAR, INT, UINT, Pointer, Space
from invivo.providers import io, proc, sched
from invivo.providers.base import Matcher
from invivo.providers.table import TableProvider
from tests.unit.providers.fakes import PROTOTYPES, REQUEST, FakeTypes, Machine

PROVIDERS = {"proc": proc.provider, "sched": sched.provider, "io": io.provider}
TASK, OTHER, REGISTERS = 0xFFFF_8880_0000_1000, 0xFFFF_8880_0000_2000, 0xFFFF_C900_0000_3000
SIGNAL = 0xFFFF_8880_0000_4000

# Numbers of asm/unistd_64.h.
READ, CLONE, FORK, EXECVE, RT_SIGTIMEDWAIT, EXECVEAT, CLONE3 = 0, 56, 57, 59, 128, 322, 435


def get(name: str, types: FakeTypes | None = None) -> TableProvider:
    return PROVIDERS[name](types or FakeTypes(), Traits())


def probe(provider: str, name: str, types: FakeTypes | None = None) -> Probe:
    (found,) = get(provider, types).match(Matcher(ProbePattern(provider, "", "", name)))
    return found


def fires(found: Probe, machine: Machine) -> bool:
    assert found.guard is not None
    return machine.run(found.guard) != 0


def little(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "little")


def task(pid: int, tgid: int, exit_code: int = 0) -> dict[int, bytes]:
    """A task at TASK, by the fake structure's offsets: pid 100, tgid 104, exit_code 108, signal 112."""
    return {TASK + 100: little(pid) + little(tgid) + little(exit_code) + little(SIGNAL, 8)}


def names(provider: str, types: FakeTypes | None = None) -> list[str]:
    return [found.name for found in get(provider, types).match(Matcher(ProbePattern(provider, "", "", "")))]


def test_what_is_listed() -> None:
    assert names("proc") == [
        "create", "exec", "exec-failure", "exec-success", "exit", "lwp-create", "lwp-exit", "lwp-start",
        "signal-clear", "signal-discard", "signal-handle", "signal-send", "start",
    ]  # fmt: skip
    assert names("sched") == ["off-cpu", "on-cpu", "leave", "preempt", "remain-cpu", "sleep", "wakeup"]
    assert names("io") == ["start", "done"]


@pytest.mark.parametrize(
    ("provider", "name", "reason"),
    [
        ("sched", "tick", "needs a kprobe"),
        ("sched", "surrender", "no tracepoint 'sched_set_need_resched_tp'"),  # the fake kernel lacks it
        ("io", "wait-start", "submit_bio_wait"),
        ("proc", "fault", "signal-send"),
    ],
)
def test_what_is_not_listed_says_why(provider: str, name: str, reason: str) -> None:
    one = get(provider)
    matcher = Matcher(ProbePattern(provider, "", "", name))
    assert one.match(matcher) == []
    assert f"{provider}:::{name} cannot be had" in one.explain(matcher)
    assert reason in one.explain(matcher)
    assert name not in {described[2] for described in one.descriptions()}


@pytest.mark.parametrize(
    ("provider", "name", "tracepoint"),
    [
        ("proc", "create", "sched_process_fork"),
        ("proc", "lwp-create", "sched_process_fork"),
        ("proc", "exec-success", "sched_process_exec"),
        ("proc", "exit", "sched_process_exit"),
        ("proc", "lwp-exit", "sched_process_exit"),
        ("proc", "signal-send", "signal_generate"),
        ("proc", "signal-discard", "signal_generate"),
        ("proc", "signal-handle", "signal_deliver"),
        ("sched", "on-cpu", "sched_switch"),
        ("sched", "off-cpu", "sched_switch"),
        ("sched", "wakeup", "sched_waking"),
        ("io", "start", "block_bio_queue"),
        ("io", "done", "block_bio_complete"),
    ],
)
def test_raw_tracepoints(provider: str, name: str, tracepoint: str) -> None:
    assert probe(provider, name).attach == RawTracepoint(tracepoint)


@pytest.mark.parametrize(("pid", "tgid", "is_process"), [(700, 700, True), (701, 700, False)])
def test_a_new_task_is_a_process_or_a_thread(pid: int, tgid: int, is_process: bool) -> None:
    machine = Machine([OTHER, TASK], task(pid, tgid))
    assert fires(probe("proc", "create"), machine) is is_process
    assert fires(probe("proc", "lwp-create"), machine) is not is_process
    assert machine.run(probe("proc", "create").context.args[0].value) == TASK
    assert [arg.translator for arg in probe("proc", "create").context.args] == ["psinfo_t"]
    assert [arg.translator for arg in probe("proc", "lwp-create").context.args] == ["lwpsinfo_t", "psinfo_t"]


@pytest.mark.parametrize(
    ("exit_code", "reason"),
    [(0, 1), (3 << 8, 1), (9, 2), (11 | 0x80, 3)],  # exit(0), exit(3), SIGKILL, SIGSEGV with a core
)
def test_exit_tells_cld_exited_killed_or_dumped(exit_code: int, reason: int) -> None:
    machine = Machine([TASK, 1], task(700, 700, exit_code))
    assert machine.run(probe("proc", "exit").context.args[0].value) == reason


def test_exit_fires_for_the_last_thread_only() -> None:
    assert fires(probe("proc", "exit"), Machine([TASK, 1]))
    assert not fires(probe("proc", "exit"), Machine([TASK, 0]))


@pytest.mark.parametrize(("live", "is_last"), [(0, True), (1, False)])
def test_exit_on_older_kernels_counts_live_threads(live: int, is_last: bool) -> None:
    """Before Linux 6.16 sched_process_exit passed the task alone. live.counter is at 12 in the fake signal_struct."""
    types = FakeTypes({**PROTOTYPES, "sched_process_exit": [("p", Pointer(FakeTypes().structs["task_struct"]))]})
    memory = {**task(700, 700), SIGNAL + 12: little(live)}
    assert fires(probe("proc", "exit", types), Machine([TASK], memory)) is is_last


def registers(number: int, cs: int = 0x33, di: int = 0, si: int = 0) -> dict[int, bytes]:
    return {
        REGISTERS + 8: little(di, 8),
        REGISTERS + 16: little(si, 8),
        REGISTERS + 56: little(number, 8),
        REGISTERS + 64: little(cs, 2),
    }


def test_exec_gives_the_path_of_either_system_call() -> None:
    found = probe("proc", "exec")
    assert isinstance(found.attach, BtfTracepoint)
    assert found.context.args[0].type == Pointer(CHAR, Space.USER)
    execve = Machine([REGISTERS, EXECVE], registers(EXECVE, di=0x1111, si=0x2222))
    execveat = Machine([REGISTERS, EXECVEAT], registers(EXECVEAT, di=0x1111, si=0x2222))
    assert fires(found, execve)
    assert fires(found, execveat)
    assert execve.run(found.context.args[0].value) == 0x1111
    assert execveat.run(found.context.args[0].value) == 0x2222
    assert not fires(found, Machine([REGISTERS, READ], registers(READ)))
    assert not fires(found, Machine([REGISTERS, EXECVE], registers(EXECVE, cs=0x23))), "59 is another call there"


@pytest.mark.parametrize(("number", "result", "expected"), [(EXECVE, -2, True), (EXECVE, 0, False), (READ, -2, False)])
def test_exec_failure_tells_the_error(number: int, result: int, expected: bool) -> None:
    found = probe("proc", "exec-failure")
    machine = Machine([REGISTERS, result], registers(number))
    assert fires(found, machine) is expected
    if expected:
        assert machine.run(found.context.args[0].value) == 2  # ENOENT
        assert machine.run(found.context.words[0]) == 2


@pytest.mark.parametrize(
    ("number", "result", "pid", "tid", "start", "lwp_start"),
    [
        (FORK, 0, 70, 70, True, False),  # in the child
        (CLONE, 0, 70, 71, False, True),
        (CLONE3, 0, 70, 70, True, False),
        (FORK, 70, 60, 60, False, False),  # in the parent
        (READ, 0, 60, 60, False, False),
    ],
)
def test_start_is_where_fork_returns_zero(
    number: int, result: int, pid: int, tid: int, start: bool, lwp_start: bool
) -> None:
    machine = Machine([REGISTERS, result], registers(number), pid_tgid=pid << 32 | tid)
    assert fires(probe("proc", "start"), machine) is start
    assert fires(probe("proc", "lwp-start"), machine) is lwp_start


@pytest.mark.parametrize(
    ("result", "sent", "discarded"),
    # TRACE_SIGNAL_DELIVERED, _IGNORED, _ALREADY_PENDING, _OVERFLOW_FAIL, _LOSE_INFO
    [(0, True, False), (1, False, True), (2, False, False), (3, False, False), (4, True, False)],
)
def test_signals_are_sent_or_discarded(result: int, sent: bool, discarded: bool) -> None:
    machine = Machine([15, 0, TASK, 1, result])
    send = probe("proc", "signal-send")
    assert fires(send, machine) is sent
    assert fires(probe("proc", "signal-discard"), machine) is discarded
    assert [machine.run(arg.value) for arg in send.context.args] == [TASK, TASK, 15]
    one = get("proc")
    both = ("signal-send", "signal-discard")
    contexts = {id(one.match(Matcher(ProbePattern("", "", "", name)))[0].context) for name in both}
    assert len(contexts) == 1


@pytest.mark.parametrize(("handler", "expected"), [(0, False), (1, False), (0x401000, True)])
def test_signal_handle_fires_for_handlers_of_the_programs_own(handler: int, expected: bool) -> None:
    """SIG_DFL is 0 and SIG_IGN is 1; sa_handler is at 8 in the fake k_sigaction."""
    found = probe("proc", "signal-handle")
    machine = Machine([15, OTHER, TASK], {TASK + 8: little(handler, 8)})
    assert fires(found, machine) is expected
    assert [machine.run(arg.value) for arg in found.context.args] == [15, OTHER, handler]


@pytest.mark.parametrize(("number", "result", "expected"), [(RT_SIGTIMEDWAIT, 10, True), (RT_SIGTIMEDWAIT, -11, False)])
def test_signal_clear_is_a_signal_waited_for(number: int, result: int, expected: bool) -> None:
    found = probe("proc", "signal-clear")
    machine = Machine([REGISTERS, result], registers(number))
    assert fires(found, machine) is expected
    assert machine.run(found.context.args[0].value) == result


def test_on_cpu_is_about_the_next_thread_and_off_cpu_tells_of_it() -> None:
    machine = Machine([0, OTHER, TASK, 1])
    on_cpu, off_cpu = probe("sched", "on-cpu"), probe("sched", "off-cpu")
    assert on_cpu.context.current is not None
    assert machine.run(on_cpu.context.current) == TASK
    assert off_cpu.context.current is None
    assert [machine.run(arg.value) for arg in off_cpu.context.args] == [TASK, TASK]


@pytest.mark.parametrize(
    ("preempt", "pid", "state", "is_preempt", "is_sleep"),
    [
        (0, 700, 1, False, True),  # TASK_INTERRUPTIBLE: it waits
        (0, 700, 0, True, False),  # still runnable: out of time, or yields
        (1, 700, 0, True, False),
        (1, 700, 1, True, False),  # it was about to wait, and is preempted before: it stays ready
        (0, 0, 0, False, False),  # the idle thread
    ],
)
@pytest.mark.parametrize("has_state_word", [True, False])
def test_a_thread_leaves_to_sleep_or_because_it_must(
    preempt: int, pid: int, state: int, is_preempt: bool, is_sleep: bool, has_state_word: bool
) -> None:
    prototype = PROTOTYPES["sched_switch"][: 4 if has_state_word else 3]
    types = FakeTypes({**PROTOTYPES, "sched_switch": prototype})
    words = [preempt, TASK, OTHER] + [state] * has_state_word
    memory = {**task(pid, pid), TASK + 120: little(state)}
    machine = Machine(words, memory)
    assert UINT.size == 4
    assert fires(probe("sched", "preempt", types), machine) is is_preempt
    assert fires(probe("sched", "sleep", types), machine) is is_sleep
    assert machine.run(probe("sched", "leave", types).context.args[0].value) == (state if is_sleep else 0)


@pytest.mark.parametrize(("is_switch", "stays"), [(1, False), (0, True)])
def test_remain_cpu_is_a_decision_without_a_switch(is_switch: int, stays: bool) -> None:
    assert fires(probe("sched", "remain-cpu"), Machine([is_switch])) is stays


def test_io_arguments_are_translated_from_the_bio_wherever_it_stands() -> None:
    start, done = probe("io", "start").context, probe("io", "done").context
    assert [arg.translator for arg in start.args] == ["bufinfo_t", "devinfo_t", "fileinfo_t"]
    assert Machine([0x77]).run(start.args[0].value) == 0x77
    assert Machine([0x66, 0x77]).run(done.args[2].value) == 0x77


def test_io_done_is_a_request_s_end_and_a_bio_s() -> None:
    types = FakeTypes({**PROTOTYPES, "block_rq_complete": [("rq", Pointer(REQUEST)), ("error", INT)]})
    of_request, of_bio = get("io", types).match(Matcher(ProbePattern("io", "", "", "done")))
    assert of_bio.attach == RawTracepoint("block_bio_complete")
    assert of_request.attach == RawTracepoint("block_rq_complete")
    # The fake request has its bio at 72; one without (a flush) is not told of.
    with_bio = Machine([0x1000], {0x1000 + 72: little(0x77, 8)})
    assert with_bio.run(of_request.context.args[1].value) == 0x77
    assert fires(of_request, with_bio)
    assert not fires(of_request, Machine([0x1000], {0x1000 + 72: little(0, 8)}))


def test_only_what_is_asked_for_is_looked_up() -> None:
    types = FakeTypes()
    probe("sched", "wakeup", types)
    assert types.asked == ["btf_trace_sched_waking"]
