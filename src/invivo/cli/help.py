"""`invivo help [TOPIC]`: the language's names, the options, the probes, exit statuses; all read from their registries.

    invivo help               the topics
    invivo help options       every option, its default and what it means
    invivo help quantize      one name, whichever topic it belongs to

In: a topic or a name. Out: sections of (name, text) rows, which this prints and docs/generate.py makes pages of.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from invivo.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

__all__ = ["TOPICS", "Row", "Section", "Topic", "add_arguments", "run"]

_WIDTH = 100


class Row(NamedTuple):
    """`label` is shown (a prototype, a default value), `name` is what `invivo help NAME` finds."""

    name: str
    label: str
    text: str


class Section(NamedTuple):
    title: str
    rows: Sequence[Row]


class Topic(NamedTuple):
    summary: str
    sections: Callable[[], Sequence[Section]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the argument of `invivo help`."""
    parser.add_argument("topic", nargs="?", default="", metavar="TOPIC", help=f"{', '.join(TOPICS)}, or any name")


def run(namespace: argparse.Namespace) -> int:
    """Print a topic, or what is known of a name.

    Raises:
        OptionError: There is neither a topic nor a name like this.
    """
    wanted: str = namespace.topic
    if not wanted:
        print("Topics; each is shown by invivo help TOPIC:\n")
        _print_rows([Row(name, name, topic.summary) for name, topic in TOPICS.items()])
        print("\nAny single name is shown too: invivo help quantize. Options of a command: invivo run --help.")
        return 0
    if wanted in TOPICS:
        for index, section in enumerate(TOPICS[wanted].sections()):
            print(("\n" if index else "") + section.title + "\n")
            _print_rows(section.rows)
        return 0
    found = [(topic, row) for topic, row in _all_rows() if row.name == wanted]
    structures = [section for section in TOPICS["structures"].sections() if section.title == wanted]
    if structures:
        print(f"{wanted}    (structures)\n")
        _print_rows(structures[0].rows)
        return 0
    if not found:
        raise OptionError(f"no help on '{wanted}'", _suggestion(wanted))
    for topic, row in found:
        print(f"{row.label}    ({topic})\n    {row.text}")
    return 0


def _all_rows() -> Iterator[tuple[str, Row]]:
    for name, topic in TOPICS.items():
        for section in topic.sections():
            for row in section.rows:
                yield name, row


def _suggestion(wanted: str) -> str:
    import difflib

    known = [*TOPICS, *(row.name for _, row in _all_rows())]
    close = difflib.get_close_matches(wanted, known, 1)
    return f"did you mean {close[0]}?" if close else f"topics: {', '.join(TOPICS)}"


def _print_rows(rows: Sequence[Row]) -> None:
    """Label and text in two columns; a label that is too long gets a line of its own."""
    import textwrap

    width = min(max((len(row.label) for row in rows), default=0), 28)
    for row in rows:
        lines = textwrap.wrap(row.text, _WIDTH - width - 4) or [""]
        head = f"  {row.label:<{width}}  "
        if len(row.label) > width:
            sys.stdout.write(f"  {row.label}\n")
            head = " " * (width + 4)
        for line in lines:
            sys.stdout.write(f"{head}{line}".rstrip() + "\n")
            head = " " * (width + 4)


# --- topics ---------------------------------------------------------------------------------------------------------


def _options() -> list[Section]:
    from invivo.program.options import OPTIONS, Effect, Option, OptionKind, Use, in_units

    def row(option: Option) -> Row:
        if option.effect is not Effect.WORKS:
            return Row(option.name, option.name, option.meaning)
        if option.kind is OptionKind.FLAG:
            return Row(option.name, option.name, f"{option.meaning} (a flag; off)")
        what = "|".join(option.choices) or option.kind.value.upper()
        default = in_units(option.kind, option.default)
        theirs = "" if option.dtrace is None else f"; dtrace's: {option.dtrace}"
        has_default = default not in ("", "-1")
        value = f" ({default}{theirs})" if has_default else ""
        return Row(option.name, f"{option.name}={what}", option.meaning + value)

    def rows(effect: Effect, is_dynamic: bool | None = None) -> list[Row]:
        chosen = [option for option in OPTIONS.values() if option.effect is effect]
        if is_dynamic is not None:
            chosen = [option for option in chosen if (option.use is Use.DYNAMIC) is is_dynamic]
        return [row(option) for option in chosen]

    return [
        Section("Options, given by -x NAME=VALUE, #pragma D option NAME=VALUE, or INVIVO_OPT_NAME in the "
                "environment; in "
                "brackets what holds without.\n"
                "SIZE takes k m g t; TIME takes ns us ms s m h d, or a rate in hz.", rows(Effect.WORKS, False)),
        Section("Options that setopt() may change too", rows(Effect.WORKS, True)),
        Section("Options of DTrace that are accepted and change nothing", rows(Effect.NONE)),
        Section("Options of invivo dtrace's command line alone", rows(Effect.COMMAND)),
        Section("Options of DTrace that are refused", rows(Effect.REFUSED)),
    ]  # fmt: skip


def _pragmas() -> list[Section]:
    from invivo.lang.d.pragmas import PRAGMAS

    return [Section("Pragmas", [Row(row.name, row.form, row.meaning) for row in PRAGMAS.values()])]


