"""Which clauses run for which probe, in which order: selectors, guards, shared programs, many clauses, stacks.

Events are made by this process and counted by hand; symbols come from /proc/kallsyms and the C library.
"""

from __future__ import annotations

import bisect
import ctypes
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from invivo.consumer.records import Stack as StackValue
from invivo.linux import perf_event, tracefs
from invivo.program.actions import PrintStack
from invivo.program.attach import PerfClock, RawTracepoint, Tracepoint
from invivo.program.clauses import Context, Probe, Selector
from invivo.program.layout import field_type
from invivo.program.nodes import Component, ContextBytes, ContextWord, Convert, Expr, ProbeId, ProbeName, Scope
from invivo.program.records import AggFunction
from invivo.program.sources import ProbePattern
from invivo.program.types import INT, INT32, INT64, LONG, UINT64, Stack, String
from tests.engines.build import (
    BEGIN,
    END,
    INTERNED,
    SPAN,
    Builder,
    Running,
    assign,
    call,
    catalog,
    compare,
    number,
    op,
    probe_name,
    ref,
    results,
    string_call,
    text,
    tick,
    update,
)

pytestmark = pytest.mark.kernel

LIBC = ctypes.CDLL(None)


def probes(provider: str, module: str = "", function: str = "", name: str = "") -> list[Probe]:
    return list(catalog().match(ProbePattern(provider, module, function, name)))


def mine() -> Expr:
    return compare("==", op(">>", call("pid_tgid"), number(32)), number(os.getpid()))


def some_calls() -> None:
    for _ in range(3):
        LIBC.getppid()
    for _ in range(2):
        LIBC.getpgrp()
    LIBC.getuid()


def test_one_program_tells_system_calls_apart() -> None:
    d = Builder()
    every = probes("syscall", name="entry")
    ppid, uid = probes("syscall", "", "getppid"), probes("syscall", "", "getuid")
    a = d.aggregation(AggFunction.COUNT, [INTERNED, INTERNED, INTERNED], "a")
    names = [probe_name(c) for c in (Component.PROVIDER, Component.FUNCTION, Component.NAME)]
    d.clause(every, d.aggregate(a, *names), when=mine())
    d.clause([*ppid, *uid], d.printf("%s:%s ", *names[1:]), when=mine())
    running = d.run(some_calls)
    counted = running.aggregations["a"]
    assert (counted["syscall", "getppid", "entry"], counted["syscall", "getpgrp", "entry"]) == (3, 2)
    assert counted["syscall", "getuid", "entry"] == 1
    assert running.text == "getppid:entry getppid:return " * 3 + "getuid:entry getuid:return "


def test_names_are_strings_where_strings_are_wanted() -> None:
    d = Builder()
    chosen = [*probes("syscall", "", "getppid"), *probes("syscall", "", "getuid", "entry")]
    function = ProbeName(Component.FUNCTION, String(256), SPAN)
    last = ref(d.variable("last", String(256)))
    d.clause(chosen, assign(last, string_call("strjoin", function, probe_name(Component.NAME))), when=mine())
    d.clause(chosen, d.printf("%s %d|", last, compare("==", function, text("getuid"))), when=mine())
    d.clause(chosen, d.printf("%d ", call("strlen", function)), when=compare("==", function, text("nosuchcall")))
    running = d.run(some_calls)
    assert running.text == "getppidentry 0|getppidreturn 0|" * 3 + "getuidentry 1|"


def test_ids_follow_the_order_of_the_program() -> None:
    d = Builder()
    d.clause((BEGIN, END), d.printf("%d %s:", ProbeId(INT, SPAN), probe_name(Component.NAME)))
    assert d.run().text == "1 BEGIN:2 END:"


def test_clauses_of_one_probe_run_in_the_order_of_the_text() -> None:
    d = Builder()
    (probe,) = probes("syscall", "", "getppid", "entry")
    n = ref(d.variable("n", INT))
    for digit in range(60):
        d.clause(probe, d.printf(f"{digit},"), update("+", n, number(1, INT)), when=mine())
    d.clause(END, d.printf("%d", n))
    running = d.run(some_calls)
    assert running.text == "".join(f"{digit}," for digit in range(60)) * 3 + "180"


