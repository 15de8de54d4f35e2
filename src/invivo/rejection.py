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
    from collections.abc import Iterator

    from invivo.compiler import Request
    from invivo.program.plan import Plan
    from invivo.source import Span

__all__ = ["explained", "with_shorter_loops"]

# What the verifier followed of programs with loops in loops and calls of functions in them.
_ROUNDS = (256, 64)

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


def with_shorter_loops(request: Request, plan: Plan, *, isolate: bool) -> Iterator[Plan]:
    """Plans of the same program whose loops are stopped after fewer rounds, for a kernel without may_goto, which has to
    follow each of them; none where that makes no difference."""
    from invivo.compiler import plan_for

    if any(relocation.kind == "may_goto" for unit in plan.units for relocation in unit.relocations):
        return
    for rounds in _ROUNDS:
        if rounds >= int(plan.options.get("maxloop", 0)):
            continue
        options = {**request.options, "maxloop": str(rounds)}
        other = plan_for(request.with_options(options), isolate=isolate, use_cache=False)
        if [unit.code for unit in other.units] == [unit.code for unit in plan.units]:
            return
        told = (
            f"invivo: this kernel has no may_goto, its verifier follows every round of a loop: loops are stopped after "
            f"{rounds} rounds; -x maxloop=NUMBER sets another number"
        )
        yield other._replace(warnings=(*other.warnings, told))


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
