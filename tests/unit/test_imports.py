"""The direction of imports, as docs/internals/architecture.md draws it, and what a start may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "invivo"

BASE = {"errors", "source", "diagnostics", "cache", "dependencies", "value", "whole_file"}
ALLOWED: dict[str, set[str]] = {
    "errors": {"diagnostics"},  # only to render itself, inside a function
    "value": set(),
    "source": {"value"},
    "diagnostics": {"errors", "source", "value"},
    "cache": {"errors", "whole_file"},
    "whole_file": set(),
    "dependencies": set(),
    "program": BASE,
    "builtins": BASE | {"program"},
    "lang": BASE | {"program", "builtins"},
    "codegen": BASE | {"program"},
    "linux": BASE,
    "bpf": BASE | {"linux"},
    "symbols": BASE | {"linux", "bpf"},
    "providers": BASE | {"program", "bpf", "linux", "symbols"},
    "engines": BASE | {"program", "codegen", "bpf", "linux", "providers", "symbols"},
    "consumer": BASE | {"program"},
    "flame": BASE,
    "strace": BASE | {"linux", "providers", "engines", "symbols"},
    "output": BASE | {"program", "consumer"},
}
# Above all but cli and tools.
TOP = {
    "tracing", "session", "starting", "services", "progress", "compiler", "plan_cache", "listing", "doctor",
    "rejection", "__init__", "__main__",
}  # fmt: skip
PUBLIC_ONLY = {"cli", "tools"}


def python_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def package_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names of everything that a file imports, at any depth, type-checking imports too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    files = [path for path in python_files() if package_of(path) == package]
    assert files, f"no files in {package}"
    allowed = ALLOWED[package] | {package}
    wrong = [
        f"{path.relative_to(SOURCE)}: {name}"
        for path in files
        for name in imports_of(path)
        if name.startswith("invivo.") and name.split(".")[1] not in allowed | {"__version__"}
    ]
    assert wrong == []


def test_every_package_has_its_rule() -> None:
    known = set(ALLOWED) | TOP | PUBLIC_ONLY
    assert {package_of(path) for path in python_files()} <= known


@pytest.mark.parametrize("package", ["program", "builtins", "lang"])
def test_pure_packages_import_no_llvm_and_nothing_of_linux(package: str) -> None:
    outside = {"llvmlite", "ctypes", "mmap", "fcntl", "select", "socket", "subprocess", "resource", "signal"}
    tables = {SOURCE / "lang" / "d" / "constants.py"}  # reads numbers by name out of Python's modules, calls nothing
    for path in python_files():
        if package_of(path) == package and path not in tables:
            assert not {name.split(".")[0] for name in imports_of(path)} & outside, path


def modules_after(statement: str) -> set[str]:
    """Names in sys.modules of a fresh interpreter after a statement."""
    code = f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_invivo_loads_nothing_of_weight() -> None:
    loaded = modules_after("import invivo")
    assert "invivo" in loaded
    assert not loaded & {"llvmlite", "ctypes", "dataclasses", "invivo.session", "invivo.program.nodes"}


def test_the_warm_way_loads_neither_front_end_nor_llvm_nor_btf() -> None:
    """Everything that a run from a cached plan imports, which is what start-up costs."""
    loaded = modules_after("import invivo.cli.run, invivo.output.text, invivo.engines.kernel.engine")
    assert "invivo.session" in loaded
    # Not `re`: pickle, and Python 3.11's typing, load it themselves.
    forbidden = {"llvmlite", "dataclasses", "json", "inspect", "subprocess", "invivo.bpf.btf"}
    assert loaded & forbidden == set()
    assert not [name for name in loaded if name.startswith(("invivo.lang", "invivo.codegen", "invivo.providers"))]


def test_no_file_is_longer_than_a_room() -> None:
    long = {str(path): count for path in python_files() if (count := len(path.read_text().splitlines())) > 400}
    assert long == {}
