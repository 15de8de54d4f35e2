"""The pid and uprobe providers, against triggers whose calls are counted by hand."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from invivo import trace
from invivo.bpf import uapi
from invivo.bpf.link import uprobe
from invivo.bpf.program import Program, ProgramSpec
from invivo.symbols.elf import ElfFile
from invivo.symbols.instructions import boundaries
from tests.support import ORDINARY_USER, TESTS, invivo, trigger

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


@pytest.mark.parametrize(("depth", "missed"), [(62, 0), (63, 0), (64, 1), (163, 100)])
def test_returns_that_the_kernel_misses_are_told(depth: int, missed: int) -> None:
    """The kernel keeps 64 returns to come of a thread: of depth + 1 calls in one another it sees so many return."""
    program = """pid$target:a.out:nested:entry { @e = count(); } pid$target:a.out:nested:return { @r = count(); }
        END { printa("%@d ", @e); printa("%@d\\n", @r); }"""
    result = invivo("run", "-q", "-e", program, "-c", f"{trigger('calls')} 1 1 {depth}")
    assert result.stdout.split()[-2:] == [str(depth + 1), str(depth + 1 - missed)]
    told = f"{missed} missed return{'s' * (missed > 1)}"
    assert (told in result.stderr) if missed else result.stderr == ""


def test_a_file_in_all_processes_that_run_it() -> None:
    program = f"uprobe:{trigger('calls')}:work:return {{ @ = count(); }}"
    assert run(program, f"{trigger('calls')} 2 11")[-1].split() == ["11"]


def test_a_misspelt_function_is_told_with_its_neighbour() -> None:
    result = invivo("run", "-e", "pid$target:a.out:wrok:entry { }", "-c", trigger("calls"))
    assert result.returncode != 0
    assert "did you mean work?" in result.stderr
    assert "10987654321" not in result.stdout, "the command ran"


# --- libraries, children, containers ---


def test_a_process_of_another_user() -> None:
    if os.geteuid():
        pytest.skip("only root may trace the processes of others")
    target = subprocess.Popen(
        [trigger("answers")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        **ORDINARY_USER,  # type: ignore[call-overload]
    )  # fmt: skip
    try:
        ask(target)
        assert os.stat(f"/proc/{target.pid}").st_uid == 65534
        assert counted(target, target.pid) == "7"
    finally:
        target.kill()
        target.communicate()


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A library that the trigger `loads` opens at run time."""
    path = tmp_path / "libplugin.so.2"
    source = TESTS / "triggers/plugin.c"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", path, source], check=True)
    return path


@pytest.mark.parametrize("module", ["libplugin", "libplugin.so.2", "PATH", "libplug*", "*plug?n.so*"])
def test_a_library_opened_later_is_probed_from_its_first_call_on(module: str, plugin: Path) -> None:
    """plugin_work() is called 23 times right after dlopen; its constructor sets the count to 100."""
    module = str(plugin) if module == "PATH" else module
    program = f"pid$target:{module}:plugin_work:return {{ @n = count(); @m = max(arg1); }}"
    result = invivo("run", "-q", "-e", program, "-c", f"{trigger('loads')} ./{plugin.name}", cwd=plugin.parent)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["123", "23", "123"]
    assert f"has not loaded {plugin} yet" in result.stderr


@pytest.mark.parametrize("engine", ["kernel", "process"])
@pytest.mark.parametrize("module", ["lib*", ""])
def test_what_only_the_library_s_own_types_would_tell_is_not_had_and_told(
    module: str, engine: str, plugin: Path
) -> None:
    """args[] is not known when the program is compiled."""
    program = f"""pid$target:{module}:plugin_*:entry {{ @[args[0]] = count(); }}
        pid$target:{module}:plugin_*:entry {{ @n[strjoin("no", "types")] = count(); }}
        pid$target:a.out:main:entry {{ @m[probefunc] = count(); }}"""
    command = f"{trigger('loads')} ./{plugin.name}"
    options = ("-q", "-x", "zdefs", "--engine", engine)
    result = invivo("run", *options, "-e", program, "-c", command, cwd=plugin.parent)
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.split()) == ["1", "123", "23", "main", "notypes"]
    assert f"has loaded {plugin} since tracing began, where '{module}:plugin_*' has no probes" in result.stderr


