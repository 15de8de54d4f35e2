"""The command `invivo`: finds the sub-command, and turns every error into words and an exit status.

Exit status: 0 or what the program's exit() gave; 1 after an error; 2 if the command line itself is wrong.
"""

from __future__ import annotations

import os
import sys

from invivo.errors import CompileError, InvivoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["main"]

_COMMANDS = {
    "run": "run a D program: trace, and print the answer",
    "list": "list probes that match a pattern",
    "doctor": "what this machine and this user may do, and what mends it",
    "help": "options, variables, functions and actions of the language",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name); returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except CompileError as error:
        print(error, file=sys.stderr)
        count = len(error.diagnostics)
        print(f"invivo: {count} error{'s' if count != 1 else ''}; nothing was traced", file=sys.stderr)
    except InvivoError as error:
        print(f"invivo: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more to say, and not at interpreter exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    return 1


def _dispatch(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if name in ("--version", "-V"):
        from invivo import __version__

        print(f"invivo {__version__}")
        return 0
    parser = _parser(name)
    namespace = parser.parse_args(arguments)
    status: int = namespace.carry_out(namespace)
    return status


def _parser(chosen: str) -> argparse.ArgumentParser:
    """The parser; only the chosen command's module is imported."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="invivo", description="Ask running software a question; it answers without stopping."
    )
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == chosen:
            module = _module(name)
            module.add_arguments(command)
            command.set_defaults(carry_out=module.run)
    return parser


def _module(name: str):  # type: ignore[no-untyped-def]  # four modules of one shape
    if name == "run":
        from invivo.cli import run as module
    elif name == "list":
        from invivo.cli import list as module
    elif name == "doctor":
        from invivo.cli import doctor as module
    else:
        from invivo.cli import help as module
    return module
