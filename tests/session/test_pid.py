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


def test_entries_and_returns_of_four_threads_are_counted_exactly() -> None:
    """4 x 25,013 calls; arguments sum up to 4 * (n * (n - 1) / 2), values to twice that and the number of calls."""
    n = 25_013
    program = """
        pid$target:a.out:work:entry { @n = count(); @a = sum(arg0); }
        pid$target:a.out:work:return { @r = count(); @v = sum(arg1); }
        END { printa("%@d ", @n); printa("%@d ", @a); printa("%@d ", @r); printa("%@d\\n", @v); }
    """
    arguments = 4 * n * (n - 1) // 2
    assert run(program, f"{trigger('calls')} 4 {n}")[-1].split() == [
        str(number) for number in (4 * n, arguments, 4 * n, 2 * arguments + 4 * n)
    ]


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
    assert run(program, f"{trigger('calls')} 2 11")[-1].split() == ["22"]


def test_a_misspelt_function_is_told_with_its_neighbour() -> None:
    result = invivo("run", "-e", "pid$target:a.out:wrok:entry { }", "-c", trigger("calls"))
    assert result.returncode != 0
    assert "did you mean work?" in result.stderr
    assert "10987654321" not in result.stdout, "the command ran"