def _providers() -> list[Section]:
    from importlib import import_module

    from invivo.providers.catalog import PROVIDERS, USER_PROVIDERS

    def rows(names: Sequence[str]) -> list[Row]:
        texts = [(import_module(f"invivo.providers.{name}").__doc__ or "").partition("\n")[0] for name in names]
        return [Row(n, n, text.partition(": ")[2].rstrip(".")) for n, text in zip(names, texts, strict=True)]

    title = "Providers: families of probes. invivo list 'NAME:::' lists a provider's probes, and -v their arguments."
    mine = "Providers of programs: invivo list 'pid4711:::', 'uprobe:/usr/bin/NAME::', 'usdt:/usr/bin/NAME::'"
    return [Section(title, rows(PROVIDERS)), Section(mine, rows(USER_PROVIDERS))]


def _builtins() -> list[Section]:
    from invivo.builtins.registry import BUILTINS, Kind

    sections: dict[Kind, list[Row]] = {kind: [] for kind in Kind}
    for builtin in BUILTINS.values():
        if builtin.name.startswith("__"):  # for the library alone
            continue
        sections[builtin.kind].append(Row(builtin.name, builtin.prototype, builtin.doc))
    typed = "the probe's arguments with their types: invivo list -v PROBE shows them, print(args) prints them all"
    sections[Kind.VARIABLE].append(Row("args", "args[N], args.NAME", typed))
    return [Section(f"{kind.value.capitalize()}s", rows) for kind, rows in sections.items()]


def _structures() -> list[Section]:
    """The structures of D's library with their members, and the variables that lead to them: from its text."""
    import re

    from invivo.lang.d.library import library_texts

    text = "\n".join(source.text for source in library_texts())
    sections = []
    for body, name in re.findall(r"^typedef struct \w+ \{\n(.*?)^\} (\w+);$", text, re.M | re.S):
        members = re.findall(r"^\t([^;/]+?)([\w\[\]]+);(?:\s*/\* (.*?) \*/)?$", body, re.M)
        rows = [Row(member.partition("[")[0], f"{type_}{member}", doc) for type_, member, doc in members]
        sections.append(Section(name, rows))
    inlines = re.findall(r"^/\* (.*?) \*/\ninline ([^=;]*?\W)([a-z]\w*)(\[[^\]]*\])? =", text, re.M)
    rows = [Row(name, f"{type_}{name}{index}", doc) for doc, type_, name, index in inlines]
    functions = re.findall(r"^/\* (.*?) \*/\nfunction (.*?(\w+)\(.*\))\n", text, re.M)
    named = [Row(name, prototype, doc) for doc, prototype, name in functions if not name.startswith("__")]
    return [Section("Variables of the library", rows), Section("Functions of the library", named), *sections]


def _formats() -> list[Section]:
    from invivo.program.format import CONVERSIONS

    title = "Conversions of printf() and printa(): %[-+ #0'?][width][.precision]letter; in printa(), %@ takes the value"
    return [Section(title, [Row(f"%{letter}", f"%{letter}", text) for letter, text in CONVERSIONS.items()])]


def _dtrace() -> list[Section]:
    from invivo.lang.d.dtrace_names import NAMES, note_of, state_of
    from invivo.lang.d.tags import UNREACHABLE

    sections = []
    for kind, names in NAMES.items():
        rows = []
        for name in names:
            state, note = state_of(kind, name).value, note_of(kind, name)
            rows.append(Row(f"dtrace:{name}", name, f"{state}: {note}" if note else state))
        sections.append(Section(f"DTrace's {kind}s", rows))
    rows = [Row(f"dtrace:{tag}", tag, reason) for tag, reason in UNREACHABLE.items()]
    return [*sections, Section("DTrace's error tags that never occur here", rows)]


def _exit_statuses() -> list[Section]:
    return [
        Section("Exit statuses of invivo run and invivo dtrace", [
            Row("0", "0", "tracing ended: exit(0), the command or process ended, the duration was over, or a signal"),
            Row("n", "n", "the program called exit(n)"),
            Row("1", "1", "an error: the program does not compile, a right is missing, the target cannot be had"),
            Row("2", "2", "the command line is wrong"),
            Row("130", "130", "interrupted before tracing began"),
            Row("141", "141", "whoever read the output has gone"),
        ]),
        Section("Exit statuses of the other commands", [
            Row("0", "0", "list: some probe matches. doctor: programs can be run here. help: it was shown"),
            Row("1", "1", "list: no probe matches, or probes cannot be listed. doctor: something needed is missing"),
            Row("2", "2", "the command line is wrong"),
        ]),
    ]  # fmt: skip


def _environment() -> list[Section]:
    return [
        Section("Environment variables", [
            Row("INVIVO_OPT_NAME", "INVIVO_OPT_NAME=VALUE",
                "option NAME (in upper case here); -x and #pragma come before it; DTRACE_OPT_NAME is the same"),
            Row("INVIVO_DEBUG", "INVIVO_DEBUG=1", "show where an internal error of invivo happened"),
            Row("XDG_CACHE_HOME", "XDG_CACHE_HOME",
                "compiled programs are kept in its folder invivo; without it, in ~/.cache/invivo"),
            Row("_DTRACE_TESTING", "_DTRACE_TESTING=1", "leave the columns CPU and ID out of text output"),
        ])
    ]  # fmt: skip


TOPICS: dict[str, Topic] = {
    "options": Topic("options of a program: buffer sizes, sort order, limits", _options),
    "pragmas": Topic("lines that say something to the compiler", _pragmas),
    "providers": Topic("what can be probed", _providers),
    "builtins": Topic("variables, functions, actions and aggregating functions of D", _builtins),
    "structures": Topic("structures that arguments of probes point to, and their members", _structures),
    "formats": Topic("conversions of printf() and printa()", _formats),
    "dtrace": Topic("every name of DTrace 2.x, and what becomes of it here", _dtrace),
    "exit": Topic("exit statuses", _exit_statuses),
    "environment": Topic("environment variables that invivo reads", _environment),
}
