"""What a thread leaves in thread-local variables is deleted when it is gone, or a long run would fill their maps."""

from __future__ import annotations

import pytest

from invivo.codegen import compile_program
from invivo.program.attach import RawTracepoint
from invivo.program.plan import Traits
from tests.cases.run import compiled
from tests.support import invivo, trigger

PROGRAM = """
#pragma D option dynvarsize=32k
syscall::exit_group:entry /execname == "lives"/ { self->x = 1; @ = count(); }
"""

@pytest.mark.kernel
def test_more_threads_than_entries_come_and_go_without_a_drop() -> None:
    """32 KiB hold 2048 entries of 16 bytes; the trigger and its 5000 children each leave one."""
    result = invivo("run", "-q", "-e", PROGRAM, "-c", f"{trigger('lives')} 5000 0", timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.split() == ["5001"]


def test_only_a_program_with_thread_local_scalars_has_the_unit() -> None:
    texts = ["BEGIN { self->x = 1; }", "BEGIN { x = 1; }", "BEGIN { self->a[1] = 1; }"]
    plans = [compile_program(compiled(text.encode(), "x.d"), Traits(task_pid=1000)) for text in texts]
    points = [[unit.attachments[0].point for unit in plan.units] for plan in plans]
    assert [RawTracepoint("sched_process_free") in found for found in points] == [True, False, False]
