"""`invivo dtrace` as a whole: exit statuses, messages, several programs and targets, listings, flow, -C, -S.

Expected numbers come from triggers with known counts, from /proc, from tracefs, and from other commands' own output.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import ROOT, invivo, trigger

pytestmark = pytest.mark.kernel


def dtrace(*words: str, **keywords: object) -> subprocess.CompletedProcess[str]:
    return invivo("dtrace", *words, **keywords)  # type: ignore[arg-type]


# --- exit statuses and messages -------------------------------------------------------------------------------------


def test_without_arguments_the_usage_goes_to_standard_error_with_status_2() -> None:
    result = dtrace()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: invivo dtrace [-32|-64] [-")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["-y"], 2, "dtrace: option -y not recognized"),
        (["-n", "BEGIN { exit(3); }"], 3, "dtrace: description 'BEGIN ' matched 1 probe\n"),
        (["-n", "BEGIN, END { exit(0); }"], 0, "dtrace: description 'BEGIN, END ' matched 2 probes\n"),
        (["-n", "BEGIN { exit(0); }", "foo"], 1, "extraneous argument 'foo' ($1 is not referenced"),
        (["-n", "BEGIN { exit($1); }"], 1, "macro argument $1 is not defined"),
        (["-xerrtags", "-n", "BEGIN { exit($1); }"], 1, "[D_MACRO_UNDEF] in action list: macro argument $1"),
        (["-xerrtags", "-n", "BEGIN { exit(0); }", "x"], 1, "[D_MACRO_UNUSED] extraneous argument 'x'"),
        (["-n", "BEGIN { exit(0) }", "-x", "foo"], 1, "failed to set -x foo: Invalid option name"),
        (["-n", "BEGIN { exit(0) }", "-x", "bufsize=zz"], 1, "failed to set -x bufsize=zz: "),
        (["-b", "q", "-n", "BEGIN { exit(0) }"], 1, "failed to set -x bufsize=q: "),
        (["-n", "nosuch:::probe"], 1, "probe description nosuch:::probe does not match any probes"),
        (["-xerrtags", "-n", "nosuch:::probe"], 1, "[D_PDESC_ZERO] probe description nosuch:::probe"),
        (["-Zn", "nosuch:::probe, BEGIN { exit(4); }"], 4, "matched 1 probe\n"),
        (["-n", "BEGIN { exit(0) }", "-c", "/nosuch/command"], 1, "dtrace: cannot run '/nosuch/command': no such file"),
        (["-n", "BEGIN { exit(0) }", "-p", "x"], 1, "dtrace: invalid pid: x"),
        (["-n", "BEGIN { exit(0) }", "-p", "4194304"], 1, "dtrace: there is no process 4194304"),
        (["-e", "-n", "BEGIN { exit(3); }"], 0, ""),
        (["-e", "-n", "BEGIN { x = ; }"], 1, "invalid probe specifier BEGIN { x = ; }: in action list: "),
        (["-G", "-s", "x.d"], 1, "-G: "),
        (["-n", "BEGIN { raise(9); }"], 1, "dtrace: could not enable tracing: Destructive actions not allowed\n"),
        (["-w", "-n", 'BEGIN { system("true"); exit(0); }'], 0, "dtrace: allowing destructive actions\n"),
        (["-A", "-n", "BEGIN"], 1, "no anonymous tracing"),
        (["-a"], 1, "no anonymous tracing"),
        (["-32", "-n", "BEGIN"], 1, "-32: "),
        (["-s", "/nosuch.d"], 1, "dtrace: failed to open /nosuch.d: No such file or directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_status_and_message(words: list[str], status: int, message: str) -> None:
    result = dtrace(*words)
    assert result.returncode == status, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_quiet_says_nothing_but_what_the_program_prints() -> None:
    result = dtrace("-qn", 'BEGIN { printf("%d %s\\n", $1 + 1, $$2); exit(0); }', "41", "x y")
    assert (result.returncode, result.stdout, result.stderr) == (0, "42 x y\n\n", "")


def test_a_script_without_probes_is_told(tmp_path: Path) -> None:
    script = tmp_path / "empty.d"
    script.write_text("/* nothing */\n")
    result = dtrace("-s", str(script))
    assert (result.returncode, result.stderr) == (1, "dtrace: no probes specified\n" + result.stderr.partition("\n")[2])


def test_faults_and_losses_in_dtraces_words() -> None:
    """ERROR is number 3 of all probes; a fault ends its clause and not the tracing, whose status is 0."""
    program = "BEGIN { trace(*(int *)16); } BEGIN { trace(7); exit(0); }"
    result = dtrace("-n", program, env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "_DTRACE_TESTING": "1"})
    assert result.returncode == 0
    assert "dtrace: error in dt_clause_0 for probe ID 1 (dtrace:::BEGIN): invalid address (0x10) at <-n>:1:15" in (
        result.stderr
    )
    assert result.stdout == f"{'FUNCTION:NAME':>32}\n{':BEGIN':>32} {7:>11}\n\n"


def test_drop_tags() -> None:
    """Of three speculations asked for, nspec allows one."""
    program = "BEGIN { x = speculation(); y = speculation(); z = speculation(); exit(0); }"
    for words, tag in ([], ""), (["-xdroptags"], "[DTRACEDROP_SPECUNAVAIL] "):
        result = dtrace(*words, "-n", program)
        assert f"\ndtrace: {tag}2 failed speculations" in result.stderr


# --- programs -------------------------------------------------------------------------------------------------------


def test_programs_share_variables_and_each_tells_its_probes(tmp_path: Path) -> None:
    script = tmp_path / "b.d"
    script.write_text("BEGIN, END { @total = count(); y = x + 1; }\n")
    words = ["-n", "BEGIN { x = 40; }", "-s", str(script), "-n", 'BEGIN { printf("%d", y + $1); exit(0); }', "1"]
    result = dtrace(*words)
    assert result.stderr.splitlines() == [
        "dtrace: description 'BEGIN ' matched 1 probe",
        f"dtrace: script '{script}' matched 2 probes",
        "dtrace: description 'BEGIN ' matched 1 probe",
    ]
    assert result.stdout.split()[-2:] == ["42", "2"]  # BEGIN's and END's


def test_letters_for_each_field_of_a_description() -> None:
    reads = dtrace("-l", "-f", "syscall::read").stdout.splitlines()[1:]
    expected = [["syscall", "vmlinux", "read", kind] for kind in ("entry", "return")]
    assert [line.split()[1:] for line in reads] == expected
    number = reads[0].split()[0]
    assert dtrace("-l", "-i", number).stdout.splitlines()[1:] == reads[:1]
    assert len(dtrace("-l", "-P", "dtrace").stdout.splitlines()) == 4
    assert {line.split()[1] for line in dtrace("-l", "-m", "syscall:vmlinux").stdout.splitlines()[1:]} == {"syscall"}


def test_a_probe_by_number_fires_and_id_is_that_number() -> None:
    number = dtrace("-l", "-n", "syscall::getppid:entry").stdout.splitlines()[1].split()[0]
    result = dtrace("-q", "-i", f"{number} /pid == $target/ {{ @[id] = count(); }}", "-c", f"{trigger('syscalls')} 23")
    assert result.stdout.split() == [number, "46"]  # of two threads


def test_a_script_with_an_interpreter_line(tmp_path: Path) -> None:
    """`env -S` splits the words; $0 is the script, $1 and $$2 its arguments."""
    script = tmp_path / "hello.d"
    script.write_text(
        "#!/usr/bin/env -S invivo dtrace -s\n#pragma D option quiet\n"
        'BEGIN { printf("%s %d %s\\n", $$0, $1, $$2); exit($1); }\n'
    )
    script.chmod(0o755)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    result = subprocess.run(
        [script, "5", "it"], capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PATH": path}
    )
    assert (result.returncode, result.stdout, result.stderr) == (5, f"{script} 5 it\n\n", "")


def test_preprocessed_scripts(tmp_path: Path) -> None:
    (tmp_path / "limits.h").write_text("#define TIMES 3\n")
    script = tmp_path / "x.d"
    script.write_text(
        '#include "limits.h"\n#ifdef EXTRA\n#define MORE EXTRA\n#else\n#define MORE 0\n#endif\n'
        "#pragma D option quiet\ntick-1ms { i++; }\ntick-1ms\n/i == TIMES + MORE/\n{ exit(i); }\n"
    )
    assert dtrace("-C", "-s", str(script)).returncode == 3
    result = dtrace("-C", "-H", "-D", "EXTRA=4", "-s", str(script))
    assert (result.returncode, result.stderr) == (7, f"{tmp_path}/limits.h\n")
    without = dtrace("-xerrtags", "-s", str(script))
    assert without.returncode == 1
    assert f"dtrace: failed to compile script {script}: [D_PRAGCTL_INVAL] line 1: " in without.stderr


# --- targets --------------------------------------------------------------------------------------------------------


def test_tracing_ends_when_all_commands_have_ended_and_target_is_the_first() -> None:
    words = ["-c", "true", "-c", "sleep 0.4", "-qn", "BEGIN { start = timestamp; }"]
    end = 'END { printf("%d %d", $target, (timestamp - start) / 1000000); }'
    result = dtrace(*words, "-n", end, "-n", "proc:::exit /pid == $target/ { @ = count(); }")
    target, lasted_ms, exits = result.stdout.split()
    assert int(target) > 1
    assert int(lasted_ms) >= 399
    assert exits == "1"


def test_words_of_a_command_are_split_at_blanks_alone(tmp_path: Path) -> None:
    """As dtrace does: no quotes are taken off."""
    result = dtrace("-qn", "BEGIN {}", "-c", "echo 'a  b'")
    assert "'a b'\n" in result.stdout


def test_processes_by_pid() -> None:
    sleepers = [subprocess.Popen(["sleep", seconds]) for seconds in ("0.3", "0.6")]
    begun = time.monotonic()
    pids = [word for sleeper in sleepers for word in ("-p", str(sleeper.pid))]
    result = dtrace("-qn", 'END { printf("%d", $target); }', *pids)
    assert result.stdout.split() == [str(sleepers[0].pid)]
    assert time.monotonic() - begun >= 0.55
    assert [sleeper.wait() for sleeper in sleepers] == [0, 0]


def test_an_interrupt_fires_end_prints_aggregations_and_is_no_error() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    words = [sys.executable, "-m", "invivo", "dtrace", "-n", "tick-10ms { @ = count(); } END { trace(123); }"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    process.stderr.readline()  # matched: tracing is about to begin
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert " 123\n" in out
    assert int(out.split()[-1]) > 0


# --- output ---------------------------------------------------------------------------------------------------------


def test_output_to_a_file_is_appended(tmp_path: Path) -> None:
    target = tmp_path / "out"
    for number in "1", "2":
        dtrace("-qo", str(target), "-n", 'BEGIN { printf("%d\\n", $1); exit(0); }', number)
    assert target.read_text() == "1\n\n2\n\n"


def test_a_list_goes_to_a_file_too(tmp_path: Path) -> None:
    target = tmp_path / "list"
    assert dtrace("-l", "-o", str(target), "-n", "dtrace:::").stdout == ""
    assert [line.split()[-1] for line in target.read_text().splitlines()] == ["NAME", "BEGIN", "END", "ERROR"]


def test_flow_of_a_command() -> None:
    """`true` as strace would show it: every entry has its return one line below, but for the last, of exit_group."""
    result = dtrace("-F", "-n", "syscall::exit_group:entry, syscall::close: /pid == $target/ {}", "-c", "true")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["CPU", "FUNCTION"]
    arrows = [line.split(maxsplit=1)[1].strip() for line in lines[1:] if line.strip()]
    assert arrows[-1] == "=> exit_group"
    assert arrows[:-1] == ["=> close", "<= close"] * ((len(arrows) - 1) // 2)
    assert len(arrows) > 1


def test_a_listing_has_every_system_call_of_tracefs_twice() -> None:
    listed = [line.split() for line in dtrace("-lP", "syscall").stdout.splitlines()[1:]]
    names = {row[3] for row in listed}
    traced = {name.removeprefix("sys_enter_") for name in os.listdir("/sys/kernel/tracing/events/syscalls")
              if name.startswith("sys_enter_")}  # fmt: skip
    assert names <= traced
    assert len(names) >= len(traced) - 10  # those whose number the table of numbers does not know
    assert [int(row[0]) for row in listed] == list(range(int(listed[0][0]), int(listed[0][0]) + len(listed)))


def test_a_verbose_listing_has_attributes_and_types() -> None:
    text = dtrace("-lvn", "syscall::write:entry").stdout
    assert re.findall(r"Names: (.*)|Semantics: *(.*)|Class: (.*)", text) == [
        ("Private", "", ""), ("", "Private", ""), ("", "", "Unknown"),
        ("Private", "", ""), ("", "Private", ""), ("", "", "ISA"),
    ]  # fmt: skip
    assert re.findall(r"args\[(\d)\]: (.*)", text) == [("0", "unsigned int"), ("1", "char *"), ("2", "size_t")]


STABILITY = """
Stability attributes for {what}:

