"""Stacks through functions whose returns are probed: return probes replace return addresses, the stacks show them all
the same. The triggers' calls are known: main calls down, down itself; main calls outer, outer middle, middle inner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import invivo
from invivo.consumer.records import Stack
from tests.support import TESTS, trigger

pytestmark = [pytest.mark.kernel, pytest.mark.process]


def functions(stack: object) -> list[str]:
    assert isinstance(stack, Stack)
    return [name.partition("+0x")[0] for name in stack.names]


@pytest.fixture
def deep(tmp_path: Path) -> str:
    """Without frame pointers."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    path = tmp_path / "deep"
    source = str(TESTS / "triggers" / "deep.c")
    subprocess.run(["cc", "-O1", "-fomit-frame-pointer", "-o", str(path), source], check=True)
    return str(path)


@pytest.mark.parametrize("probes", [1, 2])
def test_a_recursion_whose_returns_are_probed(deep: str, probes: int) -> None:
    """40 calls of one function, each waited for by one probe or by two."""
    returns = ["pid$target:deep:down:return { @r = count(); }", "pid$target:deep:main:return { @m = count(); }"]
    if probes == 2:  # a program of its own, and so another probe of the kernel's at the same place
        returns.append(f"uprobe:{deep}:down:return {{ @n = count(); }}")
    program = " ".join([*returns, "syscall::getppid:entry /pid == $target/ { @s[ustack()] = count(); }"])
    with invivo.trace(program, command=[deep, "40", "13"]) as session:
        session.wait()
    views = dict(session.aggregations)
    assert views["r"][()] == 41
    assert views["m"][()] == 1
    ((key, count),) = views["s"].items()
    assert count == 13
    names = functions(key[0])
    assert names[:43] == ["libc.so.6`syscall", *["deep`down"] * 41, "deep`main"]
    assert names[-1] == "deep`_start"


def test_the_stack_at_a_return(deep: str) -> None:
    """The function that returns has left; where it returns to is the first frame."""
    program = "pid$target:deep:down:return { @[ustackdepth] = count(); } pid$target:deep:main:return { d = 1; }"
    with invivo.trace(program, command=[deep, "20", "1"]) as session:
        session.wait()
    (view,) = (view for view in session.aggregations.values())
    depths = sorted(key[0] for key in view)
    base = depths[0]  # main, libc's two, _start
    assert depths == list(range(base, base + 21))
    assert all(count == 1 for count in view.values())


def test_samples_of_probed_functions() -> None:
    """All that are taken well inside of the innermost function are whole."""
    chain = ["spin`inner", "spin`middle", "spin`outer", "spin`main"]
    returns = ",".join(f"pid$target:spin:{name.partition('`')[2]}:return" for name in chain)
    program = f"{returns} {{ @r = count(); }} profile-997 /pid == $target/ {{ @s[ustack()] = count(); }}"
    with invivo.trace(program, command=[trigger("spin"), "400"]) as session:
        session.wait()
    inside = [key[0] for key in session.aggregations["s"] if key[0].names and _is_inside(key[0].names[0])]
    assert len(inside) > 0
    for stack in inside:
        assert functions(stack)[:4] == chain
        assert functions(stack)[-1] == "spin`_start"


def _is_inside(name: str) -> bool:
    function, _, offset = name.partition("+0x")
    return function == "spin`inner" and int(offset or "0", 16) > 0x10
