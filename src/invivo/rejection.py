"""A program that the kernel's verifier refused, explained: the line of D that it is about, and what may be done.

    x.d:5:9: error[VERIFIER]: the kernel's verifier refuses what was made of this: R0 invalid mem access 'scalar'
            trace(rand());
                  ~~~~~~
    hint: ...

In: the verifier's error, and what was compiled. The program is compiled once more, the same but with places; see
codegen.places. Where that yields no place, the error keeps its one line.
"""

from __future__ import annotations

from invivo.errors import InvivoError, VerifierError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.compiler import Request
    from invivo.program.plan import Plan
    from invivo.source import Span

__all__ = ["explained"]

# What the verifier says of programs that are too much for it (kernel/bpf/verifier.c), and not wrong.
_TOO_MUCH = ("too large", "too complex", "too many", "Processed ", "infinite loop")


def explained(error: VerifierError, request: Request, plan: Plan) -> VerifierError:
    """The same error with the place in the text, a hint, and (option bpflog) the verifier's log."""
    from invivo.diagnostics import Diagnostic, render

    if any(words in error.line for words in _TOO_MUCH):
        error.hint = "it is more than the verifier follows: make the clause shorter, or its loops fewer or less deep"
    else:
        error.hint = "this is a flaw of invivo, not of your program; said in other words it may pass"
    log = ""
    if plan.options.get("bpflog"):
        size = int(plan.options.get("bpflogsize", 0))
        log = f"the verifier's log:\n{error.log[-size:] if size else error.log}".rstrip() + "\n"
    else:
        error.hint += "; -x bpflog shows the verifier's log"
    if (span := _place(error, request, plan)) is not None:
        message = f"the kernel's verifier refuses what was made of this: {error.line}"
        error.message = render(Diagnostic("VERIFIER", span, message))
    if log:
        error.message = f"{log}{error.message}"
    return error


def _place(error: VerifierError, request: Request, plan: Plan) -> Span | None:
    """The place in the text of the instruction that was refused; None if it cannot be told."""
    from invivo.codegen.places import Places
    from invivo.compiler import compile_now

    if error.instruction < 0:
        return None
    places = Places()
    try:
        again = compile_now(request, places)
    except InvivoError:
        return None
    codes = [{unit.name: unit.code for unit in each.units}.get(error.unit) for each in (plan, again)]
    return places.span(error.unit, error.instruction) if codes[0] == codes[1] else None