\tMinimum Probe Description Attributes
\t\tIdentifier Names: {names}
\t\tData Semantics:   {names}
\t\tDependency Class: {machine}

\tMinimum Statement Attributes
\t\tIdentifier Names: Stable
\t\tData Semantics:   {data}
\t\tDependency Class: Common

"""


def test_stability_of_each_program(tmp_path: Path) -> None:
    """As DTrace 2.0.7 prints it: a provider that is not said makes a description unstable."""
    script = tmp_path / "x.d"
    script.write_text("dtrace:::BEGIN { trace(curthread); exit(0); }\n")
    result = dtrace("-qv", "-n", "BEGIN { }", "-s", str(script), "-n", "syscall::read:entry { trace(pid); }")
    expected = [
        ("description BEGIN ", "Unstable", "Common", "Stable"),
        (f"script {script}", "Stable", "Common", "Private"),
        ("description syscall::read:entry ", "Private", "ISA", "Stable"),
    ]
    texts = [STABILITY.format(what=what, names=names, machine=machine, data=data)
             for what, names, machine, data in expected]  # fmt: skip
    assert result.stdout.startswith("".join(texts))


def test_stability_of_what_is_only_compiled_has_its_probes() -> None:
    text = dtrace("-ev", "-n", "syscall::read:entry, BEGIN, syscall:::").stdout
    assert re.findall(r"^\S+:\S*:.*", text, re.M) == ["syscall::read:entry", ":::BEGIN", "syscall:::"]
    assert re.findall(r"args\[\d\]: (.*)|(None)", text) == [
        ("unsigned int", ""), ("char *", ""), ("size_t", ""), ("", "None")
    ]  # fmt: skip


def test_what_a_listing_does_not_find_is_told_and_no_error() -> None:
    result = dtrace("-ln", "syscall::nosuch:entry")
    assert result.returncode == 0
    assert "dtrace: failed to match syscall::nosuch:entry: " in result.stderr


def test_generated_programs_are_shown() -> None:
    result = dtrace("-S", "-e", "-n", "syscall::read:entry { @[execname] = count(); }")
    assert (result.returncode, result.stdout) == (0, "")
    assert re.search(r"^program \w+, \d+ instructions, at \w+ sys_enter", result.stderr, re.M)
    assert re.search(r"^ +\d+: r\d+ = map \w+", result.stderr, re.M)
    assert re.search(r"^ +\d+: exit$", result.stderr, re.M)


def test_the_typed_program_is_shown() -> None:
    result = dtrace("-xtree", "-e", "-n", "BEGIN { x = pid + 1; }")
    assert "clause 1 (<-n>:1:1)" in result.stderr
    assert "Binary" in result.stderr


def test_versions() -> None:
    assert dtrace("-V").stdout == "dtrace: invivo D 2.0\n"
    assert "invivo 0." in dtrace("-vV").stdout
