"""What `invivo dtrace` says, in dtrace's words.

    compile_error(error, assembly, has_tags=True)
    "failed to compile script x.d: [D_OP_LVAL] line 3: operator = requires ..."
    "invalid probe specifier BEGIN { 1 = 2; }: in action list: ..."

    DtraceWording(has_tags=False).fault(fault, True)
    "error in dt_clause_0 for probe ID 1 (dtrace:::BEGIN): divide-by-zero at x.d:3:9"

Source of the forms: dtrace(8), and what it prints.
"""

from __future__ import annotations

from invivo.output.wording import Wording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from invivo.cli.dtrace.programs import Assembly, Part
    from invivo.consumer.drops import Drop
    from invivo.consumer.faults import Fault
    from invivo.diagnostics import Diagnostic
    from invivo.errors import CompileError, InvivoError
    from invivo.program.plan import Plan
    from invivo.program.stability import Attributes

__all__ = ["DROP_TAGS", "DtraceWording", "attributes_text", "compile_error", "matched", "program_error", "stability"]

# By the consumer's kind of loss; losses that DTrace does not have carry no tag.
DROP_TAGS = {
    "principal": "PRINCIPAL",
    "aggregation": "AGGREGATION",
    "aggregation_refused": "AGGREGATION",
    "dynamic": "DYNAMIC",
    "dynamic_refused": "DYNAMIC",
    "speculative": "SPEC",
    "speculation": "SPECUNAVAIL",
}
# Losses that DTrace words otherwise.
_DROPS = {"speculation": " (no speculative buffer available)"}


class DtraceWording(Wording):
    """See the module. With `has_tags` (-x droptags), losses carry DTrace's tags."""

    program = "dtrace"

    def __init__(self, has_tags: bool) -> None:
        self._has_tags = has_tags

    def fault(self, fault: Fault, is_first: bool) -> str:
        number = fault.probe.id if fault.probe is not None else fault.probe_id
        probe = f" ({fault.probe})" if fault.probe is not None else ""
        site = fault.site
        if site is None:
            return f"error for probe ID {number}{probe}: {fault.reason}"
        where = f"{site.file}:{site.line}:{site.column}"
        return f"error in dt_clause_{site.clause} for probe ID {number}{probe}: {fault.reason} at {where}"

    def drop(self, drop: Drop) -> str:
        tag = DROP_TAGS.get(drop.kind)
        plain = str(drop._replace(hint="")) + _DROPS.get(drop.kind, "")
        text = f"[DTRACEDROP_{tag}] {plain}" if self._has_tags and tag else plain
        return f"{text}\ndtrace: hint: {drop.hint}" if drop.hint else text


def compile_error(error: CompileError, assembly: Assembly, has_tags: bool) -> str:
    """The first finding of an error, as one line, and a line with its hint."""
    first = error.diagnostics[0]
    part = assembly.part_at(first.span.start)
    if first.code == "D_EMPTY":
        return f"{_tag(first, has_tags)}no probes specified"
    if first.code == "D_DESTRUCTIVE":
        return f"could not enable tracing: Destructive actions not allowed\ndtrace: hint: {first.message}; {first.hint}"
    text = f"{_head(part)}: {_tag(first, has_tags)}{_place(first, assembly)}{_message(first)}"
    return f"{text}\ndtrace: hint: {first.hint}" if first.hint else text


def program_error(error: InvivoError, assembly: Assembly, has_tags: bool) -> str:
    """An error of the whole program, with its hint."""
    text = f"{_head(assembly.parts[-1])}: {_tag(error, has_tags)}{error.message}"
    return f"{text}\ndtrace: hint: {error.hint}" if error.hint else text


def _head(part: Part) -> str:
    return f"failed to compile script {part.name}" if part.is_script else f"invalid probe specifier {part.text}"


def _tag(found: Diagnostic | InvivoError, has_tags: bool) -> str:
    return f"[{found.code}] " if has_tags else ""


def _place(diagnostic: Diagnostic, assembly: Assembly) -> str:
    """Where: the line of a script, the part of a clause on the command line."""
    span = diagnostic.span
    part = assembly.part_at(span.start)
    line, _ = span.file.position(span.start)
    file = span.file.name_at(span.start)
    if part.is_script:
        return f"line {line}: " if file == part.name else f'"{file}", line {line}: '
    before = span.file.text[part.start : span.start]
    if "{" in before:
        return "in action list: "
    return "in predicate: " if "/" in before else ""


def _message(diagnostic: Diagnostic) -> str:
    if diagnostic.code != "D_PDESC_ZERO":
        return diagnostic.message
    fields = diagnostic.span.text.split(":")
    return f"probe description {':'.join([''] * (4 - len(fields)) + fields)} does not match any probes"


def matched(plan: Plan, assembly: Assembly) -> list[str]:
    """For each program of the command line how many probes it matched."""
    counts = dict.fromkeys(assembly.parts, 0)
    for clause in plan.clauses:
        counts[assembly.part_at(clause.start)] += clause.matched
    return [
        f"{'script' if part.is_script else 'description'} '{part.name}' matched {count} probe{'s' * (count != 1)}"
        for part, count in counts.items()
    ]


def stability(plan: Plan, assembly: Assembly, details: Callable[[str], str] | None = None) -> list[str]:
    """For each program of the command line how stable its probe descriptions are, and the names in its statements;
    then its descriptions, with the `details` of one that matches a single probe (-e)."""
    from invivo.program.stability import Attributes, Class, Level, least

    texts = []
    for part in assembly.parts:
        clauses = [clause for clause in plan.clauses if assembly.part_at(clause.start) is part]
        kind = "script" if part.is_script else "description"
        texts.append(f"\nStability attributes for {kind} {part.name}:\n\n")
        for title, field in (("Probe Description", "description"), ("Statement", "statement")):
            each = least(
                Attributes(Level(name), Level(data), Class(class_))
                for name, data, class_ in (getattr(clause, field) for clause in clauses)
            )
            texts.append(attributes_text(f"Minimum {title}", each) + "\n")
        if details is not None:
            described = [each for clause in clauses for each in clause.described]
            shown = [f"{text}\n{details(text)}" if count == 1 else f"{text}\n" for text, count in described]
            texts.append("\n".join(shown))
    return texts


def attributes_text(title: str, attributes: Attributes) -> str:
    """Three lines of a report, below a heading and above an empty line."""
    from invivo.program.stability import class_name

    return (
        f"\t{title} Attributes\n"
        f"\t\tIdentifier Names: {attributes.name.name.capitalize()}\n"
        f"\t\tData Semantics:   {attributes.data.name.capitalize()}\n"
        f"\t\tDependency Class: {class_name(attributes.class_)}\n"
    )
