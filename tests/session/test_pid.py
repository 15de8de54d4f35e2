"""The pid and uprobe providers, against triggers whose calls are counted by hand."""

from __future__ import annotations

import pytest

from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel


def run(program: str, command: str, *arguments: str) -> list[str]:
    """Words that a program prints, besides the trigger's own line."""
    result = invivo("run", "-q", *arguments, "-e", program, "-c", command)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return [line for line in result.stdout.splitlines() if line.strip() and "10987654321" not in line]


@pytest.mark.parametrize("n", [100_003, pytest.param(1_000_003, marks=pytest.mark.slow)])
def test_entries_and_returns_of_four_threads_are_counted_exactly(n: int) -> None:
    """n calls; arguments sum up to n * (n - 1) / 2, values to twice that and the number of calls."""
    program = """
        pid$target:a.out:work:entry { @n = count(); @a = sum(arg0); }
        pid$target:a.out:work:return { @r = count(); @v = sum(arg1); }
        END { printa("%@d ", @n); printa("%@d ", @a); printa("%@d ", @r); printa("%@d\\n", @v); }
    """
    arguments = n * (n - 1) // 2
    expected = [str(number) for number in (n, arguments, n, 2 * arguments + n)]
    assert run(program, f"{trigger('calls')} 4 {n}")[-1].split() == expected


def test_ten_arguments() -> None:
    """Six in registers, the seventh and later ones on the stack."""
    words = " ".join(f"arg{i}," for i in range(10)).rstrip(",")
    program = f'pid$target:a.out:ten:entry {{ printf("{" %d" * 10}\\n", {words}); }}'
    found = run(program, trigger("calls"))[-1].split()
    assert found == ["1", "20", "300", "4000", "50000", "600000", "7000000", "80000000", "900000000", "10000000000"]


def test_names_of_the_probe() -> None:
    is_mine = 'probeprov == strjoin("pid", lltostr($target))'
    program = f"pid$target:a.out:nested:entry {{ @[{is_mine}, probemod, probefunc, probename] = count(); }}"
    found = run(program, trigger("calls"))[-1].split()
    assert found == ["1", "calls", "nested", "entry", "18"]


def test_a_file_in_all_processes_that_run_it() -> None:
    program = f"uprobe:{trigger('calls')}:work:return {{ @ = count(); }}"
    assert run(program, f"{trigger('calls')} 2 11")[-1].split() == ["11"]


def test_a_misspelt_function_is_told_with_its_neighbour() -> None:
    result = invivo("run", "-e", "pid$target:a.out:wrok:entry { }", "-c", trigger("calls"))
    assert result.returncode != 0
    assert "did you mean work?" in result.stderr
    assert "10987654321" not in result.stdout, "the command ran"
