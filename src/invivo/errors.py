"""Every exception that invivo raises, in one tree.

    InvivoError
    ├── CompileError       the program is wrong; carries diagnostics with spans
    ├── OptionError        a command-line option, environment variable or -x value is wrong
    ├── RightsError        the kernel or its configuration refuses; carries what to do about it
    ├── TargetError        the command or process to trace cannot be started, found or read
    ├── UnsupportedError   this kernel or engine lacks what the program needs
    └── KernelError        a system call failed (also an OSError)
        └── VerifierError  the BPF verifier rejected a program; carries its log

The message of each is written for the person at the terminal: what was tried, on what, why it failed, what to do.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.diagnostics import Diagnostic

_EMFILE = 24

__all__ = [
    "CompileError",
    "InvivoError",
    "KernelError",
    "OptionError",
    "RightsError",
    "TargetError",
    "UnsupportedError",
    "VerifierError",
]


class InvivoError(Exception):
    """The base of all; `hint` says what to do, or is empty. `code` is DTrace's tag of an error of a program that has no
    place in its text, or empty."""

    code = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class CompileError(InvivoError):
    """The program has errors; `diagnostics` has them all, in the order of the text."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = self.diagnostics[0].message if self.diagnostics else "the program does not compile"
        super().__init__(first)

    def __str__(self) -> str:
        from invivo.diagnostics import render

        return "\n".join(render(diagnostic) for diagnostic in self.diagnostics)


class OptionError(InvivoError):
    """An option's name or value is not known."""


class RightsError(InvivoError):
    """A right, a mount or a kernel setting is missing."""


class TargetError(InvivoError):
    """The process or command to be traced cannot be had."""


class UnsupportedError(InvivoError):
    """This kernel (or the chosen engine) cannot do what the program asks."""


class KernelError(InvivoError, OSError):
    """System call `call` on `what` failed with `errno`.

    >>> str(KernelError(22, "bpf(BPF_MAP_CREATE)", "map 'counts'"))
    "bpf(BPF_MAP_CREATE) of map 'counts': Invalid argument (errno 22)"
    """

    def __init__(self, errno: int, call: str, what: str, hint: str = "") -> None:
        if errno == _EMFILE and not hint:
            hint = "each probe and map takes a descriptor; how many there may be: ulimit -n, and at most: ulimit -Hn"
        InvivoError.__init__(self, f"{call} of {what}: {os.strerror(errno)} (errno {errno})", hint)
        self.errno = errno
        self.call = call
        self.what = what


class VerifierError(KernelError):
    """The verifier refused a program: `line` is its one useful line, `log` all of it; `instruction` is the one that it
    stopped at, or -1, and `unit` the name of what it belongs to, where that is known."""

    def __init__(self, errno: int, what: str, line: str, log: str, instruction: int = -1) -> None:
        super().__init__(errno, "bpf(BPF_PROG_LOAD)", what)
        self.line = line
        self.log = log
        self.instruction = instruction
        self.unit = ""
        self.message = f"the kernel's verifier rejects {what}: {line}"
