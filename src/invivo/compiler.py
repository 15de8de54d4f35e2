"""From program text to a `Plan`, through the cache.

    text, arguments, options ──> key ──> cached plan? yes: unpickle (about a millisecond)
    files of $target ───────────/         no: parse, lower, generate, store

The cold way imports the front end, BTF and LLVM; the warm way none of them. With `isolate`, the cold way runs in a
forked child which hands the plan back through a pipe, so that LLVM's memory is gone when tracing starts.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import NamedTuple

from invivo.errors import CompileError, InvivoError
from invivo.program.consumer_ids import consumer_ids
from invivo.program.plan import ClauseInfo, Plan
from invivo.progress import wait_readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from invivo.codegen.places import Places
    from invivo.program.clauses import Program
    from invivo.program.sources import TypeSource
    from invivo.program.stability import Attributes
    from invivo.providers.catalog import Catalog
    from invivo.providers.kernel_types import KernelTypes

__all__ = ["Request", "TypedProgram", "plan_for", "store", "typed_program"]


class Request:
    """What to compile: `text` with the `name` that messages give it, macro arguments, options as written; and the ids
    of the process that will trace, which is the one that asks. `target_pid` is the process to be traced where that is
    known, else 0; `types` are files with types that the program may use (--types)."""

    __slots__ = ("arguments", "consumer", "name", "options", "target_pid", "text", "types")

    def __init__(
        self,
        text: bytes,
        name: str,
        arguments: Sequence[str] = (),
        options: Mapping[str, str | None] | None = None,
        types: Sequence[str] = (),
    ) -> None:
        self.text = text
        self.name = name
        self.arguments = tuple(arguments)
        self.options = dict(options or {})
        self.consumer = consumer_ids()
        self.target_pid = 0
        self.types = tuple(types)

    def with_options(self, options: Mapping[str, str | None]) -> Request:
        """The same with other options."""
        other = Request(self.text, self.name, self.arguments, options, self.types)
        other.consumer, other.target_pid = self.consumer, self.target_pid
        return other

    @property
    def needs_target(self) -> bool:
        """Whether the program can only be compiled when the process to be traced is there: `pid$target:...`."""
        return b"$target:" in self.text

    @property
    def files_of(self) -> int:
        """The process by whose mapped files the program is compiled, 0 if there is none."""
        return self.target_pid if self.needs_target else 0

    @property
    def may_dump(self) -> bool:
        """Whether the text may have a clause of `dump`; what it means is known when it is compiled."""
        import re

        return re.search(rb"\bdump\b\s*[:,/{]", self.text) is not None


def plan_for(request: Request, *, isolate: bool = False, use_cache: bool = True) -> Plan:
    """The compiled plan of a program.

    Raises:
        CompileError: The program is wrong; all diagnostics are in it.
        OptionError, RightsError, UnsupportedError: As their names say.
    """
    from invivo import plan_cache

    key = _key(request, _mapped(request)) if use_cache else None
    if key is not None and (plan := plan_cache.load(key, request.files_of)) is not None:
        return plan
    plan = _in_child(request) if isolate else compile_now(request)
    if use_cache:
        store(request, plan)
    return plan


def store(request: Request, plan: Plan) -> None:
    """Keep a plan in the cache, where it may be: it will be plan_for(request)."""
    from invivo import plan_cache

    if plan.dependencies is not None and not plan.options.get("libdir"):
        # For what the process had mapped when the compiler looked, which may be another program by now.
        key = _key(request, plan.dependencies.mapped)
        if key is not None:
            plan_cache.store(key, plan, request.files_of)


def _key(request: Request, mapped: str) -> bytes | None:
    """The key of a plan for a process that has `mapped` these files; None where the program cannot be kept."""
    from invivo import plan_cache

    if request.types or (request.needs_target and not mapped):
        return None
    return plan_cache.key_of(
        request.text, request.name, request.arguments, request.options, request.consumer, mapped
    )


def _mapped(request: Request) -> str:
    """The files that the target has mapped, where they matter."""
    if not request.files_of:
        return ""
    from invivo.symbols.objects import mapped_objects

    try:
        return repr(mapped_objects(request.files_of))
    except InvivoError:  # told by who compiles
        return ""


def compile_now(request: Request, places: Places | None = None) -> Plan:
    """Compile in this process, without the cache. `places` learns where in the text each instruction comes from."""
    from invivo import dependencies

    with dependencies.recorded(request.files_of) as recording:
        plan = _compiled(request, places)
    return plan._replace(dependencies=recording.dependencies())


def _compiled(request: Request, places: Places | None) -> Plan:
    from invivo.codegen import compile_program
    from invivo.codegen.formatter import compile_formatter
    from invivo.diagnostics import Diagnostic, render
    from invivo.engines.traits import kernel_traits
    from invivo.lang.d import compile_text
    from invivo.lang.d.decode import read_source
    from invivo.lang.d.macros import MacroValues
    from invivo.providers.catalog import Catalog
    from invivo.providers.kernel_types import KernelTypes
    from invivo.providers.user_types import UserTypes

    source = read_source(request.name, request.text)
    types = KernelTypes()
    traits = kernel_traits(types)
    programs = UserTypes(request.target_pid, request.types, types)
    catalog = Catalog(types, traits, request.target_pid, programs)
    macros = MacroValues(
        request.arguments, request.name, consumer=request.consumer, target_pid=request.target_pid
    )
    program = compile_text(
        source, types=types, catalog=catalog, macros=macros, options=request.options, programs=programs
    )
    plan = compile_program(program, traits, places)
    rendered = tuple(render(warning) for warning in program.warnings if isinstance(warning, Diagnostic))
    rendered += tuple(f"invivo: {note}" for note in catalog.notes())
    plan = plan._replace(text=_opening(source.text), warnings=rendered, clauses=_clauses(program))
    if plan.late is not None:  # its strings are not all known
        return plan._replace(late=plan.late._replace(known=catalog.known_files()), globs=_never_late(program, catalog))
    plan = plan._replace(globs=catalog.globs())
    return plan._replace(formatter=compile_formatter(plan))


class TypedProgram(NamedTuple):
    """A program that the process engine runs as it is: no code is generated for it. `types` are the kernel's, `text`
    and `clauses` as a Plan has them; `known_files` have been looked at for probes, `globs` mean what cannot have any in
    others."""

    program: Program
    types: KernelTypes
    text: str
    warnings: tuple[str, ...]
    clauses: tuple[ClauseInfo, ...]
    known_files: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()


def typed_program(request: Request, *, looks_inside: bool = False) -> TypedProgram:
    """The typed program, for an engine that needs neither code nor rights. With `looks_inside` it is a dump's.

    Raises:
        CompileError: The program is wrong; all diagnostics are in it.
        OptionError, UnsupportedError: As their names say.
    """
    from invivo.diagnostics import Diagnostic, render
    from invivo.lang.d import compile_text
    from invivo.lang.d.decode import read_source
    from invivo.lang.d.macros import MacroValues
    from invivo.program.plan import Traits
    from invivo.providers.catalog import Catalog
    from invivo.providers.dump import types_inside
    from invivo.providers.kernel_types import KernelTypes
    from invivo.providers.user_types import UserTypes

    source = read_source(request.name, request.text)
    types = KernelTypes()
    programs: TypeSource = (user := UserTypes(request.target_pid, request.types, types))
    catalog = Catalog(types, Traits(has_btf_tracepoints=False), request.target_pid, user)
    if looks_inside:
        programs = types_inside(user)
    macros = MacroValues(
        request.arguments, request.name, consumer=request.consumer, target_pid=request.target_pid
    )
    program = compile_text(
        source, types=types, catalog=catalog, macros=macros, options=request.options, programs=programs,
        looks_inside=looks_inside,
    )  # fmt: skip
    rendered = tuple(render(warning) for warning in program.warnings if isinstance(warning, Diagnostic))
    rendered += tuple(f"invivo: {note}" for note in catalog.notes())
    return TypedProgram(
        program, types, _opening(source.text), rendered, _clauses(program), catalog.known_files(),
        _never_late(program, catalog),
    )  # fmt: skip


def _never_late(program: Program, catalog: Catalog) -> tuple[str, ...]:
    """MODULE:FUNCTION of descriptions that may mean files which come later, and have no probes there."""
    meant = {f"{probe.module}:{probe.function}" for clause in program.late for probe in clause.probes}
    return tuple(dict.fromkeys((*(glob for glob in catalog.globs() if glob not in meant), *program.never_late)))


def _clauses(program: Program) -> tuple[ClauseInfo, ...]:
    """The clauses that have probes, in the order of the text."""
    found: dict[int, ClauseInfo] = {}
    for clause in (*program.clauses, *program.error_clauses):  # one for each context that makes a difference to it
        before = found.get(clause.index, ClauseInfo(clause.span.start, 0))
        found[clause.index] = before._replace(matched=before.matched + len(clause.probes))
    for index, info in found.items():
        own, used, described = program.stability[index]
        found[index] = info._replace(description=_numbers(own), statement=_numbers(used), described=described)
    return tuple(found[index] for index in sorted(found))


def _numbers(attributes: Attributes) -> tuple[int, int, int]:
    return int(attributes.name), int(attributes.data), int(attributes.class_)


def _opening(text: str) -> str:
    """The text up to the first clause's predicate or body, as `description '...' matched` shows it."""
    end = len(text)
    for char in "{/" if "uprobe:" not in text and "usdt:" not in text else "{":
        position = text.find(char)
        if position >= 0:
            end = min(end, position)
    return " ".join(text[:end].split())[:60]


def _in_child(request: Request) -> Plan:
    """compile_now in a forked child; its exceptions are raised here."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reader)
            outcome: object
            try:
                outcome = compile_now(request)
            except InvivoError as error:
                outcome = error
            except BaseException as error:  # a bug of ours: the parent shows where
                import traceback

                outcome = RuntimeError("".join(traceback.format_exception(error)))
            with os.fdopen(writer, "wb") as stream:
                stream.write(_dump(outcome))
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    wait_readable(reader, "compiling")
    with os.fdopen(reader, "rb") as stream:
        data = stream.read()
    _, wait_status = os.waitpid(pid, 0)
    if not data:
        code = os.waitstatus_to_exitcode(wait_status)
        raise InvivoError(f"the compiler ended without a word (exit status {code})")
    outcome = pickle.loads(data)
    if isinstance(outcome, Plan):
        return outcome
    if isinstance(outcome, tuple):
        raise CompileError(outcome)
    assert isinstance(outcome, BaseException)
    raise outcome


def _dump(outcome: object) -> bytes:
    if isinstance(outcome, CompileError):
        outcome = outcome.diagnostics
    return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
