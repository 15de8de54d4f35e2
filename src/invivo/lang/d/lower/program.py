"""A whole text to a typed program: parse, declare, lower each clause for each of its contexts, complete.

compile_text(SourceFile("<-e>", 'BEGIN { exit(0); }'), types=..., catalog=..., macros=..., options={})  ->  Program
"""

from __future__ import annotations

from collections.abc import Mapping

from invivo.diagnostics import Diagnostics
from invivo.errors import OptionError
from invivo.lang.d import syntax
from invivo.lang.d.lower import coerce, ctypes, late, probes, statements, symbols, translators, variables
from invivo.lang.d.lower.clause import ClauseState
from invivo.lang.d.lower.expressions import lower
from invivo.lang.d.lower.folders import folder_declarations
from invivo.lang.d.lower.library import attach_library
from invivo.lang.d.lower.options import options_of
from invivo.lang.d.lower.pragmas import check_pragmas, version_of
from invivo.lang.d.lower.reads import Reads, reads_of, walk
from invivo.lang.d.lower.stability import clause_stability
from invivo.lang.d.lower.state import Abandoned, LeadsElsewhere, ProgramState, VariableState, is_of_library
from invivo.lang.d.macros import MacroValues
from invivo.lang.d.parser import parse
from invivo.program.attach import Once, Timer
from invivo.program.clauses import Clause, Context, Probe, Program
from invivo.program.nodes import Call, Compare, Expr, IntLit, Logical, Variable
from invivo.program.sources import ProbeCatalog, TypeSource
from invivo.program.stability import ClauseStability
from invivo.program.types import INT, INT64
from invivo.source import SourceFile, Span
from invivo.value import replaced

__all__ = ["compile_text"]


def compile_text(
    source: SourceFile,
    *,
    types: TypeSource,
    catalog: ProbeCatalog,
    macros: MacroValues,
    options: Mapping[str, str | None],
    programs: TypeSource | None = None,
    looks_inside: bool = False,
) -> Program:
    """The typed program of a D text. `options` are those of the command line, as written; `types` are the kernel's,
    `programs` those of the process that is traced, which come first where a dump looks inside it.

    Raises:
        CompileError: The text is wrong; all that is wrong with it, as far as could be seen.
        OptionError: An option of the command line or the environment is wrong, or an argument is not used.
        RightsError: The kernel does not let this user see the probes that the text names.
    """
    own_pointers: frozenset[tuple[str, int]] = frozenset()
    while True:  # each time again there is one more of them
        try:
            return _compile(source, types, catalog, macros, options, programs, looks_inside, own_pointers)
        except LeadsElsewhere as found:
            own_pointers |= {found.pointer}


def _compile(
    source: SourceFile,
    types: TypeSource,
    catalog: ProbeCatalog,
    macros: MacroValues,
    options: Mapping[str, str | None],
    programs: TypeSource | None,
    looks_inside: bool,
    own_pointers: frozenset[tuple[str, int]],
) -> Program:
    diagnostics = Diagnostics()
    script = parse(source, diagnostics)
    diagnostics.check()
    pragmas = [d for d in script.declarations if isinstance(d, syntax.Pragma)]
    values = options_of(pragmas, options, diagnostics)
    macros.has_defaults = bool(values["defaultargs"])
    catalog.is_following = bool(values["follow"])
    state = ProgramState(
        diagnostics, types, catalog, macros, values,
        programs=programs, own_pointers=own_pointers, looks_inside=looks_inside,
    )  # fmt: skip
    check_pragmas(script, diagnostics, state.attributes, state.bindings)
    if not values["nolibs"]:
        attach_library(state, _declare)
    for declaration in (*folder_declarations(state), *script.declarations):
        try:
            if not _is_too_new(state, declaration):
                _declare(state, declaration)
        except Abandoned:
            continue
    clauses = [d for d in script.declarations if isinstance(d, syntax.ClauseDecl)]
    if not clauses and not diagnostics.errors and not values["empty"]:
        diagnostics.error("D_EMPTY", Span(source, 0, len(source.text.split("\n")[0])), "the program has no probes",
                          "for instance: BEGIN { trace(pid); exit(0); }")  # fmt: skip
    lowered: list[Clause] = []
    lowered_late = late.Lowered()
    locals_: list[Variable] = []
    stability: list[ClauseStability] = []
    for index, clause in enumerate(clauses):
        made = _clause(state, clause, index, locals_)
        lowered += made
        lowered_late.add(state, clause, index, locals_, _lower)
        providers = sorted({probe.provider for each in made for probe in each.probes})
        stability.append(clause_stability(state, clause, providers))
    state.seal()
    _check_destructive(state)
    diagnostics.check()
    if not values["argref"]:
        _check_arguments(macros)
    return replaced(_program(state, lowered, locals_, stability), late=tuple(lowered_late.clauses),
                    never_late=tuple(lowered_late.refused))  # fmt: skip


