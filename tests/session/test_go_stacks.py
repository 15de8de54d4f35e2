"""Stacks of what the runtime of Go programs does: on stacks of its own, by rules that do not tell where rbp is kept.

The second sources: the runtime does not call itself there, so that no function of it is in a stack twice; and the
instructions, as objdump shows them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from invivo.flame.files import read_profile
from invivo.symbols.elf import ElfFile
from invivo.symbols.rules import Kind
from invivo.symbols.unwind import read_rules
from tests.support import invivo

GO = shutil.which("go")
pytestmark = pytest.mark.skipif(GO is None, reason="no Go (apt-get install golang-go)")

# Threads of the runtime: the garbage collector's, which goes to the system stack and back, and sysmon.
SOURCE = """package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

var kept [64][]byte

func main() {
	var group sync.WaitGroup
	for worker := 0; worker < 8; worker++ {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			for round := 0; round < 50; round++ {
				kept[(worker*50+round)%64] = make([]byte, 1<<16)
				time.Sleep(time.Millisecond)
				if round%10 == 0 {
					runtime.GC()
				}
			}
		}(worker)
	}
	group.Wait()
	fmt.Println("done")
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("go")
    (place / "works.go").write_text(SOURCE)
    environment = {**os.environ, "GOCACHE": str(place / "cache"), "GO111MODULE": "off", "HOME": str(place),
                   "CGO_ENABLED": "0"}  # fmt: skip
    words = ["go", "build", "-o", place / "works", place / "works.go"]
    subprocess.run(words, check=True, env=environment, timeout=300)
    return str(place / "works")


@pytest.mark.kernel
def test_no_stack_goes_up_the_same_frames_twice(program: str, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    for _ in range(3):
        result = invivo("flame", "syscall", "--by", "count", "-c", program, "-o", str(out), timeout=120)
        assert result.returncode == 0, result.stderr
        if "before its unwind rules were loaded" not in result.stderr:  # or some stacks are by frame pointers
            break
    profile = read_profile(str(out))
    stacks = {tuple(frame.name for frame in profile.stack(node)) for node in profile.nodes}
    through_mcall = {stack for stack in stacks if any(name.startswith("runtime.mcall") for name in stack)}
    in_sysmon = {stack for stack in stacks if "runtime.sysmon" in stack}
    assert through_mcall
    assert in_sysmon
    for stack in stacks:
        ours = [name for name in stack if name.startswith("runtime.") and name != "runtime.doInit"]  # by packages
        assert len(ours) == len(set(ours)), stack
    assert all(stack[0].startswith("runtime.mcall") for stack in through_mcall)
    assert all(stack[0].startswith("runtime.mstart") for stack in in_sysmon)


def test_rules_know_where_the_frame_pointer_is_kept(program: str) -> None:
    """At the instruction that saves it, it is not saved yet; after it, it is at rsp + that, until the end."""
    objdump = shutil.which("objdump")
    if objdump is None:
        pytest.skip("no objdump (apt-get install binutils)")
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", program], capture_output=True, text=True, check=True)
    wanted = re.compile(r"^\s*([0-9a-f]+):\s+sub +\$0x[0-9a-f]+,%rsp\n"
                        r"\s*([0-9a-f]+):\s+mov +%rbp,(0x[0-9a-f]+)?\(%rsp\)\n\s*([0-9a-f]+):", re.M)  # fmt: skip
    pushed = re.compile(r"^\s*([0-9a-f]+):\s+push +%rbp\n\s*([0-9a-f]+):\s+mov +%rsp,%rbp", re.M)
    with ElfFile.open(program) as elf:
        table = read_rules(elf)
    saved, before_1_21 = 0, list(wanted.finditer(text.stdout))
    for found in before_1_21:
        at, after = int(found[2], 16), int(found[4], 16)
        rule = table.find(after)
        if rule.kind is Kind.SP:  # others are roots of stacks, or go to another
            saved += 1
            assert rule.offset - 8 * rule.bp == int(found[3] or "0", 16), found[0]
            assert table.find(at).bp == 0
    for found in pushed.finditer(text.stdout) if not before_1_21 else ():
        rule = table.find(int(found[2], 16))
        saved += rule.kind is Kind.SP
        assert rule.kind is not Kind.SP or (rule.offset, rule.bp) == (16, 2), found[0]
    assert saved > 500
