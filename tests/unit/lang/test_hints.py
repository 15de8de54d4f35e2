"""What is said of a program that is wrong: of bpftrace's names, and one error for one mistake."""

from __future__ import annotations

import os

import pytest

from invivo.builtins import BUILTINS
from invivo.builtins.foreign import FOREIGN
from invivo.errors import CompileError
from invivo.lang.d import compile_text
from invivo.lang.d.library import library_texts
from invivo.lang.d.macros import MacroValues
from invivo.program.plan import Traits
from invivo.providers.catalog import Catalog
from invivo.providers.kernel_types import KernelTypes
from invivo.source import SourceFile


@pytest.fixture(scope="module")
def types() -> KernelTypes:
    if not os.access("/sys/kernel/btf/vmlinux", os.R_OK):
        pytest.skip("no BTF of this kernel")
    return KernelTypes()


def told(text: str, types: KernelTypes) -> list[tuple[str, str]]:
    """Codes and hints of what is wrong with a program."""
    macros = MacroValues([], "t.d")
    with pytest.raises(CompileError) as raised:
        compile_text(
            SourceFile("t.d", text), types=types, catalog=Catalog(types, Traits()), macros=macros, options={}
        )
    return [(item.code, item.hint) for item in raised.value.diagnostics]


def test_bpftraces_names_are_none_of_ds() -> None:
    variables = {name for name, builtin in BUILTINS.items() if builtin.variable is not None}
    functions = {f"{name}()" for name in BUILTINS}
    assert FOREIGN.keys() & (variables | functions) == set()
    library = "\n".join(source.text for source in library_texts())
    assert [name for name in FOREIGN if f" {name.removesuffix('()')}(" in library] == []


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("BEGIN { @[comm] = count(); }", "D_IDENT_UNDEF", "for bpftrace's comm, write execname"),
        ("BEGIN { trace(nsecs); }", "D_IDENT_UNDEF", "write timestamp"),
        ("BEGIN { @ = hist(pid); }", "D_FUNC_UNDEF", "for bpftrace's hist(), write quantize()"),
        ("BEGIN { trace(str(pid)); }", "D_FUNC_UNDEF", "for bpftrace's str(), write copyinstr()"),
        ("BEGIN { @t[tid] = timestamp; }", "D_AGG_FUNC", "a variable has no @: t[...] = ..."),
        ("BEGIN { @t += 1; }", "D_AGG_FUNC", "a variable has no @: t += ..."),
        ("BEGIN /@t[tid]/ { }", "D_AGG_NULL", "a variable that expressions read has no @"),
        ("BEGIN { $x = 1; }", "D_MACRO_UNDEF", "a variable of the clause is this->x"),
        ("pid1:a:Shop::place:entry { }", "D_PDESC_INVAL", "C++ names are mangled in the file, so write *Shop*place*"),
    ],
)
def test_a_hint_says_what_to_write(text: str, code: str, hint: str, types: KernelTypes) -> None:
    ((found, said),) = told(text, types)
    assert found == code
    assert hint in said


@pytest.mark.parametrize(
    "text",
    [
        "nosuch:::probe { self->a = arg0; this->b[arg0] = 1; c++; @d[arg0] = count(); } "
        "BEGIN /self->a/ { trace(c); trace(this->b[1]); } END { printa(@d); }",
        "usdt:$1::a { self->t = arg0; } usdt:$1::b /self->t/ { @[self->t] = count(); } END { printa(@); }",
    ],
)
def test_what_a_clause_without_probes_assigns_is_no_error_elsewhere(text: str, types: KernelTypes) -> None:
    assert len(told(text, types)) == 1


def test_other_errors_are_told_with_it(types: KernelTypes) -> None:
    text = "nosuch:::probe { self->a = arg0; } BEGIN /self->a/ { trace(typo); } END { trace(self->other); }"
    assert [code for code, _ in told(text, types)] == ["D_PDESC_ZERO", "D_IDENT_UNDEF", "D_VAR_UNDEF"]
