"""print() of the kernel's own structures, against what /proc says of the same process."""

from __future__ import annotations

import os
import re

import pytest

from tests.support import invivo

pytestmark = pytest.mark.kernel


def test_the_running_thread_s_structure_has_its_ids_and_name() -> None:
    """BEGIN fires in the tracer, whose ids it prints itself; its parent is this process."""
    result = invivo(
        "run", "-q", "-x", "printsize=16k", "-e",
        'BEGIN { printf("%d\\n", pid); print(curthread->real_parent); exit(0); }',
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    members = dict(re.findall(r"^ +\.(\w+) = \(.*?\)([^ \n]+),$", result.stdout, re.M))
    assert "(struct task_struct) {" in result.stdout
    assert members["tgid"] == str(os.getpid())
    comm = result.stdout.partition(".comm = (char [16]) [")[2].partition("]")[0]
    with open("/proc/self/comm") as stream:
        assert "".join(re.findall(r"'(.)'", comm)) == stream.read().rstrip("\n")
