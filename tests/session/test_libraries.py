"""Libraries of the user's (option libdir), and how stable a program's names are (option amin)."""

from __future__ import annotations

from pathlib import Path

import pytest

from invivo.compiler import Request, compile_now
from invivo.errors import CompileError, OptionError
from tests.session.test_cli import invivo

pytestmark = pytest.mark.kernel


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """a.d needs z.d, which its name would put after it; c.d needs a provider that is not there."""
    (tmp_path / "a.d").write_text("#pragma D depends_on library z.d\ninline int twice[int n] = n * TWO;\n")
    (tmp_path / "z.d").write_text("inline int TWO = 2;\n")
    (tmp_path / "c.d").write_text("#pragma D depends_on provider nosuch\ninline int twice[int n] = 0;\n")
    (tmp_path / "d.d").write_text("#pragma D depends_on provider syscall\ninline int THREE = 3;\n")
    return tmp_path


def test_files_are_read_those_first_that_others_need(folder: Path) -> None:
    program = 'BEGIN { printf("%d\\n", twice[20] + THREE); exit(0); }'
    result = invivo("run", "-q", "-x", f"libdir={folder}", "-e", program)
    assert (result.stdout, result.stderr, result.returncode) == ("43\n\n", "", 0)


def test_a_changed_library_is_read_anew(folder: Path) -> None:
    for value in (5, 6):
        (folder / "z.d").write_text(f"inline int TWO = {value};\n")
        result = invivo("run", "-q", "-x", f"libdir={folder}", "-e", 'BEGIN { printf("%d\\n", twice[1]); exit(0); }')
        assert result.stdout == f"{value}\n\n"


def compiled(text: str, **options: str | None) -> tuple[str, ...]:
    plan = compile_now(Request(text.encode(), "x.d", options=options))
    return tuple(map(str, plan.clauses[0].statement))


def test_what_is_wrong_in_a_library_is_told_where_it_stands(folder: Path) -> None:
    (folder / "e.d").write_text("inline int x = ;\n")
    with pytest.raises(CompileError) as caught:
        compiled("BEGIN { exit(0); }", libdir=str(folder))
    assert str(caught.value).startswith(f"{folder}/e.d:1:16: error[D_SYNTAX]")


def test_a_library_has_no_clauses_and_needs_what_is_there(folder: Path) -> None:
    (folder / "e.d").write_text("#pragma D depends_on library gone.d\nBEGIN { exit(0); }\n")
    with pytest.raises(CompileError) as caught:
        compiled("BEGIN { exit(0); }", libdir=str(folder))
    assert sorted(each.code for each in caught.value.diagnostics) == ["D_PRAGMA_DEPEND", "D_SYNTAX"]


def test_a_folder_that_is_not_there(folder: Path) -> None:
    with pytest.raises(OptionError, match="is not a folder"):
        compiled("BEGIN { exit(0); }", libdir=str(folder / "gone"))


def test_without_the_library_its_names_are_unknown() -> None:
    with pytest.raises(CompileError) as caught:
        compiled("BEGIN { trace(curpsinfo->pr_pid); exit(0); }", nolibs=None)
    assert caught.value.diagnostics[0].code == "D_IDENT_UNDEF"


@pytest.mark.parametrize(
    ("statement", "attributes"),
    [
        ("trace(pid)", ("6", "6", "5")),
        ("trace(curthread->pid)", ("6", "1", "5")),
        ("trace(probeprov)", ("5", "5", "5")),
        ("trace(args[0])", ("1", "1", "4")),
        ("trace(probefunc)", ("1", "1", "4")),
    ],
)
def test_stability_as_dtrace_says(statement: str, attributes: tuple[str, ...]) -> None:
    """As dtrace -ev shows for syscall::read:return: Stable 6, Evolving 5, Private 1; Common 5, ISA 4."""
    assert compiled(f"syscall::read:return {{ {statement}; }}") == attributes


def test_amin_bounds_the_stability() -> None:
    text = "BEGIN\n{\n\ttrace(pid);\n\ttrace(curthread->pid);\n\texit(0);\n}\n"
    assert compiled(text, amin="Stable/Private/Common") == ("6", "1", "5")
    with pytest.raises(CompileError) as caught:
        compiled(text, amin="Evolving/Evolving/Common")
    assert str(caught.value).startswith("x.d:4:8: error[D_ATTR_MIN]: curthread is Stable/Private/Common")


def test_attributes_of_what_the_program_declares() -> None:
    text = "#pragma D attributes Evolving/Unstable/ISA limit\ninline int limit = 5;\nBEGIN { trace(limit); exit(0); }"
    assert compiled(text) == ("5", "4", "4")