def test_sixty_clauses_load_in_well_under_a_second() -> None:
    d = Builder()
    (probe,) = probes("syscall", "", "getppid", "entry")
    name = string_call("comm", size=16)
    for digit in range(60):
        shown = d.printf(f"{digit} %d %s\n", call("pid_tgid"), name)
        d.clause(probe, shown, when=compare("==", name, text(f"n{digit}")))
    plan = d.plan()
    start = time.perf_counter()
    with Running(plan):
        pass
    assert time.perf_counter() - start < 0.5


def test_three_hundred_probes_with_clauses_of_their_own() -> None:
    d = Builder()
    chosen = probes("syscall", name="entry")[:300]
    for probe in chosen:
        d.clause(probe, d.printf(f"{probe.function} %d\n", ProbeId(INT, SPAN)), when=mine())
    running = d.run(some_calls)
    names = {probe.function for probe in chosen}
    expected = [name for name in ("getppid",) * 3 + ("getpgrp",) * 2 + ("getuid",) if name in names]
    wanted = {"getppid", "getpgrp", "getuid"}
    assert [line.split()[0] for line in running.text.splitlines() if line.split()[0] in wanted] == expected


def test_arguments_of_system_calls() -> None:
    d = Builder()
    entry, back = probes("syscall", "", "getpgid")
    pid = entry.context.args[0].value(SPAN)
    d.clause(entry, d.printf("%d ", pid), when=mine())
    d.clause(back, d.printf("%d\n", back.context.args[0].value(SPAN)), when=mine())

    def events() -> None:
        LIBC.getpgid(0)
        LIBC.getpgid(os.getpid())
        LIBC.getpgid(-5)

    group = os.getpgrp()
    assert d.run(events).text == f"0 {group}\n{os.getpid()} {group}\n-5 -3\n"


def test_after_a_fault_the_next_clause_still_knows_its_probe() -> None:
    d = Builder()
    zero = ref(d.variable("zero", INT))
    first = [*probes("syscall", "", "getppid"), *probes("syscall", "", "getpgrp"), *probes("syscall", "", "gettid")]
    second = [*probes("syscall", "", "getuid"), *probes("syscall", "", "geteuid"), *probes("syscall", "", "getgid")]
    name = probe_name(Component.FUNCTION)
    local = ref(d.variable("local", INT, Scope.CLAUSE))
    for group in (first, second):
        entries = [probe for probe in group if probe.name == "entry"]
        count = assign(local, op("+", local, number(1, INT)))
        d.clause(entries, count, d.printf("%d", op("/", number(1, INT), zero)), when=mine())
        d.clause(entries, count, d.printf("%s %d %d ", name, ProbeId(INT, SPAN), local), when=mine())
    running = d.run(some_calls)
    ids = {probe.function: i for i, probe in enumerate(running.plan.probes, 1)}
    calls = ["getppid"] * 3 + ["getpgrp"] * 2 + ["getuid"]
    assert running.text == "".join(f"{call} {ids[call]} 2 " for call in calls)
    assert [fault.probe and fault.probe.function for fault in running.faults] == calls


def test_guards() -> None:
    d = Builder()
    context = Context("raw")
    key = lambda span: ContextWord(1, LONG, span)  # noqa: E731
    guard = lambda span: Convert(compare("==", call("pid_tgid"), number(-1)), INT, span)  # noqa: E731
    point = RawTracepoint("sys_enter")
    never = Probe("x", "", "", "never", point, context, Selector(key, 110, guard))
    always = Probe("x", "", "", "always", point, context, Selector(key, 110))
    unselected = Probe("x", "", "", "unselected", point, context, None, guard)
    d.clause([never, always, unselected], d.printf("%s ", probe_name(Component.NAME)), when=mine())
    assert d.run(lambda: LIBC.getppid()).text == "always "


