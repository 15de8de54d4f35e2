"""`-x srcline`: user stacks with inlined functions and lines, the same that addr2line(1) makes of the addresses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import invivo
from invivo.consumer.records import Stack
from invivo.flame.files import read_profile
from invivo.flame.profile import Kind
from invivo.tools.flame.collect import profile_of_aggregations
from tests.support import TESTS
from tests.support import invivo as command

pytestmark = [pytest.mark.kernel, pytest.mark.process]


@pytest.fixture(scope="module")
def inlined(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where it is linked to is where it runs, so that its addresses are those that addr2line knows."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    path = str(tmp_path_factory.mktemp("inlined") / "inlined")
    subprocess.run(["cc", "-O2", "-g", "-no-pie", "-o", path, str(TESTS / "triggers" / "inlined.c")], check=True)
    return path


def line_of(text: str) -> int:
    source = (TESTS / "triggers" / "inlined.c").read_text().splitlines()
    (number,) = (number for number, line in enumerate(source, 1) if text in line)
    return number


def expected(path: str, addresses: tuple[int, ...]) -> list[str]:
    """Frames as function, line and mark, by addr2line: of callers, the call before the return address."""
    if shutil.which("addr2line") is None:
        pytest.skip("addr2line is not there (apt-get install binutils)")
    found = []
    for place, address in enumerate(addresses):
        run = subprocess.run(
            ["addr2line", "-ifse", path, f"{address - bool(place):#x}"], capture_output=True, text=True, check=True
        )
        words = run.stdout.splitlines()
        for at in range(0, len(words), 2):
            mark = " [inlined]" if at + 2 < len(words) else ""
            found.append(f"{words[at]} ({words[at + 1].split(' (')[0]}){mark}")
    return found


def chains(path: str, function: str) -> set[tuple[str, ...]]:
    """What addr2line says of every address of a function: the function, and what is inlined there, inwards."""
    rows = subprocess.run(["nm", "-S", path], capture_output=True, text=True, check=True).stdout.splitlines()
    ((begin, size),) = ([int(word, 16) for word in row.split()[:2]] for row in rows if row.split()[-1] == function)
    found = set()
    for address in range(begin, begin + size):
        run = subprocess.run(["addr2line", "-ife", path, f"{address:#x}"], capture_output=True, text=True, check=True)
        found.add(tuple(reversed(run.stdout.splitlines()[::2])))
    return found


def frames(names: tuple[str, ...]) -> list[str]:
    return [re.sub(r"\+0x[0-9a-f]+", "", name.removeprefix("inlined`")) for name in names if name.startswith("inl")]


def test_stacks_have_lines_and_inlined_functions(inlined: str) -> None:
    program = "profile-997 /pid == $target/ { @[ustack()] = count(); }"
    with invivo.trace(program, command=[inlined], options={"srcline": None}) as session:
        session.wait()
    (view,) = session.aggregations.values()
    compared = 0
    for (stack,) in view:
        assert isinstance(stack, Stack)
        own = tuple(a for a in stack.addresses if a < 0x600000)[:2]  # outermost and main, or less
        if not own or "outermost" not in stack.names[0] + "".join(stack.names[1:3]):
            continue
        assert frames(stack.names)[: len(expected(inlined, own))] == expected(inlined, own)
        compared += 1
    assert compared > 3
    names = {name for (stack,) in view for name in stack.names}
    assert any(name.startswith("inlined`between (inlined.c:") and name.endswith(" [inlined]") for name in names)
    profile = profile_of_aggregations(session.aggregations)
    kinds = {(frame.name, frame.kind) for frame in profile.frames}
    assert ("between", Kind.INLINED) in kinds
    assert ("outermost", Kind.USER) in kinds


def test_a_stack_inside_of_inlined_functions(inlined: str) -> None:
    """It waits in a system call that the innermost of them makes."""
    program = "syscall::pause:entry /pid == $target/ { ustack(); printf(\"%A|\", ucaller); uaddr(ucaller); exit(0); }"
    run = command("run", "-q", "-x", "srcline", "-e", program, "-c", f"{inlined} wait")
    assert run.returncode == 0, run.stderr
    pause, first, outer = line_of("pause();"), line_of("int first = innermost(n);"), line_of("sum += between(i);")
    text = run.stdout
    assert f"inlined`innermost (inlined.c:{pause}) [inlined]\n" in text
    assert f"inlined`between (inlined.c:{first}) [inlined]\n" in text
    assert re.search(rf"inlined`outermost\+0x[0-9a-f]+ \(inlined\.c:{outer}\)\n", text)
    assert len(re.findall(r"inlined`outermost\+0x[0-9a-f]+ \(inlined\.c:\d+\)", text)) == 3


def test_without_the_option_there_are_none(inlined: str) -> None:
    program = "syscall::pause:entry /pid == $target/ { ustack(); exit(0); }"
    run = command("run", "-q", "-e", program, "-c", f"{inlined} wait")
    assert "inlined`outermost+0x" in run.stdout
    assert "inlined.c" not in run.stdout


def test_a_stripped_program_has_none(inlined: str, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run(["strip", "-g", "-R", ".note.gnu.build-id", "-o", str(bare), inlined], check=True)
    program = "syscall::pause:entry /pid == $target/ { ustack(); exit(0); }"
    run = command("run", "-q", "-x", "srcline", "-e", program, "-c", f"{bare} wait")
    assert "bare`outermost+0x" in run.stdout
    assert "inlined.c" not in run.stdout


@pytest.mark.parametrize("words", [["--inlined"], ["-x", "srcline"]])
def test_flame_graphs_have_inlined_functions_as_frames(inlined: str, words: list[str], tmp_path: Path) -> None:
    if shutil.which("addr2line") is None:
        pytest.skip("addr2line is not there (apt-get install binutils)")
    out = tmp_path / "out.html"
    run = command("flame", "cpu", "-F", "997", *words, "-o", str(out), "-c", inlined, timeout=60)
    assert run.returncode == 0, run.stderr
    profile = read_profile(str(out))
    seen = set()
    for node in set(profile.nodes):
        stack = [frame for frame in profile.stack(node) if frame.module == "inlined"]
        names = [frame.name for frame in stack]
        if "outermost" in names:
            inside = stack[names.index("outermost") :]
            seen.add(tuple(frame.name for frame in inside))
            assert [frame.kind for frame in inside] == [Kind.USER] + [Kind.INLINED] * (len(inside) - 1)
    assert ("outermost", "between", "innermost") in seen
    assert seen <= chains(inlined, "outermost")


def test_an_svg_tells_what_is_inlined(inlined: str, tmp_path: Path) -> None:
    out = tmp_path / "out.svg"
    run = command("flame", "cpu", "--inlined", "-o", str(out), "-c", inlined, timeout=60)
    assert run.returncode == 0, run.stderr
    svg = out.read_text()
    assert "<title>innermost (inlined): " in svg
    assert "<title>outermost: " in svg


def test_a_picture_tells_when_no_more_lines_were_looked_up() -> None:
    names = ("prog`work+0x1c (no line: 10 s were spent on lines already)", "prog`main+0x2 (a.c:3)")
    profile = profile_of_aggregations({"": {(Stack((1, 2), names, True, 1),): 3}})
    found = [(frame.name, frame.module) for frame in profile.stack(profile.nodes[0])]
    assert found == [("main", "prog"), ("work", "prog")]
    assert profile.notes == ["inlined functions are missing from some stacks: 10 s were spent on lines already"]
