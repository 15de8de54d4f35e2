"""The command line: usage errors, exit statuses, output whose reader goes away, and the commands list, doctor, help."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from invivo.bpf.features import FEATURES
from invivo.builtins.registry import BUILTINS
from invivo.program.options import OPTIONS
from invivo.providers.catalog import PROVIDERS, USER_PROVIDERS
from tests.support import ROOT, invivo

TRACING = Path("/sys/kernel/tracing/events")


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a shell line in which $invivo is the command."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "invivo": f"{sys.executable} -m invivo"}
    words = ["bash", "-c", line]
    return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60, check=False)


# --- usage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["lst"], "there is no command 'lst'", "did you mean 'invivo list'?"),
        (["--versio"], "there is no option '--versio'", "did you mean 'invivo --version'?"),
        (["-n"], "there is no option '-n'", "options follow a command"),
        (["BEGIN { exit(0); }"], "there is no command 'BEGIN", "to run a program: invivo run -e PROGRAM"),
        (["run", "--formt", "json"], "unrecognized arguments: --formt", "did you mean --format?"),
        (["run", "--format", "xml"], "invalid choice: 'xml'", "see: invivo run --help"),
        (["run", "-p", "x"], "'x' is not a process id", "see: invivo run --help"),
        (["run", "-p", "0"], "'0' is not a process id", "see: invivo run --help"),
        (["run", "-p", "1", "-c", "true"], "not allowed with argument", "see: invivo run --help"),
        (["run", "--duration", "soon"], "'soon' is not a number of seconds", "see: invivo run --help"),
        (["run", "-d", "5y"], "'5y' is not a number of seconds, nor a time such as 500ms", "see: invivo run --help"),
        (["run", "--duration", "-1"], "'-1' is not a number of seconds", "see: invivo run --help"),
        (["run"], "no program was given", "invivo run -e 'PROGRAM', or invivo run FILE.d"),
        (["run", "-e", "BEGIN", "-x", "bufsize=900g"], "'900g' is too much: at most 2g", ""),
        (["list", "a:b:c:d:e"], "'a:b:c:d:e' has 5 fields", "a probe is provider:module:function:name"),
        (["flame"], "a flame graph of what kind?", "there are: cpu, offcpu"),
        (["run", "-s", "x"], "unrecognized arguments: -s", "a program's file is named without a letter"),
        (["help", "quantise"], "no help on 'quantise'", "did you mean quantize?"),
        (["run", "-n", "BEGIN"], "unrecognized arguments: -n", "a program's text follows -e; the letters of dtrace"),
        (["doctor", "-q"], "unrecognized arguments: -q", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_says_what_is_wrong_and_exits_2(arguments: list[str], message: str, hint: str) -> None:
    result = invivo(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert not hint or f"hint: {hint}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("time", ["0.05", "50ms", "0.05s", "0.001m"])
@pytest.mark.kernel
def test_a_duration_with_or_without_a_unit(time: str) -> None:
    result = invivo("run", "-q", "-d", time, "-e", 'END { printf("ended\\n"); }')
    assert (result.returncode, result.stdout.split()) == (0, ["ended"])


def test_without_arguments_the_commands_are_listed_and_the_status_is_2() -> None:
    result = invivo()
    assert result.returncode == 2
    assert all(f"  {command} " in result.stderr for command in ("run", "list", "doctor", "help"))


@pytest.mark.parametrize("command", [[], ["run"], ["list"], ["doctor"], ["help"]], ids="-".join)
def test_help_of_every_command_goes_to_standard_output(command: list[str]) -> None:
    result = invivo(*command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: invivo " + "".join(command))


def test_version_is_that_of_the_package() -> None:
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert invivo("--version").stdout == f"invivo {version[1]}\n"


# --- output that cannot be written ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", ["list dtrace:::", "list", "help options", "run --help", "doctor"])
def test_a_reader_that_goes_away_is_met_with_silence(arguments: str) -> None:
    result = shell(f"$invivo {arguments} | true; echo ${{PIPESTATUS[0]}}")
    assert result.stderr == ""
    assert result.stdout.strip() in ("141", "0")  # 0: all was in the pipe before it was closed


def test_a_long_list_with_a_reader_of_one_line() -> None:
    result = shell("$invivo list | head -1; echo ${PIPESTATUS[0]}")
    assert result.stderr == ""
    assert result.stdout.split() == ["ID", "PROVIDER", "MODULE", "FUNCTION", "NAME", "141"]


def test_a_full_disk_is_told() -> None:
    result = shell("$invivo list dtrace::: >/dev/full")
    assert (result.returncode, result.stderr) == (1, "invivo: No space left on device\n")


def test_closed_standard_streams() -> None:
    result = shell("$invivo list dtrace::: >&-")
    assert (result.returncode, result.stderr) == (1, "invivo: standard output is closed\n")
    result = shell("$invivo list dtrace::: <&- 2>&-")
    assert (result.returncode, len(result.stdout.splitlines())) == (0, 4)


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_has_every_option_provider_and_builtin() -> None:
    providers = (*PROVIDERS, *USER_PROVIDERS)
    for topic, names in {"options": OPTIONS, "providers": providers, "builtins": BUILTINS}.items():
        output = invivo("help", topic).stdout
        shown = [name for name in names if not name.startswith("__")]  # those are for the library alone
        missing = [name for name in shown if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", output)]
        assert missing == [], topic


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("strsize", "256"),
        ("syscall", "system call"),
        ("quantize", "quantize(int64_t value"),
        ("execname", "string execname"),
        ("%Y", "local date and time"),
        ("usdt", "programs and libraries carry"),
        ("psinfo_t", "pr_psargs[80]"),
        ("args", "args.NAME"),
    ],
)
def test_help_on_one_name(name: str, fact: str) -> None:
    result = invivo("help", name)
    assert result.returncode == 0
    assert fact in result.stdout


def test_help_on_a_command_is_its_own_help() -> None:
    assert invivo("help", "run").stdout == invivo("run", "--help").stdout


# --- list -----------------------------------------------------------------------------------------------------------


def fields_of(path: Path) -> list[tuple[str, str]]:
    """(name, type) of an event's own fields, by the kernel's format file."""
    declarations = re.findall(r"^\tfield:(.*?);", path.read_text(), re.M)
    own = [line for line in declarations if not line.split()[-1].startswith(("common_", "__syscall_nr"))]
    return [(line.split()[-1], " ".join(line.split()[:-1])) for line in own]


@pytest.mark.kernel
@pytest.mark.parametrize("call", ["read", "openat", "mmap", "clone3"])
def test_arguments_of_a_system_call_are_those_of_the_kernels_format_file(call: str) -> None:
    result = invivo("list", f"syscall::{call}:entry", "-v")
    shown = re.findall(r"args\[\d+\]: (.*) (\w+)$", result.stdout, re.M)
    expected = fields_of(TRACING / "syscalls" / f"sys_enter_{call}" / "format")
    assert expected
    plain = [(name, type_.replace("const ", "").replace(" *", "*")) for name, type_ in expected]
    assert [(name, type_.replace("const ", "").replace(" *", "*")) for type_, name in shown] == plain


@pytest.mark.kernel
def test_probes_are_numbered_once_and_the_same_in_every_listing() -> None:
    lines = invivo("list").stdout.splitlines()[1:]
    ids = [int(line.split()[0]) for line in lines]
    assert ids == list(range(1, len(ids) + 1))
    (one,) = invivo("list", "syscall::read:entry").stdout.splitlines()[1:]
    assert one in lines


@pytest.mark.kernel
def test_a_list_of_everything_takes_less_than_two_seconds() -> None:
    start = time.monotonic()
    assert len(invivo("list").stdout.splitlines()) > 1000
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("syscall::raed:entry", "did you mean syscall::read:entry?"),
        ("BEGINN", "did you mean BEGIN?"),
        ("syscal::read:entry", "no provider 'syscal'; did you mean syscall?"),
        ("profile-0", "profile-0: a rate of 0 never fires"),
        ("raed:entry", "did you mean read:entry"),
    ],
)
@pytest.mark.kernel
def test_no_match_is_status_1_with_what_may_have_been_meant(pattern: str, hint: str) -> None:
    result = invivo("list", pattern)
    assert (result.returncode, result.stdout) == (1, "")
    assert f"no probe matches '{pattern}'\nhint: {hint}" in result.stderr


# --- doctor ---------------------------------------------------------------------------------------------------------


@pytest.mark.kernel
def test_doctor_finds_what_this_machine_has() -> None:
    result = invivo("doctor")
    assert result.returncode == 0
    states = {line[10:].split("  ")[0]: line.split()[0] for line in result.stdout.splitlines() if line[:8].strip()}
    assert all(states[feature.name] == "ok" for feature in FEATURES if feature.is_needed)
    assert states["tracefs"] == states["BTF"] == states["rights"] == "ok"
    assert result.stdout.endswith("engine: kernel (eBPF)\n")


def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run invivo as user 65534, who has no rights, with a Python that this user can run."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become another user, with setpriv")
    become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    path = f"{ROOT / 'src'}:{sysconfig.get_path('purelib')}"
    for python in (sys.executable, *(shutil.which(f"python3{minor}") for minor in ("", ".11", ".12", ".13"))):
        probe = [*become, str(python), "-c", "import sys, invivo.cli.main; sys.exit(sys.version_info < (3, 11))"]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": "/nonexistent"}
        if subprocess.run(probe, env=environment, capture_output=True, check=False).returncode == 0:
            command = [*become, str(python), "-m", "invivo", *arguments]
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    pytest.skip("no Python here that an ordinary user can run with this source")


def test_doctor_tells_an_ordinary_user_what_is_missing_and_the_command_that_mends_it() -> None:
    result = as_nobody("doctor")
    assert (result.returncode, result.stderr) == (0, "")
    found = re.search(r"missing +rights +uid 65534 lacks (.*)\n +mend: run it as root: sudo /", result.stdout)
    assert found is not None
    assert found[1] == "CAP_BPF and CAP_PERFMON"
    assert "engine: process (ptrace)" in result.stdout
    assert "missing for the kernel engine: rights" in result.stdout


def test_an_ordinary_user_is_told_which_providers_cannot_be_listed() -> None:
    result = as_nobody("list")
    if os.stat("/sys/kernel/tracing").st_mode & 0o005:
        pytest.skip("here tracefs is open to everybody")
    assert result.returncode == 0
    assert "not listed: sdt, rawtp" in result.stderr
    assert "hint: run as root" in result.stderr


def test_an_ordinary_user_cannot_trace_and_is_told_why() -> None:
    result = as_nobody("run", "-e", "syscall::read:entry { trace(pid); }")
    assert result.returncode == 1
    assert "CAP_BPF" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_a_message_quotes_is_kept_on_one_line() -> None:
    result = invivo("run", "-e", r'BEGIN { printf("%z\n", 1); }')
    assert r"'%z\n' is not a conversion (%\n is unknown)" in result.stderr.splitlines()[0]


def test_the_process_engine_says_what_it_cannot_trace() -> None:
    result = invivo("run", "--engine", "process", "-e", "syscall:::entry { }")
    assert result.returncode == 1
    assert "traces a command or a process, and this program asks about the whole system" in result.stderr
    assert "hint: give -c COMMAND or -p PID" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--types", "/nosuch"], "cannot read '/nosuch': No such file or directory"),
        (["--types", "/"], "cannot read '/': Is a directory"),
        (["--flame", "/nosuch/x.html"], "cannot write to '/nosuch/x.html': no such folder"),
        (["--flame", "/"], "'/' does not say which format to write"),
        (["--flame", "/x.docx"], "'/x.docx' does not say which format to write"),
    ],
    ids=" ".join,
)
def test_files_are_looked_at_before_tracing(arguments: list[str], message: str) -> None:
    result = invivo("run", "-e", "BEGIN { exit(0); }", *arguments)
    assert (result.returncode in (1, 2), result.stdout) == (True, "")
    assert result.stderr.startswith(f"invivo: {message}")
