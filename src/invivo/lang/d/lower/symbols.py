"""Variables and functions of the kernel and of programs: ``module`name``, and the types that `extern` gives them.

vmlinux`jiffies                   address from kallsyms, type from BTF if that has it
extern unsigned long jiffies;     else from here; then `jiffies alone means it too
&`vfs_read                        a function's address, with BTF's prototype
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from invivo.errors import InvivoError
from invivo.lang.d import syntax
from invivo.lang.d.lower.clause import ClauseState
from invivo.lang.d.lower.ctypes import declared_type, resolve
from invivo.lang.d.lower.state import ProgramState
from invivo.program.nodes import Convert, Expr, IntLit
from invivo.program.types import ULONG, Func, Pointer, Space, Type, Void, a_type, size_of, type_name

__all__ = ["check_parameters", "declare_extern", "is_prototype", "symbol"]


# --- declarations -----------------------------------------------------------------------------------------------------


def is_prototype(declarator: syntax.Declarator) -> bool:
    """Whether a declarator is that of a function, `f(int)`, and not of a pointer to one."""
    return bool(declarator.parts) and declarator.parts[0][0] == "func"


def declare_extern(state: ProgramState, base: syntax.TypeName, declarator: syntax.Declarator) -> None:
    """`extern TYPE NAME;`, and a function's prototype: the type of a symbol that the kernel has."""
    for kind, parameters in declarator.parts:
        if kind == "func":
            assert isinstance(parameters, tuple)
            check_parameters(state, parameters, "function")
    type_ = declared_type(state, base, declarator)
    name = declarator.name
    if isinstance(type_, Void):
        state.error("D_DECL_VOIDOBJ", declarator.span, f"'{name}' cannot be void")
    known = state.externs.get(name)
    try:
        found = state.look_up(lambda types: types.symbol("", name), declarator.span)
    except InvivoError:
        found = None
    told = known if known is not None else found[0][1] if found is not None else None
    if told is not None and not _agree(told, type_):
        message = f"'{name}' is declared as {a_type(type_)}, it is {a_type(told)}"
        state.error("D_DECL_IDRED", declarator.span, message)
    state.externs[name] = type_


def _agree(told: Type, declared: Type) -> bool:
    if isinstance(told, Func) or isinstance(declared, Func):
        return isinstance(told, Func) and isinstance(declared, Func)
    return told == declared or (type(told) is type(declared) and type_name(told) == type_name(declared))


def check_parameters(state: ProgramState, parameters: Sequence[syntax.Parameter], kind: str) -> None:
    """Report parameters that cannot be: of a "function" or of an "inline" with keys."""
    seen: set[str] = set()
    for parameter in parameters:
        if parameter.name and parameter.name in seen:
            message = f"two parameters of this {kind} are called '{parameter.name}'"
            state.error("D_DECL_PROTO_FORM", parameter.span, message)
        seen.add(parameter.name)
        if not isinstance(resolve(state, parameter.type), Void):
            continue
        if kind != "function":
            state.error("D_DECL_PROTO_TYPE", parameter.span, f"a key of an {kind} cannot be void")
        if parameter.name:
            state.error("D_DECL_PROTO_NAME", parameter.span, "a void parameter has no name", "write (void)")
        state.error("D_DECL_PROTO_VOID", parameter.span, "void is the only parameter, or there is none of it")


# --- uses -------------------------------------------------------------------------------------------------------------


def symbol(c: ClauseState, node: syntax.Name, module: str) -> Expr:
    """The value of a symbol; a function's is its address."""
    from invivo.lang.d.lower.memory import place

    span = node.span
    try:
        found = c.program.look_up(lambda types: types.symbol(module, node.name), span)
    except InvivoError as error:
        c.program.error("D_SYM_NOTYPES", span, error.message, error.hint)
    if found is None:
        found = _declared(c, node, module)
    (address, type_), space = found
    at = IntLit(address, ULONG, span) if isinstance(address, int) else address(span)
    if isinstance(type_, Func):
        return Convert(at, Pointer(type_, space), span)
    if size_of(type_) is None:
        c.program.error("D_OP_INCOMPLETE", span, f"the members of {type_name(type_)} are not known")
    return place(at, space, type_, span)


def _declared(c: ClauseState, node: syntax.Name, module: str) -> tuple[tuple[int, Type], Space]:
    """Address and type of a symbol that was declared, or else an error."""
    type_ = c.program.externs.get(node.name)
    address = c.program.types.address(module, node.name)
    if type_ is not None and address is not None:
        return (address, type_), Space.KERNEL
    if type_ is not None:
        c.program.error(
            "D_ASRELO", node.span, f"the kernel does not tell where `{node.name} is",
            "data is in kallsyms only of kernels built with CONFIG_KALLSYMS_ALL",
        )  # fmt: skip
    _no_symbol(c, module, node, address is not None)


def _no_symbol(c: ClauseState, module: str, node: syntax.Name, has_address: bool) -> NoReturn:
    if has_address:
        c.program.error(
            "D_SYM_NOTYPES", node.span, f"the kernel's BTF does not tell the type of `{node.name}",
            f"declare it before the clauses: extern TYPE {node.name};",
        )  # fmt: skip
    if module in ("", "vmlinux") and c.context.types is None:
        c.program.error(
            "D_SYM_NOTYPES",
            node.span,
            f"the kernel's `{node.name} is not to be had: neither its symbols nor its BTF tell of it",
            "data is in kallsyms only of kernels built with CONFIG_KALLSYMS_ALL",
        )
    where = f"'{module}'" if module else "the program"
    c.program.error(
        "D_SYM_NOTYPES", node.span, f"{where} has no variable '{node.name}' of which address and type are known",
        "types come from debug information: of the file itself, its -dbgsym package, or --types FILE",
    )  # fmt: skip