def _is_too_new(state: ProgramState, declaration: syntax.TopLevel) -> bool:
    """Whether a function or inline is bound to a later version of D than option version asks for: it is not there."""
    asked = str(state.options["version"])
    match declaration:
        case syntax.FunctionDecl(name) | syntax.InlineDecl(syntax.Declarator(name=name)):
            return bool(asked) and state.bindings.get(str(name), (0,)) > version_of(asked)
    return False


def _declare(state: ProgramState, declaration: syntax.TopLevel) -> None:
    """Put what a declaration outside of clauses declares into the program."""
    match declaration:
        case syntax.FunctionDecl(name):
            _once(state, name, name in state.functions, declaration.span)
            if not is_of_library(declaration.span):
                symbols.check_parameters(state, declaration.parameters, "function")
            state.functions[name] = declaration
        case syntax.InlineDecl(declarator):
            _once(state, declarator.name, declarator.name in state.inlines, declaration.span)
            if not is_of_library(declaration.span):
                symbols.check_parameters(state, declaration.parameters, "inline")
            state.inlines[declarator.name] = declaration
        case syntax.TranslatorDecl(output):
            if not is_of_library(declaration.span):
                translators.check(state, declaration)
            state.translators.setdefault(translators.output_name(output), []).append(declaration)
        case syntax.Declaration(storage, base, declarators):
            if storage == "typedef":
                for declarator in declarators:
                    type_ = ctypes.declared_type(state, base, declarator)
                    if state.typedefs.setdefault(declarator.name, type_) != type_:
                        message = f"'{declarator.name}' is declared twice, with different types"
                        state.error("D_DECL_TYPERED", declarator.span, message)
            elif not declarators and isinstance(base.tagged, syntax.StructDecl) and base.tagged.members is None:
                ctypes.declare_ahead(state, base.tagged)
            elif not declarators:
                ctypes.declared_type(state, base, base.declarator)
                if base.tagged is None:
                    state.error("D_DECL_USELESS", declaration.span, "this declares nothing", "a name is missing")
            else:
                variables.declare(state, declaration)
        case syntax.ClauseDecl() | syntax.Pragma():
            return


def _once(state: ProgramState, name: str, is_known: bool, span: Span) -> None:
    if is_known:
        state.error("D_DECL_IDRED", span, f"'{name}' is defined twice")


def _clause(state: ProgramState, clause: syntax.ClauseDecl, index: int, locals_: list[Variable]) -> list[Clause]:
    """One clause, lowered for each context that makes a difference to it."""
    state.descriptions.clear()
    is_wrong = False
    try:
        matched = probes.match(state, clause.probes)
    except Abandoned:
        # What the clause does is looked at all the same: one run shows as many errors as it can.
        matched, is_wrong = [], True
    reads = reads_of(state, clause)
    groups = probes.by_context(matched, reads)
    if not groups and reads is Reads.NOTHING:
        groups = [(_UNKNOWN, [])]
    elif is_wrong:
        _assume(state, clause)
    lowered = []
    for context, members in groups:
        c = ClauseState(state, context, index)
        state.context = context
        try:
            made = _lower(c, clause, members)
        finally:
            state.context = None
        locals_ += c.locals
        if made is not None and members:
            lowered.append(made)
    return lowered


def _assume(state: ProgramState, clause: syntax.ClauseDecl) -> None:
    """Let what a clause without probes assigns count as known, so that its one error is one."""
    for node in walk(clause.body):
        match node:
            case syntax.AssignOp(target=target) | syntax.PrefixOp(operand=target) | syntax.PostfixOp(operand=target):
                while isinstance(target, syntax.IndexOp | syntax.MemberOp):
                    target = target.operand
                if isinstance(target, syntax.AggRef):
                    state.aggregation(target.name, target.span).is_bad = True
                elif isinstance(target, syntax.Name):
                    key = (variables.SCOPES[target.scope], target.name)
                    state.variables.setdefault(key, VariableState(None, target.span))


