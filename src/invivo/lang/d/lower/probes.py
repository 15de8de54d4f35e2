"""Probe descriptions: text to patterns to probes, and which of them can share one lowering of their clause.

syscall::read:entry     ProbePattern("syscall", "", "read", "entry"), one probe
tick-1s                 ProbePattern("", "", "", "tick-1s")
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.errors import InvivoError, RightsError, TargetError
from invivo.lang.d import syntax
from invivo.lang.d.lower.reads import Reads
from invivo.lang.d.lower.state import Abandoned, ProgramState
from invivo.program.clauses import Context, Probe
from invivo.program.sources import ProbePattern

__all__ = ["by_context", "late", "match"]


def match(state: ProgramState, specs: Sequence[syntax.ProbeSpec]) -> list[Probe]:
    """The probes of a clause, each once, in the order in which they are described.

    Raises:
        Abandoned: A description is wrong or matches nothing; all of them have been looked at and reported.
        RightsError: The kernel does not let this user look.
    """
    found: dict[Probe, None] = {}
    is_complete = True
    for spec in specs:
        try:
            found.update(dict.fromkeys(_match(state, spec)))
        except Abandoned:
            is_complete = False
    if not is_complete:
        raise Abandoned
    return list(found)


def _match(state: ProgramState, spec: syntax.ProbeSpec) -> Sequence[Probe]:
    text, undefined = state.macros.expand(spec.text)
    for name in undefined:
        if name in state.undefined:  # a script wants its arguments at many probes, and says it once
            raise Abandoned
        state.undefined.add(name)
        hint = "arguments follow the program on the command line" if name.isdigit() else ""
        state.error("D_MACRO_UNDEF", spec.span, f"macro argument ${name} is not defined", hint)
    fields = text.split(":")
    if len(fields) > 4:
        hint = "provider:module:function:name"
        if "" in fields[3:-1]:
            hint += f"; C++ names are mangled in the file, so write *{'*'.join(filter(None, fields[2:-1]))}*"
        message = f"a probe description has at most four fields, '{text}' has {len(fields)}"
        state.error("D_PDESC_INVAL", spec.span, message, hint)
    if text.isascii() and text.isdigit():
        probe = _numbered(state, spec, text)
        state.descriptions.append(((probe.provider, probe.module, probe.function, probe.name), 1))
        return [probe]
    fields = [""] * (4 - len(fields)) + fields
    pattern = ProbePattern(*fields)
    try:
        probes = state.catalog.match(pattern)
    except RightsError:
        raise
    except TargetError as error:
        state.error("D_PROC_GRAB", spec.span, error.message, error.hint)
    except InvivoError as error:
        state.error("D_PDESC_INVAL", spec.span, error.message, error.hint)
    if fields[0] in ("pid0", "pid$target"):
        hint = "$target is the process of -c or -p" if "$target" in spec.text else ""
        state.error("D_PROC_BADPID", spec.span, f"'{fields[0]}' names no process", hint)
    if not probes and not state.options["zdefs"]:
        hint = state.catalog.suggest(pattern)
        if pattern.provider and state.catalog.late(pattern):
            hint += "; -x zdefs goes on without, until a file is loaded that has it"
        state.error("D_PDESC_ZERO", spec.span, f"no probe matches '{text}'", hint)
    state.descriptions.append((tuple(fields), len(probes)))
    return probes


def late(state: ProgramState, specs: Sequence[syntax.ProbeSpec]) -> list[Probe]:
    """What stands for probes of a clause, whose descriptions match() has looked at, in files that are mapped later."""
    found: dict[Probe, None] = {}
    for spec in specs:
        fields = state.macros.expand(spec.text)[0].split(":")
        pattern = ProbePattern(*[""] * (4 - len(fields)), *fields)
        if pattern.provider:
            found.update(dict.fromkeys(state.catalog.late(pattern)))
    return list(found)


def _numbered(state: ProgramState, spec: syntax.ProbeSpec, text: str) -> Probe:
    """The probe that a number names."""
    found = state.catalog.numbered(int(text)) if len(text) < 10 else None
    if found is None:
        state.error("D_PDESC_ZERO", spec.span, f"no probe has the number {text}", "numbers are shown by: invivo list")
    return found


def by_context(probes: Sequence[Probe], reads: Reads) -> list[tuple[Context, list[Probe]]]:
    """The probes in groups for which a clause means the same, each with the Context to lower it for."""
    groups: dict[object, tuple[Context, list[Probe]]] = {}
    for probe in probes:
        groups.setdefault(_group(probe.context, reads), (probe.context, []))[1].append(probe)
    return list(groups.values())


def _group(context: Context, reads: Reads) -> object:
    if reads is Reads.ARGS:
        return id(context)
    if reads is Reads.WORDS:
        return id(context) if context.family is None else id(context.family)
    # Nothing of the context is read but, where there is one, its own idea of the running thread.
    return (id(context) if context.current is not None else None, context.is_error)
