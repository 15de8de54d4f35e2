"""Probes that programs carry, against what tests/triggers/usdt.c says of itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel


def run(program: str, command: str, *options: str) -> str:
    result = invivo("run", "-q", *options, "-e", program, "-c", command)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def test_sites_of_five_bytes() -> None:
    """Newer compilations of sys/sdt.h have them: two sites, and one behind a semaphore, fired seven times."""
    output = run("demo$target:::sites { @[arg0] = count(); } demo$target:::guarded { @g = count(); }",
                 f"{trigger('usdt', '-DNOP5')} 7")
    assert "guarded 7" in output.splitlines()
    assert sum(int(line.split()[1]) for line in output.splitlines() if re.fullmatch(r" +\d+ +\d+", line)) == 14


def test_both_sites_of_a_probe_count() -> None:
    """101 rounds fire demo:sites at two places each; every firing of either counts, with the argument that it has."""
    output = run(
        'usdt$target:usdt:demo:sites { @n = count(); @sum = sum(args[0]); @low = min(args[0]); @high = max(args[0]); } '
        'END { printa("%@d %@d %@d %@d\\n", @n, @sum, @low, @high); }',
        f"{trigger('usdt')} 101",
    )  # fmt: skip
    assert "202 0 -100 100" in output.splitlines()


def test_every_form_of_operand() -> None:
    """Parts of registers, memory with index and scale, a symbol's memory, a constant: as usdt.c puts them there."""
    output = run(
        'demo$target:::forms { printf("%d %d %x %d %x %d %d %d\\n", arg0, arg1, arg2, args[3], args[4], args[5], '
        "args[6], arg7); }",
        f"{trigger('usdt')} 1",
    )
    assert "-128 128 5a -2 1 44 33 -7" in output.splitlines()


def test_floating_point_arguments() -> None:
    output = run('demo$target:::ratio { printf("%f %d %x\\n", args[0], (int)args[0], arg0); }', f"{trigger('usdt')} 1")
    assert "2.500000 2 4004000000000000" in output.splitlines()


def test_a_guarded_probe_is_reached_only_while_it_is_traced() -> None:
    """The program prints how often it found its semaphore raised."""
    program = "demo$target:::guarded { @ = count(); } END { printa(\"traced %@d\\n\", @); }"
    assert {"guarded 17", "traced 17"} <= set(run(program, f"{trigger('usdt')} 17").splitlines())
    untraced = subprocess.run([trigger("usdt"), "17"], capture_output=True, text=True, check=True)
    assert untraced.stdout == "guarded 0\n"


def test_semaphores_are_lowered_again() -> None:
    """A process that goes on after tracing has ended finds its semaphore at 0 from then on."""
    command = subprocess.Popen([trigger("usdt"), "4000", "1000"], stdout=subprocess.PIPE, text=True)
    try:
        program = "usdt$target:::guarded /++n == 5/ { exit(0); }"
        result = invivo("run", "-q", "-e", program, "-p", str(command.pid))
        assert result.returncode == 0, result.stderr
        output, _ = command.communicate(timeout=60)
    finally:
        command.kill()
        command.wait()
    guarded = int(output.split()[1])
    assert 5 <= guarded < 4000


def test_all_processes_that_run_a_file() -> None:
    output = run(f"usdt:{trigger('usdt')}:demo:forms {{ @[pid == $target] = count(); }}", f"{trigger('usdt')} 29")
    assert re.search(r"1\s+29$", output, re.MULTILINE)


def test_names_of_a_probe() -> None:
    program = 'demo$target:::sites { @[probemod, probefunc, probename] = count(); }'
    output = run(program, f"{trigger('usdt')} 5")
    assert re.findall(r"usdt\s+(\w+)\s+sites\s+5", output) == ["first_site", "second_site"]
    output = run('usdt$target:::sites { @[probeprov == "x", probefunc] = count(); }', f"{trigger('usdt')} 5")
    assert re.search(r"demo\s+10", output)


def test_the_listing_shows_types() -> None:
    listing = invivo("list", "-v", f"usdt:{trigger('usdt')}:demo:forms")
    assert listing.returncode == 0, listing.stderr
    assert re.findall(r"args\[\d\]: (\w+)", listing.stdout) == [
        "int8_t", "uint8_t", "uint8_t", "int16_t", "uint32_t", "uint64_t", "int64_t", "int32_t",
    ]  # fmt: skip


def test_python_s_own_probes_with_both_spellings(tmp_path: Path) -> None:
    """gc.collect(1) seven times, with automatic collection off, is seven collections of generation 1."""
    python = Path("/usr/bin/python3.11")
    if not python.exists() or b"gc__start" not in python.read_bytes():
        pytest.skip("no /usr/bin/python3.11 with USDT probes (Debian 12 has it)")
    script = tmp_path / "script.py"
    script.write_text("import gc\ngc.disable()\nfor i in range(7): gc.collect(1)\n")
    for name in ("gc-start", "gc__start"):
        output = run(f"python$target:::{name} /arg0 == 1/ {{ @ = count(); }}", f"{python} -S {script}")
        assert output.split() == ["7"]


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("usdt$target:::sties", "did you mean sites?"),
        ("demo$target:::sties", "did you mean sites?"),
        ("domo$target:::sites", "no file of process"),
        ("usdt$target:libc:::", "fields"),
        ("usdt:/no/such/file:demo:x", "no such file"),
        ("usdt:::x", "usdt needs a file"),
        ("usdt:/etc/passwd::x", "is not an ELF file"),
        ("usdt$target:nothing::x", "has no 'nothing' mapped"),
        ("usdt$target:usdt:wrong:sites", "the function of 'usdt' probes is their provider: demo"),
    ],
)
def test_mistakes_are_told(description: str, message: str) -> None:
    result = invivo("run", "-q", "-e", f"{description} {{ trace(1); }}", "-c", f"{trigger('usdt')} 1")
    assert result.returncode == 1
    assert message in result.stderr
    assert "internal error" not in result.stderr