_UNKNOWN = Context("a probe that does not exist")


def _lower(c: ClauseState, clause: syntax.ClauseDecl, members: list[Probe]) -> Clause | None:
    is_complete, predicate = _predicate(c, clause, is_last_try=False)
    with c.block() as made:
        if clause.body:
            statements.statements(c, clause.body)
        else:
            c.emit_default(clause.span)
    if not is_complete:
        is_complete, predicate = _predicate(c, clause, is_last_try=True)
    if not is_complete:
        return None
    predicate = _on_one_cpu(c, members, predicate, clause.span)
    return Clause(c.index, tuple(members), c.context, predicate, made[0], clause.span)


def _predicate(c: ClauseState, clause: syntax.ClauseDecl, *, is_last_try: bool) -> tuple[bool, Expr | None]:
    """Whether the predicate is right, and what it is.

    A variable that it reads may get its type in the clause's own body, as in `/!seen/ { seen = 1; }`: so names that it
    does not know are an error at the last try only, after the body.
    """
    if clause.predicate is None:
        return True, None
    found, known = c.program.diagnostics.found, c.program.variables
    reported, before = len(found), set(known)
    try:
        return True, coerce.scalar(c, lower(c, clause.predicate), "a predicate", "D_PRED_SCALAR")
    except Abandoned:
        if not is_last_try and all(each.code in _UNKNOWN_NAMES for each in found[reported:]):
            del found[reported:]
            for name in set(known) - before:  # what is assigned from something unknown: it has no type yet
                del known[name]
    return False, None


_UNKNOWN_NAMES = ("D_IDENT_UNDEF", "D_VAR_UNDEF")


def _check_destructive(state: ProgramState) -> None:
    if state.options["destructive"]:
        return
    for name, span in state.destructive:
        state.report(
            "D_DESTRUCTIVE", span, f"destructive actions are not allowed: {name} changes what is traced, or the system",
            "-w allows them, and so does #pragma D option destructive",
        )  # fmt: skip


def _on_one_cpu(c: ClauseState, members: list[Probe], predicate: Expr | None, span: Span) -> Expr | None:
    """The predicate that option cpu adds to clauses of probes that fire where they happen: not to those that invivo
    fires itself, on whatever CPU it runs."""
    wanted = int(c.program.options["cpu"])
    if wanted < 0 or any(isinstance(probe.attach, Once | Timer) for probe in members):
        return predicate
    here = Compare("==", Call("cpu", (), INT64, span), IntLit(wanted, INT64, span), INT, span)
    return here if predicate is None else Logical("&&", here, predicate, INT, span)


def _check_arguments(macros: MacroValues) -> None:
    unused = macros.unused_arguments()
    if unused:
        text = macros.arguments[int(unused[0]) - 1]
        error = OptionError(
            f"extraneous argument '{text}' (${unused[0]} is not referenced in the program)",
            "arguments after the program are $1, $2 ...; quote a program that has blanks",
        )
        error.code = "D_MACRO_UNUSED"
        raise error


def _program(
    state: ProgramState, clauses: list[Clause], locals_: list[Variable], stability: list[ClauseStability]
) -> Program:
    used = dict.fromkeys(probe for clause in clauses for probe in clause.probes)
    ordered = sorted(used, key=state.catalog.position)
    return Program(
        clauses=tuple(c for c in clauses if not c.context.is_error),
        error_clauses=tuple(c for c in clauses if c.context.is_error),
        probe_ids={probe: number for number, probe in enumerate(ordered, start=1)},
        variables=(*(v.node for v in state.variables.values() if v.node is not None), *locals_),
        aggregations=tuple(a.node for a in state.aggregations.values() if a.node is not None),
        records=tuple(state.records),
        strings=tuple(state.strings),
        options=dict(state.options),
        stability=tuple(stability),
        warnings=tuple(state.diagnostics.warnings),
        listed_ids={probe: state.catalog.number(probe) for probe in ordered},
    )
