"""The command line of dtrace(8), read as getopt(3) reads it: letters before, between and after the other words.

    parse(["-qn", "BEGIN { exit($1); }", "3"])
    Arguments(programs=[Program("n", "BEGIN { exit($1); }")], words=["3"], options=[("quiet", None)], ...)

FLAGS is all there is: the parser, the usage message and invivo-dtrace(1) are made from it. Source: dtrace(8).
"""

from __future__ import annotations

import getopt
from typing import NamedTuple

from invivo.errors import OptionError
from invivo.value import fresh, mutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["FLAGS", "Arguments", "Flag", "Program", "add_arguments", "parse", "usage"]


class Flag(NamedTuple):
    """A letter; `value` is what its value is called, empty if it takes none."""

    letter: str
    value: str
    text: str


FLAGS = (
    Flag("32", "", "programs are for 32-bit data; refused: the kernel's data is 64-bit"),
    Flag("64", "", "programs are for 64-bit data, as always here"),
    Flag("a", "", "claim an anonymous enabling; refused: Linux has no anonymous tracing"),
    Flag("A", "", "make an anonymous enabling; refused: Linux has no anonymous tracing"),
    Flag("b", "SIZE", "size of the buffer for records; the same as -x bufsize=SIZE"),
    Flag("c", "CMD", "run a command, split at blanks, and end when it ends; $target is its pid; may be repeated"),
    Flag("C", "", "run the C preprocessor on D files first; needs the package pcpp"),
    Flag("D", "NAME[=DEF]", "define a macro, with -C"),
    Flag("e", "", "compile, and end without tracing"),
    Flag("f", "FUNC", "probes by function, [[PROVIDER:]MODULE:]FUNCTION; a predicate and actions may follow"),
    Flag("F", "", "indent by function entries and returns"),
    Flag("G", "", "make an object file of static probes; refused: see -h"),
    Flag("h", "", "write a header of static probes for the provider definitions of -s, which goes to -o or FILE.h"),
    Flag("H", "", "print the files that -C includes on standard error"),
    Flag("i", "ID", "the probe of that number in the list; a predicate and actions may follow"),
    Flag("I", "DIR", "a folder for #include, with -C"),
    Flag("l", "", "list the probes that match instead of tracing; all, if no program is given"),
    Flag("L", "DIR", "a folder of D libraries: its *.d files are read before the program"),
    Flag("m", "MODULE", "probes by module, [PROVIDER:]MODULE; a predicate and actions may follow"),
    Flag("n", "NAME", "probes by name, [[[PROVIDER:]MODULE:]FUNCTION:]NAME; a predicate and actions may follow"),
    Flag("o", "FILE", "append output, or the list of -l, to a file; with -h, the header's name"),
    Flag("p", "PID", "trace a process, and end when it ends; $target is its pid; may be repeated"),
    Flag("P", "PROVIDER", "probes by provider; a predicate and actions may follow"),
    Flag("q", "", "print only what the program prints"),
    Flag("s", "FILE", "compile a D file (-: standard input)"),
    Flag("S", "", "show the generated BPF programs on standard error"),
    Flag("U", "NAME", "undefine a macro, with -C"),
    Flag("v", "", "tell more: with -l arguments and stability, else the stability of programs (-e: of probes too)"),
    Flag("V", "", "print the version"),
    Flag("w", "", "allow destructive actions"),
    Flag("x", "OPTION[=VALUE]", "set an option; see: invivo help options"),
    Flag("X", "MODE", "what __STDC__ is with -C: a or t (0), c or s (1)"),
    Flag("Z", "", "allow probe descriptions that match nothing"),
)
_SIMPLE_OPTIONS = {"F": "flowindent", "q": "quiet", "w": "destructive", "Z": "zdefs"}
_PROGRAMS = "Pmfnis"


class Program(NamedTuple):
    """One program of the set: `kind` is its letter (P m f n i s), `text` what followed it."""

    kind: str
    text: str


