"""Writes the reference pages from the registries that the program itself uses: `make docs`.

    docs/templates/d.md + builtins, providers, options, conversions    -> docs/language/d.md
    argument parsers + help topics                                     -> docs/man/invivo*.1, docs/man/invivo-d.7
    program/primitives                                                 -> docs/internals/primitives.md
    header comments of examples/*.d                                    -> examples/README.md
    tests/vm/kernels, bpf/features                                     -> docs/guide/kernels.md

With --check nothing is written: the exit status is 1, and the stale files are named, if any page would change.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from invivo import __version__
from invivo.cli.help import TOPICS, Row, Section
from invivo.cli.main import COMMANDS, parser_of
from invivo.program.primitives import PRIMITIVES

ROOT = Path(__file__).resolve().parents[1]
_NOTE = "Written by `make docs`; change {} instead."


def pages() -> dict[str, str]:
    """Every generated page: its path below the project and its text."""
    found = {
        "docs/language/d.md": language(),
        "docs/internals/primitives.md": primitives(),
        "docs/man/invivo.1": manual_of_invivo(),
        "docs/man/invivo-d.7": manual_of_d(),
        "examples/README.md": examples(),
        "docs/guide/kernels.md": kernels(),
    }
    for command in COMMANDS:
        found[f"docs/man/invivo-{command}.1"] = manual_of_command(command)
    return found


# --- Markdown -------------------------------------------------------------------------------------------------------


def language() -> str:
    """The language's page: the template, with `{{topic}}` replaced by that topic's tables."""
    template = (ROOT / "docs" / "templates" / "d.md").read_text()

    def tables(match: re.Match[str]) -> str:
        return "\n".join(_markdown(section) for section in TOPICS[match[1]].sections()).rstrip()

    text = re.sub(r"^\{\{(\w+)\}\}$", tables, template, flags=re.M)
    return f"<!-- {_NOTE.format('docs/templates/d.md or the registries')} -->\n{text}"


def primitives() -> str:
    """The table of primitives."""
    rows = [
        (f"`{row.name}`", f"`{row.parameters or '-'} -> {row.result}`", row.meaning + ("" if row.is_pure else " (*)"))
        for row in PRIMITIVES.values()
    ]
    return (
        f"<!-- {_NOTE.format('src/invivo/program/primitives.py')} -->\n# Primitives\n\n"
        "What every engine implements, and every builtin is rewritten into. Parameters and results: `i` a 64-bit\n"
        "integer, `s` a string, `m` scratch memory. (*): not the same each time, or it may fault.\n\n"
        + _table(("name", "in -> out", "meaning"), rows)
    )


def kernels() -> str:
    """The kernels that whole commands are tested on, and what a kernel must have."""
    sys.path.insert(0, str(ROOT))
    from invivo.bpf.features import FEATURES
    from tests.vm.kernels import KERNELS

    loops = {True: "by may_goto: of any length", False: "each round followed by the verifier: see below"}
    tested = [
        (f"Linux {kernel.series}", f"as Debian {kernel.suite} has it", loops[kernel.has_may_goto]) for kernel in KERNELS
    ]
    needed = [(row.name, "needed" if row.is_needed else "used where it is there", row.gives) for row in FEATURES]
    return (
        f"<!-- {_NOTE.format('tests/vm/kernels.py and src/invivo/bpf/features.py')} -->\n# Kernels\n\n"
        "invivo asks the kernel what it can do, never for its version: `invivo doctor` shows the answers. Each change\n"
        "is tested on the machine that it is made on, and by whole commands on these kernels, in guests\n"
        "(`make test-guest`). All programs of `tests/cases` run there by `make test-guest-cases`, now and then:\n\n"
        + _table(("kernel", "", "loops"), tested)
        + "\nWhat it asks for:\n\n"
        + _table(("feature", "", "for"), needed)
        + "\nLinux 5.15 brought the last of those that are needed.\n\n"
        "Before Linux 6.9 the verifier follows every round of a loop. What it cannot follow to 65,536 rounds is\n"
        "compiled again with at most 256, and then 64 rounds; a message says so, and a loop that goes on longer is a\n"
        "fault. Loops in loops that search strings are too much for it all the same: `cleanpath()`, `strtok()`,\n"
        "`json()` and the texts of IPv6 addresses are refused there, and `chill()`, which waits in a loop.\n\n"
        "A thread that loads a library which only a pattern means (`pid$target:lib*:...`, see\n"
        "[pid, uprobe](../language/d.md#pid-uprobe)) waits in such a loop too. Without may_goto and sleepable\n"
        "uprobes the library is probed as soon as it is seen, and that its first calls may be missing is told.\n"
    )


def examples() -> str:
    """The list of example scripts, with each one's purpose, usage and sample."""
    parts = [f"<!-- {_NOTE.format('the header comments of these files')} -->\n# Examples\n\n"
             "Each traces the whole machine until Ctrl-C. With `-c COMMAND` tracing ends with a command, with\n"
             "`--duration SECONDS` after a time. Samples are from a virtual machine with two CPUs.\n"]  # fmt: skip
    for path in sorted((ROOT / "examples").glob("*.d")):
        purpose, usage, sample = header_of(path)
        parts.append(f"\n## [{path.stem}]({path.name})\n\n{purpose}\n\n```\n$ {usage}\n{sample}\n```\n")
    return "".join(parts)


