"""D programs with hand-counted results, each run on the reference engine and in the kernel.

    TOPIC/tst.NAME.d          must print TOPIC/tst.NAME.out, and on standard error TOPIC/tst.NAME.err (else nothing)
    TOPIC/err.TAG.NAME.d      must not compile: its first diagnostic is TAG, on the line that `/* line: N */` says

Comments that a case may have besides, each in a comment of its own: `needs: kernel` (reads the kernel's objects, so that
there is nothing for the reference engine), `exits: N` (the exit status, 0 if not said), `arguments: A B` ($1, $2).
A program ends by exit(); ticks are fired in virtual time on the reference engine.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from invivo import session
from invivo.codegen import compile_program
from invivo.codegen.formatter import compile_formatter
from invivo.compiler import Request
from invivo.consumer.loop import Consumer
from invivo.engines.reference import ReferenceEngine, SyntheticWorld
from invivo.errors import CompileError
from invivo.lang.d import compile_text
from invivo.lang.d.decode import read_source
from invivo.lang.d.macros import MacroValues
from invivo.output.text import TextOutput
from invivo.program.nodes import Program
from invivo.program.plan import Plan, Timer
from tests.engines.build import catalog, kernel_types, traits

HERE = Path(__file__).parent
FILES = sorted(HERE.rglob("*.d"))
GOOD = [path for path in FILES if path.name.startswith("tst.")]
BAD = [path for path in FILES if path.name.startswith("err.")]

_NAME = re.compile(r"tst\.[a-z0-9_-]+\.d|err\.(D_[A-Z0-9_]+)\.[a-z0-9_-]+\.d")
_MOST_TICKS = 10_000
_PATIENCE_S = 20.0


def comment(path: Path, word: str) -> str | None:
    """What the comment `/* WORD: TEXT */` of a case says."""
    found = re.search(rf"/\* {word}: (.*?) \*/", path.read_text("utf-8", "surrogateescape"))
    return found[1] if found else None


def title(path: Path) -> str:
    return str(path.relative_to(HERE))[: -len(".d")]


def compiled(path: Path) -> Program:
    source = read_source(path.name, path.read_bytes())
    macros = MacroValues(arguments=(comment(path, "arguments") or "").split(), script=path.name)
    return compile_text(source, types=kernel_types(), catalog=catalog(), macros=macros, options={})


class Printed:
    """Two files in memory that a program prints to."""

    def __init__(self) -> None:
        self.out_fd, self.err_fd = os.memfd_create("out"), os.memfd_create("err")

    def close(self) -> tuple[bytes, bytes]:
        """What was printed on each."""
        both = tuple(os.pread(fd, 1 << 24, 0) for fd in (self.out_fd, self.err_fd))
        os.close(self.out_fd)
        os.close(self.err_fd)
        return both  # type: ignore[return-value]


class _Services:
    def __init__(self, engine: ReferenceEngine) -> None:
        self.refresh = engine.refresh
        self.stack = engine.stack

    def kernel_symbol(self, address: int) -> str:
        return f"{address:#x}"


def run_on_reference(program: Program) -> tuple[bytes, bytes, int | None]:
    """Output, messages and exit code."""
    printed = Printed()
    merge: list[Callable[..., None]] = []
    world = SyntheticWorld(pid=os.getpid(), tid=os.getpid(), uid=os.getuid(), gid=os.getgid())
    engine = ReferenceEngine(program, world, lambda *each: merge[0](*each))
    consumer = Consumer(engine.plan, TextOutput(engine.plan, printed.out_fd, printed.err_fd), _Services(engine))
    merge.append(consumer.aggregations.merge)
    engine.begin()
    engine.enable()
    due = [(point.interval_ns, point.interval_ns, point) for point in engine.points if isinstance(point, Timer)]
    heapq.heapify(due)
    for _ in range(_MOST_TICKS):
        engine.read(consumer.feed)
        if engine.exit_code is not None or not due:
            break
        now, interval, point = heapq.heappop(due)
        world.now_ns = 1_000_000_000 + now
        engine.fire(point)
        heapq.heappush(due, (now + interval, interval, point))
    engine.disable()
    engine.end()
    engine.read(consumer.feed)
    engine.refresh()
    consumer.finish(engine.losses())
    return (*printed.close(), engine.exit_code)


def run_in_kernel(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, bytes, int | None]:
    printed = Printed()
    monkeypatch.setattr(session, "plan_for", lambda request, **_: plan)
    with session.Session(
        Request(b"", ""),
        output=lambda plan: TextOutput(plan, printed.out_fd, printed.err_fd),
        duration=_PATIENCE_S,
    ) as running:
        code = running.wait()
        has_exited = running._engine is not None and running._engine.exit_code is not None
    return (*printed.close(), code if has_exited else None)


def check(path: Path, found: tuple[bytes, bytes, int | None]) -> None:
    out, err, code = found
    expected_err = path.with_suffix(".err")
    assert out.decode("utf-8", "backslashreplace") == path.with_suffix(".out").read_bytes().decode(
        "utf-8", "backslashreplace"
    )
    assert err.decode() == (expected_err.read_text() if expected_err.exists() else "")
    assert code is not None, "the program never called exit()"
    assert code == int(comment(path, "exits") or 0)


def test_cases_are_found_and_named_as_the_docstring_says() -> None:
    assert len(GOOD) >= 150
    assert len(BAD) >= 40
    assert [path for path in FILES if not _NAME.fullmatch(path.name)] == []
    outputs = {path.with_suffix("") for path in HERE.rglob("*.out")}
    assert outputs == {path.with_suffix("") for path in GOOD}
    assert {path.with_suffix("") for path in HERE.rglob("*.err")} <= outputs


@pytest.fixture(autouse=True)
def _no_cpu_in_the_output(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Output by columns leaves out the CPU and the probe's id, which no file can know."""
    path = request.node.callspec.params.get("path") if hasattr(request.node, "callspec") else None
    if path is not None and "option quiet" not in path.read_text("utf-8", "surrogateescape"):
        monkeypatch.setenv("_DTRACE_TESTING", "1")


@pytest.mark.parametrize("path", [path for path in GOOD if comment(path, "needs") is None], ids=title)
def test_reference(path: Path) -> None:
    check(path, run_on_reference(compiled(path)))


@pytest.mark.kernel
@pytest.mark.parametrize("path", GOOD, ids=title)
def test_kernel(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = compile_program(compiled(path), traits())
    check(path, run_in_kernel(plan._replace(formatter=compile_formatter(plan)), monkeypatch))


@pytest.mark.parametrize("path", BAD, ids=title)
def test_error(path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        compiled(path)
    first = caught.value.diagnostics[0]
    named = _NAME.fullmatch(path.name)
    line = first.span.file.position(first.span.start)[0]
    assert named is not None
    assert (first.code, line) == (named[1], int(comment(path, "line") or 0)), str(caught.value)
