"""What D reads of a C++ program's objects, beside what the program prints of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import TESTS, invivo

pytestmark = [pytest.mark.kernel, pytest.mark.process]

_SUM = "_ZN6Holder3sumEi"
# Each line of tests/triggers/objects.cc's output.
_FIELDS = r"""
pid$target:a.out:visit:entry
{
    printf("id %d\nweight %d\ntag %d\nlow %u\nmiddle %d\nextra %d\n", args[0]->id, args[0]->weight, args[0]->tag,
        args[0]->low, args[0]->middle, args[0]->extra);
    printf("x %f\nis_set %d\ncolour %d\nmoved %d\n", args.p->x, args.p->is_set, args.c, *args.moved);
    printf("box %d %d\nowned %d\n", args.box->value, args.box->more[2], args.owned->number);
}
pid$target:a.out:_ZN6Holder3sumEi:entry
{
    printf("reference %d\nhidden %d\nshadow %d\nsecond %d\nn %d\n", args[0]->reference->extra,
        ((struct Base *)args[0]->pointer)->id, args[0]->pointer->id, args[0]->array[1].id, args[1]);
}
pid$target:a.out:visit:return { self->first = args[1]; }
pid$target:a.out:_ZN6Holder3sumEi:return { printf("result %d\n", self->first + args[1]); }
"""


def built(folder: Path, *flags: str) -> str:
    if shutil.which("c++") is None:
        pytest.skip("there is no C++ compiler (apt-get install g++)")
    path = str(folder / "objects")
    subprocess.run(["c++", *flags, "-o", path, str(TESTS / "triggers" / "objects.cc")], check=True)
    return path


def traced(program: str, path: str) -> tuple[list[str], list[str]]:
    """What the command and what invivo printed."""
    shown = Path(path + ".traced")
    result = invivo("run", "-q", "-o", str(shown), "-e", program, "-c", path)
    assert result.returncode == 0, result.stderr
    assert "error" not in result.stderr, result.stderr
    return result.stdout.splitlines(), [line for line in shown.read_text().splitlines() if line]


@pytest.mark.parametrize("flags", [("-g", "-O2"), ("-g", "-O0"), ("-g", "-O1", "-gdwarf-4")])
def test_every_field_is_what_the_program_prints(flags: tuple[str, ...], tmp_path: Path) -> None:
    """Members of bases, of several and hidden ones; references, moved values, templates, objects passed by address."""
    own, shown = traced(_FIELDS, built(tmp_path, *flags))
    assert len(own) == 18
    assert shown == own


def test_print_shows_bases_and_names_of_arguments(tmp_path: Path) -> None:
    program = "pid$target:a.out:visit:entry { print(args); print(args[0]); }"
    own, shown = traced(program, built(tmp_path, "-g", "-O2"))
    lines = [line.strip() for line in shown]
    assert "c = GREEN" in lines
    assert [line.split()[0] for line in lines[:6]] == ["d", "p", "c", "moved", "box", "owned"]
    wanted = {"(struct Derived) {", "(struct Base) {", "(struct Tagged) {", ".id = (int)23,", ".tag = (short)-11,",
              ".middle = (int)-33,", ".extra = (int)99,"}  # fmt: skip
    assert wanted <= set(lines)
    assert not any("shared" in line for line in lines)
    assert own[0] == "id 23"


def test_variables_at_a_line_and_a_cast_by_name(tmp_path: Path) -> None:
    source = (TESTS / "triggers" / "objects.cc").read_text().splitlines()
    line = next(number for number, text in enumerate(source, 1) if 'printf("x %f' in text)
    program = f"""pid$target:a.out:objects.cc@{line}:line
        {{ printf("%d %d %d\\n", args.d->id, args.p->is_set, ((struct Derived *)(uintptr_t)args.d)->weight >> 40); }}"""
    _, shown = traced(program, built(tmp_path, "-g", "-O0"))
    assert shown == ["23 1 1"]