@mutable
class Arguments:
    """A command line, taken apart. `options` are of -x and of letters that mean the same, in order."""

    letters: set[str] = fresh(factory=set)
    programs: list[Program] = fresh(factory=list)
    words: list[str] = fresh(factory=list)  # $1 ...
    options: list[tuple[str, str | None]] = fresh(factory=list)
    commands: list[str] = fresh(factory=list)
    pids: list[str] = fresh(factory=list)
    output: str | None = None
    libraries: list[str] = fresh(factory=list)
    macros: list[str] = fresh(factory=list)  # -D and -U for the preprocessor, in order: "DNAME=1", "UNAME"
    includes: list[str] = fresh(factory=list)
    standard: str = "t"
    is_help: bool = False


def parse(words: Sequence[str]) -> Arguments:
    """The command line `words` (without the program's name).

    Raises:
        OptionError: A letter is not known, or lacks its value.
    """
    # -32 and -64 are the letters 3 and 6 with a value.
    letters = "3:6:" + "".join(f"{flag.letter}{':' * bool(flag.value)}" for flag in FLAGS if not flag.letter.isdigit())
    try:
        found, rest = getopt.gnu_getopt(list(words), letters, ["help"])
    except getopt.GetoptError as error:
        raise OptionError(error.msg, "see: invivo dtrace --help") from None
    arguments = Arguments(words=rest)
    for option, value in found:
        _take(arguments, option.lstrip("-"), value)
    return arguments


def _take(arguments: Arguments, letter: str, value: str) -> None:
    match letter:
        case "help":
            arguments.is_help = True
        case "3" | "6":
            if letter + value not in ("32", "64"):
                raise OptionError(f"option -{letter}{value} not recognized", "there are -32 and -64")
            arguments.letters.add(letter + value)
        case "b":
            arguments.options.append(("bufsize", value))
        case "c":
            arguments.commands.append(value)
        case "D" | "U":
            arguments.macros.append(letter + value)
        case "I":
            arguments.includes.append(value)
        case "L":
            arguments.libraries.append(value)
        case "o":
            arguments.output = value
        case "p":
            arguments.pids.append(value)
        case "x":
            name, equals, text = value.partition("=")
            arguments.options.append((name, text if equals else None))
        case "X":
            if value not in ("a", "c", "s", "t"):
                raise OptionError(f"invalid standard '{value}' after -X", "it is one of a, c, s, t")
            arguments.standard = value
        case _ if letter in _PROGRAMS:
            arguments.programs.append(Program(letter, value))
        case _:
            arguments.letters.add(letter)
            if option := _SIMPLE_OPTIONS.get(letter):
                arguments.options.append((option, None))


def usage() -> str:
    """The usage message."""
    simple = "".join(flag.letter for flag in FLAGS if not flag.value and not flag.letter.isdigit())
    valued = " ".join(f"[-{flag.letter} {flag.value}]" for flag in FLAGS if flag.value)
    lines, line = [], f"usage: invivo dtrace [-32|-64] [-{simple}]"
    for item in [*valued.split(" ["), "args ...]"]:
        item = item if item.startswith("[") else f"[{item}"
        if len(line) + len(item) > 110:
            lines.append(line)
            line = "             "
        line += f" {item}"
    return "\n".join([*lines, line])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The same letters for argparse, which prints --help, and from which the manual page is made."""
    for flag in FLAGS:
        if flag.value:
            parser.add_argument(f"-{flag.letter}", metavar=flag.value, help=_percent(flag.text))
        elif flag.letter != "h":
            parser.add_argument(f"-{flag.letter}", action="store_true", help=_percent(flag.text))
    parser.add_argument("-h", dest="header", action="store_true", help=next(f.text for f in FLAGS if f.letter == "h"))
    parser.add_argument("--help", action="help", help="print this, and end")
    parser.add_argument("words", nargs="*", metavar="ARGUMENT", help="$1, $2 ... of the programs")
    parser.epilog = (
        "Exit status: 0 when tracing ended, or what exit() was given; 1 after an error; 2 if the command line is wrong."
    )


def _percent(text: str) -> str:
    return text.replace("%", "%%")