def test_a_perf_tracepoint_shared_by_several_events() -> None:
    d = Builder()
    points = [Tracepoint("syscalls", f"sys_enter_{name}") for name in ("getppid", "getuid", "getpgrp")]
    made = [Probe("sdt", p.category, "", p.name, p, Context(p.name)) for p in points]
    number_ = ContextBytes(8, INT32, SPAN)
    d.clause(made, d.printf("%s %d\n", probe_name(Component.NAME), number_), when=mine())
    plan = d.plan()
    assert [len(unit.attachments) for unit in plan.units] == [3]
    # x86-64's numbers: getppid 110, getpgrp 111, getuid 102
    expected = "sys_enter_getppid 110\n" * 3 + "sys_enter_getpgrp 111\n" * 2 + "sys_enter_getuid 102\n"
    assert d.run(some_calls).text == expected


def test_ticks() -> None:
    d = Builder()
    n = ref(d.variable("n", INT))
    d.clause(tick(2_000_000), update("+", n, number(1, INT)))
    d.clause(END, d.printf("%d", n))

    def events() -> None:
        (timer,) = running.engine.timers
        time.sleep(0.021)
        timer.fire()

    with d.start() as running:
        events()
    assert 10 <= int(running.text) <= 30


def test_samples_of_a_busy_cpu() -> None:
    d = Builder()
    probe = Probe("profile", "", "", "profile-1000", PerfClock(1_000_000), Context("profile"))
    a = d.aggregation(AggFunction.COUNT, [], "n")
    d.clause(probe, d.aggregate(a), when=mine())

    def events() -> None:
        while time.process_time() < end:
            pass

    end = time.process_time() + 0.2
    count = d.run(events).aggregations["n"][()]
    # One a millisecond of CPU time; a timer on a virtual machine may be late.
    assert isinstance(count, int)
    assert 100 <= count <= 220


# --- stacks -----------------------------------------------------------------------------------------------------------


def kernel_functions() -> dict[int, str]:
    rows = (line.split() for line in Path("/proc/kallsyms").read_text().splitlines())
    return {int(row[0], 16): row[2] for row in rows}


def test_kernel_stacks_are_those_of_the_system_call() -> None:
    d = Builder()
    (probe,) = probes("syscall", "", "getppid", "entry")
    stack = call("kstack", type_=Stack(False, 20))
    d.clause(probe, d.record(PrintStack(0), stack), d.printf("%d", call("kstack_depth")), when=mine())
    running = d.run(lambda: LIBC.getppid())
    (found,), (depth,) = running.values
    assert isinstance(found, StackValue)
    assert depth == len(found.addresses) > 1
    functions = kernel_functions()
    starts = sorted(functions)
    names = [functions[starts[bisect.bisect_right(starts, a) - 1]] for a in found.addresses]
    assert "do_syscall_64" in names


def test_equal_stacks_have_one_id_and_depth_cuts() -> None:
    d = Builder()
    (probe,) = probes("syscall", "", "getppid", "entry")
    full, short = call("kstack", type_=Stack(False, 127)), call("kstack", type_=Stack(False, 1))
    d.clause(probe, d.record(PrintStack(0), full), d.record(PrintStack(0), short), when=mine())

    def events() -> None:
        for _ in range(3):
            LIBC.getppid()

    values = [value for (value,) in d.run(events).values]
    assert all(isinstance(value, StackValue) for value in values)
    assert len(set(values[0::2])) == 1
    assert [len(value.addresses) for value in values[1::2] if isinstance(value, StackValue)] == [1, 1, 1]


def test_user_stacks_begin_in_the_library_that_called() -> None:
    d = Builder()
    (probe,) = probes("syscall", "", "getppid", "entry")
    a = d.aggregation(AggFunction.COUNT, [field_type(Stack(True, 5))])
    d.clause(probe, d.aggregate(a, call("ustack", type_=Stack(True, 5))), when=mine())
    running = d.run(lambda: LIBC.getppid())
    ((stack,),) = running.aggregations[""]
    assert isinstance(stack, StackValue)
    assert stack.pid == os.getpid()
    start = ctypes.cast(LIBC.getppid, ctypes.c_void_p).value or 0
    assert start < stack.addresses[0] < start + 64