def header_of(path: Path) -> tuple[str, str, str]:
    """(purpose, usage, sample of output) from the comment at the head of a script."""
    match = re.match(r"#!.*\n/\*\n((?: \*.*\n)+?) \*/\n", path.read_text())
    if match is None:
        raise SystemExit(f"{path}: no header comment")
    lines = [line[3:] for line in match[1].splitlines()]
    usage = next(index for index, line in enumerate(lines) if line.startswith("Usage: "))
    purpose = " ".join(lines[:usage]).strip()
    sample = "\n".join(lines[usage + 1 :]).strip("\n")
    return purpose, lines[usage].removeprefix("Usage: ").partition("    ")[0], sample


def _markdown(section: Section) -> str:
    rows = [(f"`{row.label}`", row.text) for row in section.rows]
    return f"**{section.title.partition(chr(10))[0]}**\n\n{_table(('', ''), rows)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


# --- manual pages ---------------------------------------------------------------------------------------------------


def manual_of_invivo() -> str:
    """invivo(1): the commands, exit statuses, environment."""
    commands = [Row(name, f"invivo {name}", f"{text}; see invivo-{name}(1)") for name, text in COMMANDS.items()]
    return "".join([
        _heading("invivo", 1, "dynamic tracing for Linux"),
        _paragraphs("SYNOPSIS", r"\fBinvivo\fR \fICOMMAND\fR ..."),
        _paragraphs(
            "DESCRIPTION",
            _roff("Asks running software a question, written in D, and prints the answer. The program is compiled to "
                  "eBPF, runs in the kernel at the probes that it names, and is removed when tracing ends. "
                  "Nothing that is traced is stopped, restarted or changed."),
        ),
        _list("COMMANDS", commands),
        *(_list(section.title.upper(), section.rows) for section in TOPICS["exit"].sections()),
        *(_list("ENVIRONMENT", section.rows) for section in TOPICS["environment"].sections()),
        _paragraphs("EXAMPLES", *_example("invivo run -e 'syscall:::entry { @[execname] = count(); }' -c 'ls /'")),
        _see_also("invivo-d(7)", *(f"invivo-{name}(1)" for name in COMMANDS)),
    ])  # fmt: skip


def manual_of_command(command: str) -> str:
    """invivo-COMMAND(1), from its argument parser."""
    parser = parser_of(command)
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    rows = []
    for action in parser._actions:
        value = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else "")
        words = [" ".join(filter(None, [option, str(value)])) for option in action.option_strings] or [str(value)]
        label = ", ".join(words) if words != [""] else action.dest
        rows.append(Row(action.dest, label, action.help or ""))
    return "".join([
        _heading(f"invivo-{command}", 1, COMMANDS[command]),
        _paragraphs("SYNOPSIS", _roff(usage)),
        _paragraphs("DESCRIPTION", _roff(_sentence(COMMANDS[command]))),
        _list("ARGUMENTS AND OPTIONS", rows),
        *(_paragraphs("NOTES", _roff(parser.epilog)) for _ in [0] if parser.epilog),
        _see_also("invivo(1)", "invivo-d(7)"),
    ])  # fmt: skip


def manual_of_d() -> str:
    """invivo-d(7): the language's names, as tables."""
    parts = [
        _heading("invivo-d", 7, "the language D as invivo has it"),
        _paragraphs(
            "DESCRIPTION",
            _roff("A program is a list of clauses: the probes at which it runs, a predicate between slashes that may "
                  "be left out, and statements in braces. The language itself is described in docs/language/d.md; "
                  "this page lists its names."),
            *_example("syscall::read:return /errno == 0/ { @[execname] = quantize(arg0); }"),
        ),
    ]  # fmt: skip
    for topic in ("providers", "builtins", "structures", "formats", "options", "pragmas"):
        parts += [_list(section.title.partition("\n")[0].upper(), section.rows) for section in TOPICS[topic].sections()]
    return "".join([*parts, _see_also("invivo(1)", "invivo-run(1)")])


def _heading(name: str, section: int, summary: str) -> str:
    return f'.\\" {_NOTE.format("the registries")}\n.TH {name} {section} "" "invivo {__version__}"\n' + _paragraphs(
        "NAME", f"{_roff(name)} \\- {_roff(summary)}"
    )


def _paragraphs(title: str, *paragraphs: str) -> str:
    return f'.SH "{title}"\n' + ".PP\n".join(text.rstrip("\n") + "\n" for text in paragraphs)


def _list(title: str, rows: Iterable[Row]) -> str:
    items = "".join(f".TP\n\\fB{_roff(row.label)}\\fR\n{_roff(row.text)}\n" for row in rows)
    return f'.SH "{_roff(title)}"\n{items}'


def _example(text: str) -> tuple[str]:
    return (f".nf\n.RS 4\n{_roff(text)}\n.RE\n.fi",)


def _see_also(*names: str) -> str:
    return _paragraphs("SEE ALSO", ", ".join(_roff(name) for name in names))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _roff(text: str) -> str:
    """Plain text as roff: backslashes, hyphens and quotes as themselves, no line taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\n".join("\\&" + line if line.startswith(".") else line for line in text.splitlines())


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the generated pages of the manual.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    is_check = parser.parse_args().check
    stale = []
    for name, text in pages().items():
        path = ROOT / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not is_check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    for name in stale:
        print(f"{name}: {'out of date; make docs writes it' if is_check else 'written'}")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