def test_a_pattern_for_many_libraries_means_those_that_are_loaded() -> None:
    program = "pid$target:lib*:malloc:entry { @[probemod] = count(); }"
    assert run(program, trigger("calls"))[-1].split()[0] == "libc.so.6"


def test_children_are_followed_when_asked() -> None:
    program = "pid$target:a.out:step:entry { @[arg0] = count(); }"
    assert [line.split() for line in run(program, trigger("family"))] == [["1", "1"], ["4", "1"]]
    followed = [line.split() for line in run(program, trigger("family"), "-x", "follow")]
    assert followed == [["1", "1"], ["4", "1"], ["2", "3"], ["3", "3"]]


def test_only_descendants_are_followed() -> None:
    """Others run the same file at the same time: the probes are in them too, but do not fire."""
    others = subprocess.Popen(["sh", "-c", f"while sleep 0.05; do {trigger('family')}; done"])
    try:
        program = "pid$target:a.out:step:return { @[arg1] = count(); }"
        followed = [line.split() for line in run(program, trigger("family"), "-x", "follow")]
    finally:
        others.kill()
        others.wait()
    assert followed == [["2", "1"], ["5", "1"], ["3", "3"], ["4", "3"]]


def answering(path: str, *words: str) -> subprocess.Popen[str]:
    """The trigger `answers` at some path, after its first answer."""
    target = subprocess.Popen([*words, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    ask(target)
    return target


def ask(target: subprocess.Popen[str]) -> None:
    assert target.stdin is not None
    assert target.stdout is not None
    target.stdin.write("?\n")
    assert target.stdout.readline()


def counted(target: subprocess.Popen[str], pid: int) -> str:
    """What a session counts of 7 answers of a running process."""
    program = f"pid{pid}:a.out:answer:entry {{ @ = count(); }}"
    with trace(program, pid=pid) as session:
        for _ in range(7):
            ask(target)
    return str(session.aggregations[""][()])


def test_a_program_that_was_deleted(tmp_path: Path) -> None:
    path = shutil.copy(trigger("answers"), tmp_path / "answers")
    target = answering(str(path))
    try:
        os.unlink(path)
        assert counted(target, target.pid) == "7"
        shutil.copy("/bin/true", path)  # another file of that name
        assert counted(target, target.pid) == "7"
    finally:
        target.kill()
        target.communicate()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare (apt-get install util-linux)")
def test_a_program_by_the_name_that_it_was_started_by(tmp_path: Path) -> None:
    """As Debian's redis-server, which is a link to redis-check-rdb."""
    shutil.copy2(trigger("calls"), tmp_path / "calls")
    link = tmp_path / "alias"
    link.symlink_to("calls")
    program = "pid$target:alias:nested:entry { @[probemod] = count(); }"
    assert run(program, str(link))[-1].split() == ["calls", "18"]


def test_a_program_in_another_mount_namespace(tmp_path: Path) -> None:
    """It is on a file system that only its own namespace has mounted."""
    script = f"mount -t tmpfs none {tmp_path} && cp {trigger('answers')} {tmp_path}/hidden && exec {tmp_path}/hidden"
    target = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        ask(target)
        assert not (tmp_path / "hidden").exists()
        assert counted(target, target.pid) == "7"
    finally:
        target.kill()
        target.communicate()


# --- places ---


def test_offsets_and_addresses() -> None:
    """Every instruction of a leaf function without branches is passed once a call."""
    with ElfFile.open(trigger("calls")) as elf:
        work = next(function for function in elf.functions() if function.name == "work")
        offsets = sorted(boundaries(elf.read(work.address, work.size)))
    program = "pid$target:a.out:work: /probename != \"entry\" && probename != \"return\"/ { @[probename] = count(); }"
    found = dict(line.split() for line in run(program, f"{trigger('calls')} 1 13"))
    assert found == {f"{offset:x}": "13" for offset in offsets}
    address = work.address + offsets[1]
    assert run(f"pid$target:a.out:-:{address:x} {{ @ = count(); }}", f"{trigger('calls')} 1 13")[-1].split() == ["13"]


@pytest.mark.parametrize("name", ["-:{middle:x}", "work:{inside:x}"])
def test_never_in_the_middle_of_an_instruction(name: str) -> None:
    with ElfFile.open(trigger("calls")) as elf:
        work = next(function for function in elf.functions() if function.name == "work")
        starts = boundaries(elf.read(work.address, work.size))
    inside = next(at for at in range(1, work.size) if at not in starts)
    probe = name.format(inside=inside, middle=work.address + inside)
    result = invivo("run", "-e", f"pid$target:a.out:{probe} {{ }}", "-c", trigger("calls"))
    assert result.returncode != 0
    assert "no instruction begins at" in result.stderr
    assert "instructions begin at" in result.stderr


def test_the_listing_shows_where_probes_lie() -> None:
    result = invivo("list", "-v", f"uprobe:{trigger('shapes')}:endbr64_push:entry")
    assert "0x4 bytes into the function; the instruction there is emulated" in result.stdout
    result = invivo("list", "-v", f"uprobe:{trigger('shapes')}:mov_ret:entry")
    assert "the instruction there is single-stepped" in result.stdout


_SHAPES = ("endbr64_push", "push", "push_r12", "nop5", "test_je", "endbr64_ret", "mov_ret", "sets_arg1")


@pytest.mark.parametrize("function", _SHAPES)
def test_probes_of_every_shape_count_exactly(function: str) -> None:
    program = f"""pid$target:a.out:{function}:entry {{ @e = count(); }}
        pid$target:a.out:{function}:return {{ @r = count(); }} END {{ printa("%@d ", @e); printa("%@d", @r); }}"""
    assert run(program, f"{trigger('shapes')} {function} 1009")[-1].split() == ["1009", "1009"]


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("@[arg0] = count();", "5 1009"),  # behind what is done to the second argument and the stack pointer
        ("@[arg1] = count();", "6 1009"),
        ("@[arg0, arg1] = count();", "5 6 1009"),
    ],
)
def test_what_a_clause_reads_is_as_it_was_at_the_first_instruction(clause: str, expected: str) -> None:
    program = f"pid$target:a.out:sets_arg1:entry {{ {clause} }}"
    assert run(program, f"{trigger('shapes')} sets_arg1 1009")[-1].split() == expected.split()


