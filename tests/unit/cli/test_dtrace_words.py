"""The command line of `invivo dtrace` without tracing: letters, programs put together, the preprocessor, headers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from invivo.cli.dtrace.arguments import FLAGS, Program, parse, usage
from invivo.cli.dtrace.header import header, parse_definitions
from invivo.cli.dtrace.messages import compile_error
from invivo.cli.dtrace.preprocess import Macros, preprocess
from invivo.cli.dtrace.programs import assemble
from invivo.diagnostics import Diagnostics
from invivo.errors import CompileError, InvivoError, OptionError
from invivo.lang.d.decode import read_source
from invivo.lang.d.parser import parse as parse_d

# --- letters --------------------------------------------------------------------------------------------------------


def test_letters_stand_before_between_and_after_other_words_and_may_be_joined() -> None:
    found = parse(["-qn", "BEGIN", "7", "-xbufsize=1m", "-c", "ls -l", "x", "-Z", "-64"])
    assert found.programs == [Program("n", "BEGIN")]
    assert found.words == ["7", "x"]
    assert found.options == [("quiet", None), ("bufsize", "1m"), ("zdefs", None)]
    assert found.commands == ["ls -l"]
    assert "64" in found.letters


def test_programs_of_all_letters_keep_their_order() -> None:
    words = ["-P", "a", "-m", "b", "-f", "c", "-n", "d", "-i", "4", "-s", "f"]
    assert [program.kind for program in parse(words).programs] == list("Pmfnis")


@pytest.mark.parametrize(("words", "message"), [(["-y"], "-y"), (["-n"], "-n"), (["-65"], "-65"), (["-X", "q"], "'q'")])
def test_a_wrong_letter_is_named(words: list[str], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(words)
    assert message in caught.value.message


def test_every_letter_of_dtrace_is_there() -> None:
    """dtrace(8): 3:6:aAb:Bc:CD:ef:FGhHi:I:lL:m:n:o:p:P:qs:SU:vVwx:X:Z, without -B, which it does not document."""
    assert {flag.letter for flag in FLAGS} == {"32", "64", *"aAbcCDefFGhHiIlLmnopPqsSUvVwxXZ"}
    assert all(f"-{flag.letter} {flag.value}" in usage() for flag in FLAGS if flag.value)


def test_every_letter_is_used_by_a_case_or_a_test_of_whole_commands() -> None:
    tests = Path(__file__).parents[2]
    commands = re.findall(r"command: dtrace (.*) \*/", "".join(p.read_text() for p in tests.glob("cases/*/cmd.*.d")))
    words = {word for command in commands for word in command.split()}
    words.update(re.findall(r'"(-[^"]*)"', (tests / "session" / "test_dtrace.py").read_text()))
    bundles = [word[1:] for word in words if re.fullmatch(r"-[A-Za-z]+|-32|-64", word)]
    used = {bundle for bundle in bundles if bundle.isdigit()} | {letter for bundle in bundles for letter in bundle}
    assert {flag.letter for flag in FLAGS} - used == set()

# --- programs put together ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "whole"),
    [
        ("P", "syscall", "syscall::: {}"),
        ("m", "syscall:vmlinux /pid == 1/ { x = 1; }", "syscall:vmlinux:: /pid == 1/ { x = 1; }"),
        ("f", "read, write{}", "read:, write:{}"),
        ("n", "tick-1s", "tick-1s {}"),
        ("i", "3", "3 {}"),
    ],
)
def test_a_description_gets_the_fields_that_its_letter_implies(kind: str, text: str, whole: str) -> None:
    assert assemble([Program(kind, text)]).text.decode() == whole


def test_several_programs_are_one_text_whose_places_are_those_of_each(tmp_path: Path) -> None:
    script = tmp_path / "y.d"
    script.write_text("END\n{ y = ; }\n")
    assembly = assemble([Program("n", "BEGIN { x = 1; }"), Program("s", str(script))])
    found = Diagnostics()
    parse_d(read_source(assembly.name, assembly.text), found)
    error = CompileError(found.errors)
    assert compile_error(error, assembly, has_tags=True).splitlines()[0].startswith(
        f"failed to compile script {script}: [D_SYNTAX] line 2: "
    )
    assert [part.name for part in assembly.parts] == ["BEGIN ", str(script)]


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("BEGIN { x = ; }", "invalid probe specifier BEGIN { x = ; }: in action list: "),
        ("BEGIN /x = = 1/ {}", "invalid probe specifier BEGIN /x = = 1/ {}: in predicate: "),
    ],
)
def test_an_error_on_the_command_line_names_the_part_of_the_clause(text: str, head: str) -> None:
    assembly = assemble([Program("n", text)])
    found = Diagnostics()
    parse_d(read_source(assembly.name, assembly.text), found)
    assert compile_error(CompileError(found.errors), assembly, has_tags=False).startswith(head)


def test_a_script_that_cannot_be_read_is_named() -> None:
    with pytest.raises(InvivoError, match=r"failed to open /nowhere/x\.d: No such file or directory"):
        assemble([Program("s", "/nowhere/x.d")])


# --- the preprocessor -----------------------------------------------------------------------------------------------


def test_macros_are_replaced_and_d_passes_through() -> None:
    text = (
        b"#!/usr/bin/env -S invivo dtrace -Cs\n#define LIMIT (2 + 3)\n#pragma D option quiet\n"
        b"syscall::read*:entry, tick-1s /self->x > LIMIT && $1/ { @[`a, 'b'] = count(); printf(\"LIMIT\"); }"
        b" /* it's */\n"
    )
    out = preprocess(text, "x.d", Macros()).decode()
    assert "#pragma D option quiet" in out
    assert "syscall::read*:entry, tick-1s /self->x > (2 + 3) && $1/ { @[`a, 'b'] = count(); printf(\"LIMIT\"); }" in out
    assert "#!" not in out


def test_definitions_come_from_the_command_line_in_order() -> None:
    text = b"A B C __linux __SUNW_D __STDC__"
    out = preprocess(text, "x.d", Macros(["DA", "DB=7", "DC=1", "UC"], standard="c"))
    assert out.split()[-6:] == [b"1", b"7", b"C", b"1", b"1", b"1"]


def test_included_files_are_found_told_and_named_in_errors(tmp_path: Path) -> None:
    (tmp_path / "limits.h").write_text("#define LIMIT 3\ninline int half = ;\n")
    script = tmp_path / "x.d"
    script.write_text("#include <limits.h>\nBEGIN { exit(LIMIT); }\n")
    included: list[str] = []
    out = preprocess(script.read_bytes(), str(script), Macros(folders=[str(tmp_path)]), included.append)
    assert included == [str(tmp_path / "limits.h")]
    found = Diagnostics()
    parse_d(read_source(str(script), out), found)
    assert str(found.errors[0].span).startswith(f"{tmp_path}/limits.h:2:")
    clause = out.decode().index("BEGIN")
    source = read_source(str(script), out)
    parse_d(source, Diagnostics())
    assert (source.name_at(clause), source.position(clause)[0]) == (str(script), 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('\n#include "absent.h"\n', '"x.d", line 2: #include "absent.h": no such file'),
        ("#ifndef LIMIT\n#error LIMIT is needed\n#endif\n", '"x.d", line 2: #error LIMIT is needed'),
    ],
)
def test_what_the_preprocessor_refuses_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvivoError) as caught:
        preprocess(text.encode(), "x.d", Macros())
    assert message in caught.value.message


# --- headers of static probes ---------------------------------------------------------------------------------------

DEFINITION = """\
/* provider no { probe none(); }; */
#pragma D attributes Evolving/Evolving/Common provider app provider
provider app {
    probe query__start(char *text, int size);
    probe query__done(uint32_t, unsigned long count, struct thing *) : (int a, int b);
    probe idle();
};
"""


def test_definitions_are_read() -> None:
    (provider,) = parse_definitions(DEFINITION, "app.d")
    assert provider.name == "app"
    assert [(probe.name, probe.types) for probe in provider.probes] == [
        ("query__start", ("char *", "int")),
        ("query__done", ("uint32_t", "unsigned long", "struct thing *")),
        ("idle", ()),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BEGIN { }", "no provider is defined"),
        ("provider p { probe a(int) probe b(); };", "line 1: provider p: not a probe definition"),
        ("\nprovider p { probe a(); probe a(); };", "line 2: provider p: probe a is defined twice"),
        (f"provider p {{ probe a({', '.join(['int'] * 13)}); }};", "13 arguments"),
    ],
)
def test_wrong_definitions_say_where(text: str, message: str) -> None:
    with pytest.raises(InvivoError) as caught:
        parse_definitions(text, "p.d")
    assert message in str(caught.value)


def test_a_program_with_the_header_has_the_notes_that_readelf_shows(tmp_path: Path) -> None:
    """gcc compiles it without a warning, in C and C++; binutils reads provider, name and sizes of the arguments."""
    (tmp_path / "app.h").write_text(header(parse_definitions(DEFINITION, "app.d"), "app.h"))
    (tmp_path / "a.c").write_text(
        '#include <stdint.h>\n#include "app.h"\nint main(int argc, char **argv)\n{\n'
        "\tAPP_QUERY_START(argv[0], -argc);\n"
        "\tif (APP_QUERY_DONE_ENABLED())\n\t\tAPP_QUERY_DONE(5, 1ul << 40, 0);\n"
        "\tAPP_IDLE();\n\treturn APP_IDLE_ENABLED();\n}\n"
    )
    for language in ("c", "c++"):
        cc = ["cc", "-x", language, "-O2", "-Wall", "-Wextra", "-Werror", "-o", "a", "a.c"]
        if language == "c++" and subprocess.run(["cc", "-x", "c++", "-E", "/dev/null"], capture_output=True).returncode:
            continue  # a compiler of C alone
        subprocess.run(cc, cwd=tmp_path, check=True)
        assert subprocess.run([tmp_path / "a"], check=False).returncode == 0
        notes = subprocess.run(["readelf", "-n", "a"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for name in ("query__start", "query__done", "idle"):
            assert f"    Provider: app\n    Name: {name}\n" in notes
        sizes = {line.split("@")[0].split()[-1] for line in notes.splitlines() if "Arguments: " in line and "@" in line}
        assert sizes == {"8", "4"}
        assert " -4@" in notes
