"""Programs with probes in programs' files, run from the cache: what is counted is what the files do now.

A library's function is called 101 times with 3, whatever else the library has before it. Whether a run compiled is told
by what it imported (PYTHONPROFILEIMPORTTIME), which is llvmlite if it did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invivo.compiler import Request, compile_now
from invivo.program.plan import Plan
from invivo.program.target import NOBODY, anonymous, retargeted
from tests.support import ROOT, TESTS, invivo, trigger

pytestmark = pytest.mark.kernel

# Functions of other lengths before `step` move it; both libraries are made the same size.
_LIBRARY = """
int before(int x) {{ return {before}; }}
__attribute__((noinline)) int step(int x) {{ __asm__ volatile("" ::: "memory"); return x + 1; }}
"""
_FIRST, _SECOND = "x", "x * 7 / 3 % 11 + x * x / 5"
_PROGRAM = "int step(int); int main(void) { for (int i = 0; i < 101; i++) step(3); return 0; }"
_COUNTS = 'pid$target:libstep:step:entry { @n = count(); @s = sum(arg0); } END { printa("%@d %@d\\n", @n, @s); }'


def build(text: str, path: Path, *flags: str | Path) -> None:
    subprocess.run(["cc", "-O1", "-x", "c", "-", "-x", "none", "-o", path, *flags], input=text, text=True, check=True)


def settle(*paths: Path) -> None:
    """Wait until files are old enough for what was read of them to be kept."""
    while time.time() - max(path.stat().st_ctime for path in paths) < 2.1:
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    build(_LIBRARY.format(before=_FIRST), tmp_path / "libstep.so", "-shared", "-fPIC")
    build(_LIBRARY.format(before=_SECOND), tmp_path / "other.so", "-shared", "-fPIC")
    for name in ("libstep.so", "other.so"):
        os.truncate(tmp_path / name, 65536)
    build(_PROGRAM, tmp_path / "steps", tmp_path / "libstep.so", f"-Wl,-rpath,{tmp_path}")
    settle(*tmp_path.iterdir())
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[str, bool]:
    """The output, and whether it came from a plan that was kept."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT / "src"), "XDG_CACHE_HOME": str(folder), "PYTHONPROFILEIMPORTTIME": "1",
    }  # fmt: skip
    result = invivo("run", "-q", *arguments, env=environment, cwd=folder)
    messages = [line for line in result.stderr.splitlines() if not line.startswith("import time:")]
    assert result.returncode == 0, "\n".join(messages)
    assert messages == []
    assert "invivo.session" in result.stderr, "imports were told"
    imported = ("llvmlite", "invivo.bpf.btf", "invivo.lang", "invivo.codegen", "invivo.providers")
    return result.stdout.strip(), not any(name in result.stderr for name in imported)


def of_command(folder: Path) -> tuple[str, bool]:
    return run(folder, "-e", _COUNTS, "-c", str(folder / "steps"))


def test_the_second_run_of_a_command_compiles_nothing_and_counts_the_same(folder: Path) -> None:
    assert of_command(folder) == ("101 303", False)
    assert of_command(folder) == ("101 303", True)


def test_a_library_that_is_built_anew_is_read_anew(folder: Path) -> None:
    of_command(folder)
    os.replace(folder / "other.so", folder / "libstep.so")
    assert of_command(folder) == ("101 303", False)
    settle(folder / "libstep.so")
    assert of_command(folder)[0] == "101 303"  # kept before, if this machine took so long that the file was not young
    assert of_command(folder) == ("101 303", True)