# --- IFUNC symbols: the name means what the program has chosen ---


@pytest.mark.parametrize("flags", [(), ("-s", "-rdynamic"), ("-Wl,-z,now",)])
def test_a_program_s_own_choice(flags: tuple[str, ...]) -> None:
    program = '''pid$target:a.out:add:entry { @e = count(); @m = max(arg0); }
        pid$target:a.out:add:return { @r = sum(arg1); }
        END { printa("%@d ", @e); printa("%@d ", @m); printa("%@d\\n", @r); }'''
    assert run(program, trigger("chooses", *flags))[-1].split() == ["31", "30", str(31 * 32 // 2)]


_MEASURED = '"a text that nobody else measures"'


@pytest.mark.parametrize("module", ["libc", "libc.so.6", "lib*"])
@pytest.mark.parametrize("function", ["strlen", "strle?"])
def test_the_choice_of_the_c_library(module: str, function: str) -> None:
    """32 bytes are measured 23 times."""
    program = f'''pid$target:{module}:{function}:entry {{ self->is = copyinstr(arg0) == {_MEASURED}; }}
        pid$target:{module}:{function}:return /self->is/ {{ @[probefunc, arg1] = count(); }}'''
    assert run(program, trigger("chooses"))[-1].split() == ["strlen", "32", "23"]


def test_the_choice_for_all_programs_is_that_of_this_one() -> None:
    program = f"uprobe:libc.so.6:strlen:entry /copyinstr(arg0) == {_MEASURED}/ {{ @ = count(); }}"
    assert run(program, trigger("chooses"))[-1].split() == ["23"]


# --- errors ---


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("pid999999999:a.out:main:entry { }", "there is no process 999999999"),
        ("pid2:a.out:main:entry { }", "kernel thread"),
        ("pid$target:a.out:main:entry { }", "names no process"),
        ("uprobe:/no/such/file:main:entry { }", "no such file"),
        (f"uprobe:{__file__}:main:entry {{ }}", "is not an ELF file"),
    ],
)
def test_what_cannot_be_probed_is_told(program: str, message: str) -> None:
    result = invivo("run", "-e", program)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_process_that_ends_while_it_is_attached() -> None:
    """Whenever it ends: an error or an empty answer, no traceback, and the tracer comes to its end."""
    for delay in (0.05, 0.1, 0.15, 0.2, 0.3):
        target = subprocess.Popen(["sleep", str(delay)])
        reaper = threading.Thread(target=target.wait)
        reaper.start()
        program = "pid$target:libc:*:entry { @ = count(); }"
        result = invivo("run", "-q", "-e", program, "-p", str(target.pid), timeout=30)
        reaper.join()
        assert "Traceback" not in result.stderr
        assert result.returncode == 0 or "process" in result.stderr


