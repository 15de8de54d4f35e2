"""Options: units, kinds, defaults, and what becomes of each option of DTrace 2.x."""

from __future__ import annotations

import pytest

from invivo.diagnostics import Diagnostics
from invivo.errors import OptionError
from invivo.lang.d.lower.options import options_of
from invivo.lang.d.parser import parse
from invivo.lang.d.syntax import Pragma
from invivo.program.options import OPTIONS, Effect, OptionKind, Use, defaults, in_units, parse_dynamic, parse_option
from invivo.source import SourceFile

# As dtrace(8) and the manual list them for 2.x.
COMPILE_TIME = """
aggpercpu amin argref core cpp cppargs cpphdrs cpppath ctfpath ctypes debug debugassert defaultargs define
disasm dofstashpath droptags dtypes empty errtags evaltime incdir iregs kdefs knodefs late lazyload ldpath
libdir linkmode linktype linknommap modpath nolibs pgmax preallocate procfspath pspec stdc strip syslibdir
sysslice tree tregs udefs undef unodefs useruid verbose version zdefs""".split()
RUN_TIME = """
aggsize bpflog bpflogsize bufsize bufpolicy bufresize cleanrate cpu destructive dynvarsize grabanon jstackframes
jstackstrsize lockmem maxframes nspec pcapsize scratchsize specsize stackframes statusrate strsize ustackframes
noresolve""".split()
DYNAMIC = """aggrate aggsortkey aggsortkeypos aggsortpos aggsortrev flowindent quiet quietresize rawbytes stackindent
switchrate printsize""".split()


def test_no_option_of_dtrace_is_missing() -> None:
    assert [name for name in (*COMPILE_TIME, *RUN_TIME, *DYNAMIC) if name not in OPTIONS] == []


def test_dynamic_options_are_those_of_the_manual_and_of_the_pictures() -> None:
    dynamic = {row.name for row in OPTIONS.values() if row.use is Use.DYNAMIC}
    assert set(DYNAMIC) <= dynamic
    assert dynamic - set(DYNAMIC) == {"agghist", "aggpack", "aggzoom", "encoding"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("bufsize", "4k", 4096), ("bufsize", "3M", 3 << 20), ("bufsize", "1g", 1 << 30), ("bufsize", "0x10", 16),
        ("bufsize", "2g", 2 << 30), ("scratchsize", "2t", 2 << 40), ("bufsize", "100", 100),
        ("switchrate", "10hz", 100_000_000), ("switchrate", "1sec", 10**9), ("switchrate", "5ms", 5_000_000),
        ("switchrate", "7", 7), ("switchrate", "0hz", 0), ("aggrate", "2min", 120 * 10**9), ("statusrate", "1d",
         86400 * 10**9),
        ("nspec", "12", 12), ("quiet", None, True), ("quiet", "0", False), ("aggsortrev", "yes", True),
        ("bufpolicy", "ring", "ring"), ("version", "1.6", "1.6"), ("evaltime", "main", "main"), ("core", None, ""),
    ],
)  # fmt: skip
def test_values(name: str, text: str | None, value: object) -> None:
    assert parse_option(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("bufsize", "2049m", "'2049m' is too much: at most 2g"),
        ("bufsiz", "4k", "unknown option 'bufsiz'"), ("bufsize", None, "needs a value"), ("bufsize", "", "needs a "
                                                                                                         "value"),
        ("bufsize", "4q", "unknown unit 'q'"), ("bufsize", "k", "not a number"), ("bufsize", "-4k", "negative"),
        ("bufsize", "99999999t", "64 bits"), ("switchrate", "10hs", "unknown unit 'hs'"), ("nspec", "4k", "unknown "
                                                                                                          "unit"),
        ("quiet", "perhaps", "is a flag"), ("bufpolicy", "round", "switch, fill, ring"), ("version", "3.0", "not "
                                                                                                            "known"),
        ("version", "one", "not known"), ("ctypes", "x.h", "not available here"), ("grabanon", None, "not available"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(name: str, text: str | None, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_option(name, text)
    assert words in caught.value.message


def test_a_number_beside_a_wrong_name_is_no_guess() -> None:
    with pytest.raises(OptionError) as caught:
        parse_option("strsiz", "1")
    assert caught.value.hint == "did you mean strsize?"


def test_only_dynamic_options_change_while_tracing() -> None:
    assert parse_dynamic("aggsortkey", None) is True
    with pytest.raises(OptionError, match="cannot change while tracing"):
        parse_dynamic("bufsize", "4k")


def test_every_default_can_be_written() -> None:
    """What the manual shows as a default is read back as the default."""
    for row in OPTIONS.values():
        shown = in_units(row.kind, row.default)
        if row.effect is Effect.WORKS and row.kind is not OptionKind.FLAG and shown not in ("", "-1"):
            assert parse_option(row.name, shown + "ns" * (shown == "0" and row.kind is OptionKind.TIME)) == row.default


def test_dtraces_defaults_are_dtraces() -> None:
    """The manual: stackframes 20, ustackframes 100."""
    theirs = defaults("dtrace")
    assert (theirs["stackframes"], theirs["ustackframes"]) == (20, 100)
    assert (theirs["strsize"], theirs["nspec"], theirs["aggsortpos"]) == (256, 1, 0)


def _chosen(text: str = "", **given: str) -> dict[str, int | str | bool]:
    diagnostics = Diagnostics()
    script = parse(SourceFile("t.d", text), diagnostics)
    pragmas = [each for each in script.declarations if isinstance(each, Pragma)]
    found = options_of(pragmas, given, diagnostics)
    diagnostics.check()
    return found


def test_later_settings_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Defaults, DTRACE_OPT_, INVIVO_OPT_, pragma, command line."""
    text = "#pragma D option nspec=4\nBEGIN { }\n"
    assert _chosen()["nspec"] == 1
    monkeypatch.setenv("DTRACE_OPT_NSPEC", "2")
    assert _chosen()["nspec"] == 2
    monkeypatch.setenv("INVIVO_OPT_NSPEC", "3")
    assert _chosen()["nspec"] == 3
    assert _chosen(text)["nspec"] == 4
    assert _chosen(text, nspec="5")["nspec"] == 5


def test_dtraces_defaults_give_way_to_what_is_set() -> None:
    assert _chosen(defaults="dtrace")["stackframes"] == 20
    assert _chosen(defaults="dtrace", stackframes="20")["ustackframes"] == 100
    assert _chosen("#pragma D option defaults=dtrace\n#pragma D option ustackframes=7\nBEGIN { }")["ustackframes"] == 7


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTRACE_OPT_BUFSIZE", "much")
    with pytest.raises(OptionError, match=r"environment variable DTRACE_OPT_BUFSIZE: .*'much' is not a number"):
        _chosen()