def test_a_library_that_is_written_over_is_read_anew(folder: Path) -> None:
    """The same file, of the same size, with the old time of modification."""
    library, other = folder / "libstep.so", folder / "other.so"
    of_command(folder)
    before = library.stat()
    assert before.st_size == other.stat().st_size
    with open(library, "r+b") as stream:
        stream.write(other.read_bytes())
    os.utime(library, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = library.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert of_command(folder) == ("101 303", False)


def test_another_program_at_the_same_path_has_a_plan_of_its_own(folder: Path) -> None:
    program = 'pid$target:a.out:main:entry { @ = count(); } END { printa("%@d\\n", @); }'
    for body, is_warm in (("0", False), ("0", True), ("x * 7 / 3 % 11 - 5 * x", False)):
        if not is_warm:
            build(f"int f(int x) {{ return {body}; }} int main(int x) {{ return f(x) & 0; }}", folder / "new")
            os.replace(folder / "new", folder / "steps")
            settle(folder / "steps")
        assert run(folder, "-e", program, "-c", str(folder / "steps")) == ("1", is_warm)


def test_a_changed_option_is_another_plan(folder: Path) -> None:
    for option, is_warm in (("strsize=32", False), ("strsize=32", True), ("strsize=33", False)):
        words = ["-x", option, "-e", _COUNTS, "-c", str(folder / "steps")]
        assert run(folder, *words) == ("101 303", is_warm)


def test_probes_of_a_file_that_is_found_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that comes first in PATH later is the one that is meant then: it calls its function with 2."""
    for number, name in ((1, "one"), (2, "two")):
        (folder / name).mkdir()
        text = f"__attribute__((noinline, noclone)) int f(int x) {{ return x - {number}; }}"
        build(f"{text} int main(void) {{ return f({number}); }}", folder / name / "cmd")
    settle(folder / "one" / "cmd", folder / "two" / "cmd")
    program = 'uprobe:cmd:f:entry { @[arg0] = count(); } END { printa("%d %@d\\n", @); }'
    monkeypatch.setenv("PATH", f"{folder}/late:{folder}/one:{os.environ['PATH']}")
    for is_warm in (False, True):
        assert run(folder, "-e", program, "-c", "cmd") == ("1 1", is_warm)
    (folder / "late").symlink_to(folder / "two")
    for is_warm in (False, True):
        assert run(folder, "-e", program, "-c", "cmd") == ("2 1", is_warm)


@pytest.mark.parametrize("change", ["empty", "cut", "of another program"])
def test_a_damaged_plan_is_made_anew(folder: Path, change: str) -> None:
    of_command(folder)
    (kept,) = (folder / "invivo").glob("*.plan")
    data = kept.read_bytes()
    kept.write_bytes({"empty": b"", "cut": data[:-100], "of another program": data.replace(b"@s", b"@t")}[change])
    assert of_command(folder) == ("101 303", False)
    assert of_command(folder) == ("101 303", True)


def test_types_of_a_process_are_of_that_process(tmp_path: Path) -> None:
    """The structure of the same name is another in another program: 4 and 12 bytes."""
    tmp_path.chmod(0o700)
    answers = []
    for count in (1, 3):
        path = tmp_path / f"waits{count}"
        text = f"#include <unistd.h>\nstruct shared {{ int part[{count}]; }} it;\nint main(void) {{ pause(); }}"
        build(text, path, "-g")
        settle(path)
        with subprocess.Popen([path]) as process:
            try:
                text = 'BEGIN { printf("%d\\n", sizeof (struct shared)); exit(0); }'
                answers.append(run(tmp_path, "-e", text, "-p", str(process.pid)))
            finally:
                process.kill()
    assert answers == [("4", False), ("12", False)]


@pytest.mark.parametrize("options", [[], ["-gz"], ["-gdwarf-4"]])
def test_members_of_structures_lie_where_the_program_of_today_has_them(folder: Path, options: list[str]) -> None:
    program = 'pid$target:a.out:f:entry { printf("%d\\n", args[0]->b); }'
    for members, is_first in (("int a, b", True), ("int b, a", False)):
        text = f"struct pair {{ {members}; }} it = {{ .a = 5, .b = 7 }};"
        text += "__attribute__((noinline, noclone)) int f(struct pair *p) { return p->a; }"
        text += "int main(void) { return f(&it) - 5; }"
        build(text, folder / "new", "-g", *options)
        if is_first:
            os.rename(folder / "new", folder / "pairs")
        else:
            (folder / "pairs").write_bytes((folder / "new").read_bytes())
        settle(folder / "pairs")
        for is_warm in (False, True):
            assert run(folder, "-e", program, "-c", str(folder / "pairs")) == ("7", is_warm)


def test_debug_information_that_is_taken_out_is_read_each_time(folder: Path) -> None:
    """The file that it is in could be another one, in any of several folders."""
    path, debug = folder / "pairs", folder / "pairs.debug"
    text = "__attribute__((noinline, noclone)) int f(char *p) { return *p; } int main(void) { return f(\"\"); }"
    build(text, path, "-g")
    for words in (["--only-keep-debug", path, debug], ["--strip-debug", path], [f"--add-gnu-debuglink={debug}", path]):
        subprocess.run(["objcopy", *words], check=True)
    settle(path, debug)
    program = "pid$target:a.out:f:entry { trace(stringof(args[0])); trace(5); }"
    for _ in range(2):
        assert run(folder, "-e", program, "-c", str(path)) == ("5", False)


# --- the same plan for another process ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program with USDT probes that waits."""
    path = tmp_path_factory.mktemp("program") / "waits"
    text = f'#include "{TESTS}/triggers/usdt.c"\n#undef main\n#include <unistd.h>\n'
    main = 'int main(void) { puts(""); fflush(stdout); return (int)read(0, malloc(1), 1); }'
    build(text + main, path, "-Dmain=real", "-pthread", "-g")
    settle(path)
    return path


@pytest.fixture
def pair(waiting: Path) -> Iterator[tuple[int, int]]:
    """Two processes of one program."""
    processes = [subprocess.Popen([waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    yield processes[0].pid, processes[1].pid
    for process in processes:
        process.communicate()


def plan_for(text: str, pid: int) -> Plan:
    request = Request(text.encode(), "x.d")
    request.target_pid = pid
    return compile_now(request)


@pytest.mark.parametrize(
    "text",
    [
        "pid$target:libc:malloc:entry { @[arg0, ustack()] = count(); }",
        "pid$target:libc:malloc:return /pid == $target/ { @[probefunc, probemod, probename] = max(arg1); }",
        "pid$target::malloc:, pid$target:libc:free:entry { @[tid] = count(); }",
        "pid$target:lib*:mall*:entry { self->t = timestamp; } pid$target:lib*:mall*:return /self->t/ { trace(tid); }",
        "pid$target:a.out:main: { trace(arg0); trace(execname); } syscall::read:entry /pid == $target/ { ustack(); }",
        "demo$target:::sites { @[arg0, args[0]] = count(); } usdt$target:::forms { trace(arg1); }",
        "pid$target:a.out:first_site:entry { trace(args[0]); trace(stringof(args[1])); }",
        "pid$target:libc:puts:entry { trace(copyinstr(arg0)); } uprobe:libc.so.6:puts:entry { @[pid] = count(); }",
    ],
)  # fmt: skip
def test_a_plan_that_is_kept_is_what_would_be_compiled(text: str, pair: tuple[int, int]) -> None:
    """For another process of the same program, in every part."""
    one, other = (plan_for(text, pid) for pid in pair)
    assert one != other
    assert one.dependencies is not None
    assert one.dependencies.reason == ""
    kept = anonymous(one, pair[0])
    assert kept is not None
    assert retargeted(kept, NOBODY, pair[1]) == other


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pid$target:libc:memcpy:entry { @ = count(); }", "a process's memory"),
        ("pid$target:libnotthere*:f:entry { @ = count(); } pid$target:libc:free:entry { @ = count(); }", "its folders"),
        ("pid$target:a.out:first_site:entry { trace(`demo_guarded_semaphore); }", "addresses in a process"),
        ("pid$target:libc:malloc:entry { trace(args[0]); }", "drgn"),
        ("pid$target:libc:malloc:entry { trace(probeprov); }", ""),
    ],
)
def test_what_depends_on_the_process_is_not_kept(text: str, reason: str, pair: tuple[int, int]) -> None:
    request = Request(text.encode(), "x.d", options={"zdefs": None})
    request.target_pid = pair[0]
    plan = compile_now(request)
    assert plan.dependencies is not None
    assert reason in plan.dependencies.reason
    assert plan.dependencies.reason or anonymous(plan, pair[0]) is None


_OPENS = """
import os, sys
from invivo.compiler import Request, compile_now
opened = set()
def hear(event, details):
    if event == "open" and not isinstance(details[0], int):
        opened.add(os.fsdecode(details[0]))
sys.addaudithook(hear)
request = Request(sys.argv[1].encode(), "x.d")
request.target_pid = int(sys.argv[2])
plan = compile_now(request)
known = {os.path.realpath(path) for path, _ in plan.dependencies.files}
ours = tuple({sys.prefix, sys.base_prefix, *sys.path, os.environ["XDG_CACHE_HOME"], "/proc/", "/sys/"} - {""})
print(sorted(path for path in opened if os.path.realpath(path) not in known and not path.startswith(ours)))
print(len(known & {os.path.realpath(path) for path in opened}))
"""


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("pid$target:libc:malloc: { ustack(); }", []),
        ("pid$target::malloc:entry, pid$target:a.out:main:return { @[arg1] = count(); }", []),
        ("usdt:USDT:demo:sites { @[arg0, args[0]] = count(); }", []),
        ("uprobe:libc.so.6:malloc:entry { @ = count(); }", ["/etc/ld.so.cache"]),  # whose answer is compared
    ],
)
def test_all_files_that_the_compiler_opens_are_known(
    text: str, others: list[str], pair: tuple[int, int], tmp_path: Path
) -> None:
    """Python tells of each file that is opened."""
    text = text.replace("USDT", trigger("usdt"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", _OPENS, text, str(pair[0])]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    unknown, count = result.stdout.splitlines()
    assert unknown == str(others)
    assert int(count) > 0
