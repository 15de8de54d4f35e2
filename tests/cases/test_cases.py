"""D programs with hand-counted results, each run on the reference engine and in the kernel.

    TOPIC/tst.NAME.d          must print TOPIC/tst.NAME.out, and on standard error TOPIC/tst.NAME.err (else nothing)
    TOPIC/drp.NAME.d          the same, and the .err tells what was lost
    TOPIC/err.TAG.NAME.d      must not compile: its first diagnostic is TAG, on the line that `/* line: N */` says
    TOPIC/cmd.NAME.d          `/* command: dtrace -xerrtags -s cmd.NAME.d */`, run in the case's folder as a whole
                              command, must print the .out and the .err, where `mask: REGEX` is what no file can know
                              (shown as #)

Other comments that a case may have: `needs: kernel` (it reads the kernel's objects: there is nothing for the reference
engine), `feature: NAME` (without this one of bpf.features it is refused), `exits: N` (the exit status, if it is not
0), `arguments: A B` ($1, $2). A program ends by exit().
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from invivo.bpf.features import FEATURES, Outcome
from invivo.errors import CompileError, UnsupportedError
from invivo.program.clauses import Program
from tests.cases import run
from tests.support import ROOT, invivo

HERE = Path(__file__).parent
FILES = sorted(path for path in HERE.rglob("*.d") if path.parent.name != "lib")
GOOD = [path for path in FILES if path.name.startswith(("tst.", "drp."))]
BAD = [path for path in FILES if path.name.startswith("err.")]
COMMANDS = [path for path in FILES if path.name.startswith("cmd.")]

_NAME = re.compile(r"(?:tst|drp|cmd)\.[a-z0-9_-]+\.d|err\.(D_[A-Z0-9_]+)\.[a-z0-9_-]+\.d")


def text_of(path: Path) -> str:
    return path.read_text("utf-8", "surrogateescape")


def comment(path: Path, word: str) -> str | None:
    """What the comment `/* WORD: TEXT */` of a case says."""
    found = re.search(rf"/\* {word}: (.*?) \*/", text_of(path))
    return found[1] if found else None


def title(path: Path) -> str:
    return str(path.relative_to(HERE))[: -len(".d")]


def compiled(path: Path) -> Program:
    return run.compiled(path.read_bytes(), path.name, (comment(path, "arguments") or "").split())


def expected(path: Path) -> run.Outcome:
    out, err = path.with_suffix(".out"), path.with_suffix(".err")
    return run.Outcome(out.read_text(), err.read_text() if err.exists() else "", int(comment(path, "exits") or 0))


def test_cases_are_found_and_named_as_the_docstring_says() -> None:
    assert len(FILES) >= 500
    assert len(GOOD) >= 250
    assert len(BAD) >= 250
    assert [path for path in FILES if not _NAME.fullmatch(path.name)] == []
    outputs = {path.with_suffix("") for path in HERE.rglob("*.out")}
    assert outputs == {path.with_suffix("") for path in GOOD + COMMANDS}
    assert {path.with_suffix("") for path in HERE.rglob("*.err")} <= outputs


@pytest.fixture(autouse=True)
def _no_cpu_in_the_output(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Output by columns leaves out the CPU and the probe's id, which no file can know."""
    path = request.node.callspec.params.get("path") if hasattr(request.node, "callspec") else None
    if path is not None and "option quiet" not in text_of(path):
        monkeypatch.setenv("_DTRACE_TESTING", "1")


@pytest.mark.parametrize("path", [path for path in GOOD if comment(path, "needs") is None], ids=title)
def test_reference(path: Path) -> None:
    assert run.on_reference(compiled(path)) == expected(path)


@pytest.mark.kernel
@pytest.mark.parametrize("path", GOOD, ids=title)
def test_kernel(path: Path) -> None:
    wanted = comment(path, "feature")
    lacking = [row.name for row in FEATURES if row.name == wanted and row.ask().outcome is not Outcome.YES]
    if lacking:  # then a program says so
        with pytest.raises(UnsupportedError, match="cannot be done here"):
            run.in_kernel(compiled(path))
        return
    assert run.in_kernel(compiled(path)) == expected(path)


@pytest.mark.kernel
@pytest.mark.parametrize("path", COMMANDS, ids=title)
def test_command(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "_DTRACE_TESTING": "1"}
    words = shlex.split(comment(path, "command") or "")
    result = invivo(*words, cwd=path.parent, env=environment)
    mask = re.compile(comment(path, "mask") or r"\Z.", re.MULTILINE)
    found = run.Outcome(mask.sub("#", result.stdout), mask.sub("#", result.stderr), result.returncode)
    assert found == expected(path)


@pytest.mark.parametrize("path", BAD, ids=title)
def test_error(path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        compiled(path)
    first = caught.value.diagnostics[0]
    named = _NAME.fullmatch(path.name)
    line = first.span.file.position(first.span.start)[0]
    assert named is not None
    assert (first.code, line) == (named[1], int(comment(path, "line") or 0)), str(caught.value)
