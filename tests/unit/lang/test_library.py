"""The library written in D: it parses, structures and translators have the same members, and all fits this kernel."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from invivo.diagnostics import Diagnostics
from invivo.lang.d import compile_text, syntax
from invivo.lang.d.constants import constants
from invivo.lang.d.library import library_texts
from invivo.lang.d.macros import MacroValues
from invivo.lang.d.parser import parse
from invivo.program.plan import Traits
from invivo.providers.catalog import Catalog
from invivo.providers.kernel_types import KernelTypes
from invivo.source import SourceFile

# How a program comes to a value of each structure.
VALUES = {
    "psinfo_t": ("proc:::create", "args[0]->"),
    "lwpsinfo_t": ("proc:::lwp-create", "args[0]->"),
    "cpuinfo_t": ("BEGIN", "curcpu->"),
    "bufinfo_t": ("io:::start", "args[0]->"),
    "devinfo_t": ("io:::start", "args[1]->"),
    "fileinfo_t": ("io:::start", "args[2]->"),
    "timestruc_t": ("BEGIN", "curpsinfo->pr_start."),
}


def declarations(has_member: Callable[[str, str], bool] = lambda struct, member: True) -> list[syntax.TopLevel]:
    diagnostics = Diagnostics()
    found = [d for text in library_texts(has_member) for d in parse(text, diagnostics).declarations]
    assert diagnostics.found == []
    return found


@pytest.mark.parametrize("is_new", [True, False])
def test_the_library_parses_for_new_and_old_kernels(is_new: bool) -> None:
    assert len(declarations(lambda struct, member: is_new)) > 50


def test_new_and_old_kernels_have_the_same_names() -> None:
    def names(is_new: bool) -> set[str]:
        # Registers are the architecture's, not the kernel's.
        found = declarations(lambda struct, member: is_new or struct == "pt_regs")
        return {d.declarator.name for d in found if isinstance(d, syntax.InlineDecl)}

    assert names(is_new=True) == names(is_new=False)


def structures() -> dict[str, list[str]]:
    """The members of each structure that the library declares."""
    found = {}
    for declaration in declarations():
        if isinstance(declaration, syntax.Declaration) and isinstance(declaration.base.tagged, syntax.StructDecl):
            members = declaration.base.tagged.members
            if members is None:  # another name for a structure of the kernel's
                continue
            found[declaration.declarators[0].name] = [d.name for member in members for d in member.declarators]
    return found


def test_every_structure_is_made_by_translators_with_just_its_members() -> None:
    assert set(structures()) == set(VALUES)
    made = [d for d in declarations() if isinstance(d, syntax.TranslatorDecl)]
    assert {" ".join(d.output.words) for d in made} == set(VALUES)
    for translator in made:
        assert [name for name, _ in translator.members] == structures()[" ".join(translator.output.words)]


def compiled(text: str, types: KernelTypes) -> None:
    catalog = Catalog(types, Traits())
    compile_text(SourceFile("t.d", text), types=types, catalog=catalog, macros=MacroValues([], "t.d"), options={})


@pytest.fixture(scope="module")
def types() -> KernelTypes:
    if not os.access("/sys/kernel/btf/vmlinux", os.R_OK):
        pytest.skip("no BTF of this kernel")
    return KernelTypes()


@pytest.mark.parametrize("structure", VALUES)
def test_every_member_can_be_had_of_this_kernel(structure: str, types: KernelTypes) -> None:
    probe, value = VALUES[structure]
    members = [name for name in structures()[structure] if not (name == "pr_start" and structure != "timestruc_t")]
    statements = "".join(f"trace({value}{name}); " for name in members)
    compiled(probe + " { " + statements + "}", types)


@pytest.mark.parametrize("text", ["fds[0].fi_name", "cwd", "root", "curlwpsinfo->pr_state == SRUN", "B_READ", "pset"])
def test_names_that_are_no_structures(text: str, types: KernelTypes) -> None:
    compiled("BEGIN { trace(" + text + "); }", types)


def test_numbers_have_the_kernels_values() -> None:
    """From Linux's own headers, for x86-64 and arm64 alike."""
    expected = {
        "EPERM": 1, "ENOENT": 2, "EWOULDBLOCK": 11, "ENOTSUP": 95, "SIGHUP": 1, "SIGKILL": 9, "SIGCHLD": 17,
        "O_RDONLY": 0, "O_RDWR": 2, "O_ACCMODE": 3, "O_CREAT": 0o100, "O_CLOEXEC": 0o2000000, "CLD_EXITED": 1,
        "CLD_DUMPED": 3, "AF_UNIX": 1, "AF_INET6": 10, "IPPROTO_TCP": 6, "SOCK_STREAM": 1, "PROT_WRITE": 2,
        "MAP_ANONYMOUS": 32, "SEEK_END": 2, "S_IFMT": 0o170000, "S_IFDIR": 0o040000, "S_IRUSR": 0o400,
    }  # fmt: skip
    assert {name: constants()[name] for name in expected} == expected
    assert all(isinstance(value, int) for value in constants().values())
