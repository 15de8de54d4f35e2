"""Returns of functions that exceptions pass: the program goes on as it would, and each return is counted once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.docs.server_examples import need
from tests.support import TESTS, invivo

pytestmark = [pytest.mark.kernel, pytest.mark.process]

CALLS = 1001
THROWN = 143  # of 0 ... 1000 those that leave 5 when divided by 7
PROGRAM = """
    pid$target:a.out:plain:return, pid$target:a.out:_Z5jumpsi:return, pid$target:a.out:chooses:return
    { @[probefunc] = count(); }
    pid$target:a.out:plain:return { @value = sum(arg1); }
    pid$target:a.out:for_c:return { @c = sum(arg1); }
    END { printa("%s %@d\\n", @); printa("value %@d\\n", @value); printa("for_c %@d\\n", @c); }
"""


@pytest.fixture(scope="module", params=["-O0", "-O1", "-O2", "-O2 -fcf-protection"])
def throws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("throws") / "throws"
    source = TESTS / "triggers" / "throws.cc"
    subprocess.run([need("c++", "g++"), *request.param.split(), "-o", path, source], check=True)
    return str(path)


@pytest.mark.parametrize("engine", ["kernel", "process"])
def test_an_exception_passes_functions_whose_returns_are_probed(throws: str, engine: str) -> None:
    """The kernel's return probes would end the program at the first exception: they hide the return address."""
    result = invivo("run", "-q", "--engine", engine, "-e", PROGRAM, "-c", f"{throws} {CALLS}")
    assert result.returncode == 0, result.stderr
    found = dict(line.split() for line in result.stdout.splitlines() if " " in line)
    returned = CALLS - THROWN
    names = ("plain", "_Z5jumpsi", "chooses")
    assert {name: int(found[name]) for name in names} == dict.fromkeys(names, returned)
    assert int(found["value"]) == sum(i + 2 for i in range(CALLS) if i % 7 != 5)
    assert int(found["for_c"]) == 3 * sum(2 * i + 1 for i in range(CALLS))  # the value of leaf(), which it jumps to
    assert str(3 * THROWN) in result.stdout.split()  # the program's own count of what it caught


def test_a_return_by_a_jump_is_told(tmp_path: Path) -> None:
    """At -O2 jumps() ends by a jump to leaf(); the other two do not."""
    path = tmp_path / "throws"
    subprocess.run([need("c++", "g++"), "-O2", "-o", path, TESTS / "triggers" / "throws.cc"], check=True)
    result = invivo("run", "-q", "-e", PROGRAM, "-c", f"{path} 10")
    (line,) = [line for line in result.stderr.splitlines() if "tail call" in line]
    assert line.startswith("invivo: 1 function of throws may end by a jump into another function")
    assert line.endswith(": _Z5jumpsi")
