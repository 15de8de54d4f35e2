"""Stacks of programs that begin while tracing: whole, or counted with the reason."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import invivo
from invivo.consumer.records import Stack
from tests.support import TESTS

pytestmark = [pytest.mark.kernel, pytest.mark.process]

CHILDREN, CALLS = 40, 7
PROGRAM = 'syscall::getppid:entry /execname == "deep"/ { @[ustack()] = count(); }'


@pytest.fixture
def deep(tmp_path: Path) -> str:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    path = tmp_path / "deep"
    source = str(TESTS / "triggers" / "deep.c")
    subprocess.run(["cc", "-O1", "-fomit-frame-pointer", "-o", str(path), source], check=True)
    return str(path)


@pytest.mark.parametrize("is_target", [True, False])
def test_each_stack_is_whole_or_counted(deep: str, is_target: bool, caplog: pytest.LogCaptureFixture) -> None:
    """40 programs, one after the other, begun by the target, or by somebody else while all processes are traced; each
    makes 7 calls as soon as it runs, 30 frames deep."""
    script = f"import subprocess\nfor _ in range({CHILDREN}): subprocess.run([{deep!r}, '29', '{CALLS}'], stdout=-3)"
    line = [sys.executable, "-S", "-c", script]
    with caplog.at_level(logging.WARNING, "invivo"):
        if is_target:
            with invivo.trace(PROGRAM, command=line) as session:
                session.wait()
        else:
            with invivo.trace(PROGRAM, duration=60) as session:
                ending = threading.Thread(target=lambda: (subprocess.run(line, check=True), session.stop()))
                ending.start()
                session.wait()
                ending.join()
    (view,) = session.aggregations.values()
    whole = broken = 0
    for (stack,), count in view.items():
        assert isinstance(stack, Stack)
        functions = [name.partition("+0x")[0] for name in stack.names]
        if functions and functions[-1] == "deep`_start":
            assert functions[:32] == ["libc.so.6`syscall", *["deep`down"] * 30, "deep`main"]
            whole += count
        else:
            broken += count
    assert whole + broken == CHILDREN * CALLS
    told = [re.search(r"(\d+) truncated user stacks? \(", record.getMessage()) for record in caplog.records]
    assert sum(int(match[1]) for match in told if match) == broken
    assert whole > 0