def test_the_first_sample_keeps_both_its_stacks() -> None:
    """A sample is taken with interrupts off, when the kernel gets no new memory for elements of a map."""
    probe = Probe("profile", "", "", "profile-2000", PerfClock(500_000), Context("profile"))
    for _ in range(5):
        d = Builder()
        kinds = Stack(False, 20), Stack(True, 20)
        a = d.aggregation(AggFunction.COUNT, [field_type(kind) for kind in kinds])
        d.clause(probe, d.aggregate(a, call("kstack", type_=kinds[0]), call("ustack", type_=kinds[1])))
        running = d.run(lambda: subprocess.run(["true"], check=True))
        assert [drop for drop in running.drops if drop.kind != "truncated"] == []


# --- facts of the moment ----------------------------------------------------------------------------------------------


def test_who_and_where() -> None:
    d = Builder()
    ids, users, cpu = call("pid_tgid", type_=UINT64), call("uid_gid", type_=UINT64), call("cpu")
    found = results(d, ids, users, cpu, call("random"), call("kernel_pc"), call("user_pc"), call("current_cgroup"))
    assert found[0] == os.getpid() << 32 | threading.get_native_id()
    assert found[1] == os.getgid() << 32 | os.getuid()
    assert found[2] in os.sched_getaffinity(0)
    assert isinstance(found[3], int)
    assert 0 <= found[3] < 1 << 32
    assert found[4:6] == [0, 0]


def test_the_time_is_read_once_a_firing() -> None:
    d = Builder()
    before = time.monotonic_ns()
    now = call("timestamp", type_=UINT64)
    d.clause(END, d.printf("%d", now), d.printf("%d", now))
    d.clause(END, d.printf("%d", now))
    times = [value for (value,) in d.run().values]
    assert len(set(times)) == 1
    assert before < times[0] < time.monotonic_ns()


def test_nothing_is_counted_twice_or_lost_when_a_command_storms() -> None:
    from tests.support import trigger

    d = Builder()
    (probe,) = probes("syscall", "", "getppid", "entry")
    a = d.aggregation(AggFunction.COUNT, [INTERNED], "n")
    # Keyed by comm: the trigger's own two threads.
    name = string_call("comm", size=16)
    d.clause(probe, d.aggregate(a, probe_name(Component.FUNCTION)), when=compare("==", name, text("syscalls")))
    running = d.run(lambda: subprocess.run([trigger("syscalls"), "50000"], check=True))
    assert dict(running.aggregations["n"]) == {("getppid",): 100000}
    assert running.missed_runs == 0


def test_records_of_a_storm_arrive_or_are_counted() -> None:
    d = Builder(bufsize=65536)
    (probe,) = probes("syscall", "", "getppid", "entry")
    d.clause(probe, d.printf("%d", call("pid_tgid", type_=INT64)), when=mine())

    def events() -> None:
        for _ in range(10000):
            LIBC.getppid()

    running = d.run(events)
    lost = sum(drop.count for drop in running.drops)
    assert len(running.records) + lost == 10000
    # A record of 16 bytes takes 24 with its header: 2730 fit.
    assert len(running.records) == 65536 // 24


def test_other_users_of_a_trace_event_are_told_of_it_as_ever() -> None:
    """perf's own counter of an event goes on while it is traced."""
    d = Builder()
    point = Tracepoint("syscalls", "sys_enter_getpgid")
    made = Probe("sdt", point.category, "", point.name, point, Context(point.name))
    d.clause(made, d.printf("%d ", ContextBytes(8, INT32, SPAN)), when=mine())  # what is read makes it perf's event
    counted = 0

    def events() -> None:
        nonlocal counted
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(before)})
        fd = perf_event.open_tracepoint(tracefs.event_id(point.category, point.name), min(before))
        try:
            for _ in range(23):
                LIBC.getpgid(0)
            counted = int.from_bytes(os.read(fd, 8), "little")
        finally:
            os.close(fd)
            os.sched_setaffinity(0, before)

    assert d.run(events).text == "121 " * 23
    assert counted >= 23  # those of other processes on that CPU too
