"""`invivo dtrace`: a command line in, an exit status out: 0 or what exit() was given, 1 after an error, 2 for usage."""

from __future__ import annotations

import sys

from invivo.cli.dtrace import messages, programs
from invivo.cli.dtrace.arguments import Arguments, parse, usage
from invivo.cli.dtrace.preprocess import Macros
from invivo.cli.streams import OpenOutput, stop_on_signals, tell
from invivo.compiler import Request, plan_for
from invivo.errors import CompileError, InvivoError, OptionError
from invivo.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from invivo.cli.dtrace.programs import Assembly
    from invivo.consumer.output import Output
    from invivo.program.plan import Plan

__all__ = ["main", "run"]

_REFUSED = {
    "32": "-32: the kernel's data is 64-bit, and so are programs",
    "a": "-a: Linux has no anonymous tracing; start tracing from a service that comes early in the boot",
    "A": "-A: Linux has no anonymous tracing; start tracing from a service that comes early in the boot",
    "G": "-G: programs register no probes with the kernel on Linux, so there is no object to link; "
         "the header that -h writes is all that a program needs (or <sys/sdt.h>)",
}  # fmt: skip
# Options of DTrace that are letters of the command line.
_LETTERS = {"cpp": "C", "cpphdrs": "H"}
_SHOWN = {"tree": "tree", "disasm": "S", "verbose": "S"}
_MACROS = {"define": "D", "undef": "U"}


def main(words: Sequence[str]) -> int:
    """Carry out the command line `words`; returns the exit status.

    Raises:
        OSError: Output cannot be written.
    """
    try:
        arguments = parse(words)
    except OptionError as error:
        tell(f"dtrace: {error.message}\n{usage()}")
        return 2
    if arguments.is_help:
        from invivo.cli.main import parser_of

        parser_of("dtrace").print_help()
        return 0
    try:
        return _carry_out(arguments)
    except CompileError as error:
        tell(f"dtrace: {error.message}")
        return 1
    except InvivoError as error:
        tag = f"[{error.code}] " if error.code and ("errtags", None) in arguments.options else ""
        tell(f"dtrace: {tag}{error.message}" + (f"\ndtrace: hint: {error.hint}" if error.hint else ""))
        return 1


def run(namespace: argparse.Namespace) -> int:
    """What argparse would call; it only prints the help of this command."""
    return main(namespace.words)


def _carry_out(arguments: Arguments) -> int:
    for letter, reason in _REFUSED.items():
        if letter in arguments.letters:
            raise InvivoError(reason)
    if "V" in arguments.letters:
        from invivo import __version__

        print("dtrace: invivo D 2.0")
        if "v" in arguments.letters:
            print(f"This is invivo {__version__}")
        return 0
    options = _options(arguments)
    if not arguments.programs:
        if "l" in arguments.letters:
            from invivo.cli.dtrace import listing

            with OpenOutput(arguments.output) as stream:
                listing.print_all("v" in arguments.letters, stream.fileno())
            return 0
        tell(usage())
        return 2
    if "h" in arguments.letters:
        from invivo.cli.dtrace import header

        header.write(arguments.programs, arguments.output)
        return 0
    assembly = _assembly(arguments)
    try:
        if "tree" in arguments.letters:
            _show_tree(Request(assembly.text, assembly.name, arguments.words, options))
        if "l" in arguments.letters:
            return _list(arguments, assembly)
        if "e" in arguments.letters:
            plan = plan_for(Request(assembly.text, assembly.name, arguments.words, options), isolate=True)
            _show(plan, arguments, assembly, 1, is_compiled_only=True)
            return 0
        return _trace(arguments, assembly, options)
    except CompileError as error:
        tell(f"dtrace: {messages.compile_error(error, assembly, has_tags='errtags' in options)}")
        return 1
    except OptionError as error:
        if not error.code:
            raise
        tell(f"dtrace: {messages.program_error(error, assembly, has_tags='errtags' in options)}")
        return 1


