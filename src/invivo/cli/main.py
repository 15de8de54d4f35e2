"""The command `invivo`: finds the sub-command, and turns every error into words and an exit status.

    invivo lst        invivo: there is no command 'lst'        exit status 2
                      hint: did you mean 'list'? ...

Exit status: 0 or what the program's exit() gave; 1 after an error; 2 if the command line itself is wrong; 130 after an
interrupt outside tracing; 141 if whoever read the output has gone.
"""

from __future__ import annotations

import os
import sys

from invivo.errors import CompileError, InvivoError, OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import NoReturn, Protocol

    class Command(Protocol):
        """What each module of this package that is a sub-command has."""

        def add_arguments(self, parser: argparse.ArgumentParser, /) -> None: ...
        def run(self, namespace: argparse.Namespace, /) -> int: ...


__all__ = ["COMMANDS", "main", "parser_of"]

COMMANDS = {
    "run": "run a D program: trace, and print the answer",
    "flame": "flame graphs: where time, bytes or events go, by stack",
    "dtrace": "the command line of dtrace(8)",
    "strace": "the system calls of a command or process, decoded",
    "list": "list probes that match a pattern",
    "doctor": "what this machine and this user may do, and what mends it",
    "help": "options, probes, variables, functions and actions of the language",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name); returns the exit status."""
    status = _main(argv)
    companion = sys.modules.get("invivo.cli.companion")  # where the process engine has traced
    return status if companion is None else int(companion.leave(status))


def _main(argv: Sequence[str] | None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not _has_standard_streams():
        _complain("invivo: standard output is closed")
        return 1
    try:
        status = _dispatch(arguments)
        sys.stdout.flush()  # here, where a reader that has gone can still be taken for what it is
    except BrokenPipeError:
        _abandon_output()
        return 141
    except KeyboardInterrupt:
        return 130
    except CompileError as error:
        count = len(error.diagnostics)
        _complain(f"{error}\ninvivo: {count} error{'s' if count != 1 else ''}; nothing was traced")
        return 1
    except OptionError as error:
        _complain(f"invivo: {error}")
        return 2
    except InvivoError as error:
        _complain(f"invivo: {error}")
        return 1
    except OSError as error:
        _abandon_output()
        _complain(f"invivo: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")
        return 1
    except Exception as error:
        if os.environ.get("INVIVO_DEBUG"):
            raise
        lines = str(error).strip().splitlines()
        _complain(f"invivo: internal error: {type(error).__name__}: {lines[-1] if lines else ''}")
        _complain("hint: this is a bug of invivo; INVIVO_DEBUG=1 in the environment shows where")
        return 1
    return status


def _has_standard_streams() -> bool:
    """False if standard output is closed. Descriptors 0 to 2 that are closed are filled: no file may become one."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(fd)
    return sys.stdout is not None


def _abandon_output() -> None:
    """Standard output cannot be written to: what is still buffered for it goes nowhere, in silence."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError:  # no descriptor is left
        os.close(1)


def _complain(text: str) -> None:
    """Write to standard error what can be written: names of files may be no text at all."""
    if sys.stderr is not None:
        sys.stderr.write(text.encode(errors="surrogateescape").decode(errors="replace") + "\n")


def _dispatch(arguments: list[str]) -> int:
    name, *rest = arguments or [""]
    try:
        if name in ("--version", "-V"):
            from invivo import __version__

            print(f"invivo {__version__}")
            return 0
        if name in COMMANDS:
            if name == "help" and rest and rest[0] in COMMANDS:
                name, rest = rest[0], ["--help"]
            if name == "dtrace":  # which reads its letters as getopt(3) does
                import invivo.cli.dtrace as dtrace

                return dtrace.main(rest)
            return _module(name).run(parser_of(name).parse_args(rest))
        if name in ("-h", "--help"):
            parser_of("").print_help()
            return 0
        if not name:
            parser_of("").print_help(sys.stderr)
            return 2
        return _unknown(name)
    except SystemExit as stop:  # argparse has printed help, or a usage error
        return int(stop.code or 0)


def _unknown(name: str) -> int:
    import difflib

    what = "option" if name.startswith("-") else "command"
    hint = "see: invivo --help"
    if close := difflib.get_close_matches(name, [*COMMANDS, "--version", "--help"], 1):
        hint = f"did you mean 'invivo {close[0]}'?"
    elif any(char in name for char in "{:/") or os.path.exists(name):
        hint = f"to run a program: invivo run {'FILE' if os.path.exists(name) else '-e PROGRAM'}"
    elif what == "option":
        hint = "options follow a command: invivo run, flame, strace, list, doctor or help"
    _complain(f"invivo: there is no {what} '{name}'\nhint: {hint}")
    return 2


def parser_of(name: str) -> argparse.ArgumentParser:
    """The argument parser of sub-command `name`, or (empty) of the command itself.

    Only the named command's module is imported.
    """
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            _complain(f"{self.prog}: {message}\nhint: {_hint_for(self, message)}")
            sys.exit(2)

    if name:
        summary = COMMANDS[name]
        parser = Parser(prog=f"invivo {name}", description=summary, allow_abbrev=False, add_help=name != "dtrace")
        _module(name).add_arguments(parser)
        return parser
    parser = Parser(
        prog="invivo",
        usage="invivo [--help] [--version] COMMAND ...",
        description="Ask running software a question; it answers without stopping.",
        epilog="\n".join(["commands:", *(f"  {name:<8} {text}" for name, text in COMMANDS.items())])
        + "\n\nMore on a command: invivo COMMAND --help. On the language: invivo help.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    return parser


# What takes the place of dtrace's letters after `invivo run`.
_OF_DTRACE = {
    "-n": "a program's text follows -e",
    "-s": "a program's file is named without a letter",
    "-l": "probes are listed by: invivo list PATTERN",
    "-v": "arguments of probes are listed by: invivo list -v PATTERN",
    "-P": "a program's text follows -e: -e PROVIDER:::",
    "-F": "the option is -x flowindent",
    "-Z": "the option is -x zdefs",
    "-b": "the option is -x bufsize=SIZE",
}


def _hint_for(parser: argparse.ArgumentParser, message: str) -> str:
    import difflib

    wrong = message.partition("unrecognized arguments: ")[2].split()
    if wrong and parser.prog == "invivo run" and (ours := _OF_DTRACE.get(wrong[0][:2])) and wrong[0][1] != "-":
        return f"{ours}; the letters of dtrace are those of: invivo dtrace"
    if wrong and wrong[0].startswith("-"):
        known = [option for action in parser._actions for option in action.option_strings]
        if close := difflib.get_close_matches(wrong[0].partition("=")[0], known, 1):
            return f"did you mean {close[0]}?"
    return f"see: {parser.prog} --help"


def _module(name: str) -> Command:
    if name == "run":
        import invivo.cli.run as run

        return run
    if name == "flame":
        import invivo.cli.flame as flame

        return flame
    if name == "dtrace":
        import invivo.cli.dtrace as dtrace

        return dtrace
    if name == "strace":
        import invivo.cli.strace as strace

        return strace
    if name == "list":
        import invivo.cli.list as list_

        return list_
    if name == "doctor":
        import invivo.cli.doctor as doctor

        return doctor
    import invivo.cli.help as help_

    return help_
