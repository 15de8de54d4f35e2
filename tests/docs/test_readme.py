"""What README.md and the manual tell people to type, typed.

A console block's commands run in a shell, in the project's folder, and succeed. The comment before a block may say
otherwise: `not run: REASON`, `output: same` (exactly what is shown), `output: same, status N` (and that exit status).
Blocks of D compile, with `error: CODE` do not, and with
`not compiled: REASON` are not tried. Blocks of Python run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import Block, blocks, commands, pages
from tests.support import ROOT

CONSOLE, D, PYTHON = blocks("console"), blocks("d"), blocks("python")


def name_of(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `invivo` is this source."""
    place = tmp_path_factory.mktemp("bin")
    script = place / "invivo"
    script.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m invivo \"$@\"\n")
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{place}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}


@pytest.mark.kernel
@pytest.mark.parametrize("block", CONSOLE, ids=name_of)
def test_console_blocks_run_as_written(block: Block, environment: dict[str, str]) -> None:
    assert block.mark in ("", "not run", "output")
    found = commands(block)
    assert found, "no line begins with '$ '"
    if block.mark == "not run":
        assert len(block.value.split()) > 2, "a reason is needed"
        return
    for command in found:
        result = subprocess.run(
            ["bash", "-c", command.line], capture_output=True, text=True, errors="surrogateescape",
            cwd=ROOT, env=environment, timeout=60, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        expected = int(block.value.partition("status ")[2] or 0)
        assert result.returncode == expected, result.stderr
        assert "Traceback" not in result.stderr
        if block.mark == "output":
            assert result.stdout + result.stderr == command.shown
        else:
            assert result.stdout.strip(), "the command printed nothing"


@pytest.mark.kernel
@pytest.mark.parametrize("block", D, ids=name_of)
def test_blocks_of_d_compile(block: Block) -> None:
    from invivo.compiler import Request, compile_now
    from invivo.errors import CompileError

    assert block.mark in ("", "error", "not compiled")
    if block.mark == "not compiled":
        assert len(block.value.split()) > 2, "a reason is needed"
        return
    request = Request(block.text.encode(), name_of(block), ["1", "2"], {"defaultargs": None})
    if block.mark == "error":
        with pytest.raises(CompileError) as caught:
            compile_now(request)
        assert block.value in [diagnostic.code for diagnostic in caught.value.diagnostics]
    else:
        compile_now(request)


@pytest.mark.kernel
@pytest.mark.parametrize("block", PYTHON, ids=name_of)
def test_blocks_of_python_run(block: Block, environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", block.text]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.strip()


@pytest.mark.parametrize("page", [*pages(), ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md"], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_the_readme_begins_with_what_it_is_and_two_commands() -> None:
    head = (ROOT / "README.md").read_text()[:700]
    assert head.startswith("# invivo\n\ninvivo answers questions about software that is running")
    assert "make demo" in head
    assert "make test" in head