def _options(arguments: Arguments) -> dict[str, str | None]:
    """The options of the programs. Those that are letters become letters.

    Raises:
        OptionError: There is no such option, or not with that value.
    """
    from invivo.program.options import parse_option

    options: dict[str, str | None] = {}
    for name, value in arguments.options:
        if name in _LETTERS:
            arguments.letters.add(_LETTERS[name])
        elif name in _MACROS and value:
            arguments.macros.append(_MACROS[name] + value)
        elif name == "incdir" and value:
            arguments.includes.append(value)
        elif name == "stdc" and value in ("a", "c", "s", "t"):
            arguments.standard = value
        elif name == "cppargs" and value:
            _add_words(arguments, value)
        elif name in _SHOWN:
            arguments.letters.add(_SHOWN[name])
        else:
            try:
                parse_option(name, value)
            except OptionError as error:
                shown = f"{name}={value}" if value is not None else name
                reason = "Invalid option name" if "unknown option" in error.message else error.message
                raise OptionError(f"failed to set -x {shown}: {reason}", error.hint) from None
            options[name] = value
    if arguments.libraries:
        options["libdir"] = ":".join(arguments.libraries)
    return options


def _add_words(arguments: Arguments, value: str) -> None:
    """Words for a preprocessor, as option cppargs has them.

    Raises:
        OptionError: One is not -D, -U or -I with its value.
    """
    for word in value.split():
        if word[:2] in ("-D", "-U") and word[2:]:
            arguments.macros.append(word[1:])
        elif word[:2] == "-I" and word[2:]:
            arguments.includes.append(word[2:])
        else:
            raise OptionError(f"failed to set -x cppargs={value}: '{word}' is not understood", "-DNAME -UNAME -IFOLDER")


def _assembly(arguments: Arguments) -> Assembly:
    if "C" not in arguments.letters:
        return programs.assemble(arguments.programs)
    macros = Macros(arguments.macros, arguments.includes, arguments.standard)
    return programs.assemble(arguments.programs, macros, tell if "H" in arguments.letters else None)


def _show_tree(request: Request) -> None:
    """-xtree: the typed program, on standard error."""
    from invivo.compiler import typed_program
    from invivo.program.pprint import program_text

    tell(program_text(typed_program(request).program))


def _list(arguments: Arguments, assembly: Assembly) -> int:
    from invivo.cli.dtrace import listing

    pid = _pid(arguments.pids[0]) if arguments.pids else 0
    with OpenOutput(arguments.output) as stream:
        listing.print_described(assembly, arguments.words, "v" in arguments.letters, pid, stream.fileno())
    return 0


def _trace(arguments: Arguments, assembly: Assembly, options: dict[str, str | None]) -> int:
    commands = [command.split() for command in arguments.commands]
    pids = [_pid(text) for text in arguments.pids]
    with OpenOutput(arguments.output) as stream:
        session = Session(
            Request(assembly.text, assembly.name, arguments.words, options),
            command=commands[0] if commands else None,
            pid=pids[0] if pids and not commands else None,
            further=[*commands[1:], *(pids if commands else pids[1:])],
            output=_output_maker(arguments, assembly, options, stream.fileno()),
            isolate=True,
            tell=tell,
        )
        restore = stop_on_signals(session)
        try:
            with session:
                return session.wait()
        finally:
            restore()


def _pid(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 1 << 31:
        return int(text)
    raise InvivoError(f"invalid pid: {text}")


def _output_maker(
    arguments: Arguments, assembly: Assembly, options: dict[str, str | None], fd: int
) -> Callable[[Plan], Output]:
    def make(plan: Plan) -> Output:
        from invivo.output.text import TextOutput

        is_quiet = plan.options.get("quiet")
        if not is_quiet:
            for message in messages.matched(plan, assembly):
                tell(f"dtrace: {message}")
        if plan.options.get("destructive") and not is_quiet:
            tell("dtrace: allowing destructive actions")
        _show(plan, arguments, assembly, fd)
        return TextOutput(plan, fd, wording=messages.DtraceWording(bool(plan.options.get("droptags"))))

    return make


def _show(plan: Plan, arguments: Arguments, assembly: Assembly, fd: int, *, is_compiled_only: bool = False) -> None:
    """What -S shows of a compiled program on standard error, and -v in the output; with -e of single probes too."""
    if "S" in arguments.letters:
        from invivo.engines.kernel.disassembly import plan_text

        sys.stdout.flush()
        tell(plan_text(plan))
    if "v" in arguments.letters:
        from invivo.cli.dtrace.listing import details_of
        from invivo.output.stream import write_all

        texts = messages.stability(plan, assembly, details_of if is_compiled_only else None)
        write_all(fd, "".join(texts).encode("utf-8", "surrogateescape"))