@pytest.fixture
def waiting() -> Iterator[int]:
    """The pid of a process that has the trigger `shapes` mapped."""
    target = subprocess.Popen([trigger("shapes"), "wait"], stdout=subprocess.PIPE)
    assert target.stdout is not None
    target.stdout.readline()
    yield target.pid
    target.kill()
    target.communicate()


@pytest.mark.parametrize("multi", [True, False], ids=["multi", "perf"])
def test_a_place_that_the_kernel_refuses_is_found_among_many(multi: bool, waiting: int) -> None:
    """lock_inc() begins with an instruction that cannot be probed; the other functions of the file can be."""
    with ElfFile.open(trigger("shapes")) as elf:
        offsets = {f.name: elf.to_offset(f.address) or 0 for f in elf.functions()}
    names = ("push", "nop5", "lock_inc", "mov_ret", "test_je")
    sites = [uprobe.Site(offsets[name], number) for number, name in enumerate(names, start=1)]
    kind = uapi.BPF_TRACE_UPROBE_MULTI if multi else 0
    code = struct.pack("<QQ", 0xB7, 0x95)
    spec = ProgramSpec("invivo_test", uapi.BPF_PROG_TYPE_KPROBE, code, expected_attach_type=kind)
    with Program.load(spec) as program:
        attached = uprobe.attach(program.fd, trigger("shapes"), sites, pid=waiting, multi=multi)
        for link in attached.links:
            link.close()
    assert [refusal.site.cookie for refusal in attached.refused] == [3]


def test_functions_that_cannot_be_probed_are_left_out_and_told(waiting: int) -> None:
    result = invivo("run", "-q", "-e", f"pid{waiting}:a.out:*:entry {{ }} tick-10ms {{ exit(0); }}")
    assert "left out" in result.stderr
    assert "lock_inc" in result.stderr
    result = invivo("run", "-q", "-e", f"pid{waiting}:a.out:lock_inc:entry {{ }}")
    assert "the kernel probes no instruction of the kind" in result.stderr
    result = invivo("run", "-q", "-e", f"pid{waiting}:a.out:lock_inc:0 {{ }} tick-10ms {{ exit(0); }}")
    assert "the kernel refuses a probe" in result.stderr


def test_the_perf_fallback_counts_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uprobe, "has_multi", lambda: False)
    program = "pid$target:a.out:work:entry { @[probefunc] = count(); } pid$target:a.out:nested:return { @r = count(); }"
    with trace(program, command=[trigger("calls"), "2", "211"]) as session:
        session.wait()
    assert session.aggregations[""][("work",)] == 211
    assert session.aggregations["r"][()] == 18


def test_the_c_library_s_vector_code_does_what_it_must_while_it_is_traced() -> None:
    """memset and others begin with VEX and EVEX instructions, some of which the kernel takes for jumps."""
    probes = "pid$target:libc.so.6:mem*:entry, pid$target:libc.so.6:str*:entry"
    command = f"{trigger('fills', '-fno-builtin')} 100003"
    result = invivo("run", "-q", "-e", f"{probes} {{ @ = count(); }}", "-c", command, timeout=120)
    assert result.returncode == 0, result.stderr
    wrong, counted = result.stdout.split()
    assert int(wrong) == 0
    assert int(counted) >= 5 * 100003  # memset twice, memcpy, strlen, memchr each round
