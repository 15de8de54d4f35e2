"""Reads of pages that are not in memory: programs at uprobes wait for them, and lose nothing meanwhile."""

from __future__ import annotations

import json
import subprocess

import pytest

from invivo.bpf import features
from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel


@pytest.fixture(autouse=True)
def _sleepable() -> None:
    answer = features.has_sleepable_uprobes()
    if answer.outcome is not features.Outcome.YES:
        pytest.skip(f"sleepable uprobes: {answer.reason}")


def entries(program: str, count: int) -> dict[tuple[object, ...], object]:
    result = invivo("run", "-q", "--format", "json", "-e", program, "-c", f"{trigger('absent')} {count}")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert not [line for line in found if line["type"] in ("drop", "error")]
    (aggregation,) = [line for line in found if line["type"] == "aggregation"]
    return {tuple(entry["key"]): entry["value"] for entry in aggregation["entries"]}


def test_every_string_and_number_is_read_by_every_thread() -> None:
    """Four threads, 5,003 calls each, of a string over two absent pages and a number in a third."""
    found = entries("pid$target:a.out:take:entry { @[copyinstr(arg0), *(long *)arg1] = count(); }", 5003)
    assert found == {(f"thread {n} crosses into the next page", n * 1000003): 5003 for n in range(4)}


def test_records_of_threads_that_wait_do_not_mix() -> None:
    """The clause's own variables and the record lie in memory that no other thread gets while this one waits."""
    program = """
        pid$target:a.out:take:entry { this->text = copyinstr(arg0); this->number = *(long *)arg1;
            this->again = strjoin(this->text, lltostr(this->number));
            printf("%s|%s\\n", this->again, copyinstr(arg0)); }
    """
    result = invivo("run", "-q", "-e", program, "-c", f"{trigger('absent')} 997")
    assert result.stderr == ""
    text = "thread {0} crosses into the next page{1}|thread {0} crosses into the next page"
    expected = sorted([text.format(n, n * 1000003) for n in range(4)] * 997)
    assert sorted(line for line in result.stdout.splitlines() if line) == expected


def test_what_a_thread_that_waits_has_put_aside_stays_its_own() -> None:
    """While one thread waits for a page, another runs the same program on the same CPU, 101 times."""
    program = """
        pid$target:a.out:take:entry { this->text = copyinstr(arg0); this->length = strlen(this->text);
            this->again = strjoin(this->text, lltostr(this->length));
            @[this->again, copyinstr(arg0), tid == pid ? "hands" : "waits"] = count(); }
    """
    if subprocess.run([trigger("handed"), "1"], check=False, timeout=60).returncode == 77:
        pytest.skip("the kernel gives no userfaultfd")
    result = invivo("run", "-q", "--format", "json", "-e", program, "-c", f"{trigger('handed')} 101")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    (aggregation,) = [line for line in lines if line["type"] == "aggregation"]
    found = {tuple(entry["key"]): entry["value"] for entry in aggregation["entries"]}
    assert found == {
        ("the one that waits18", "the one that waits", "waits"): 101,
        ("the one that hands over23", "the one that hands over", "hands"): 101,
    }


def test_an_address_of_nothing_is_still_an_error() -> None:
    result = invivo("run", "-q", "-e", "pid$target:a.out:take:entry { trace(*(int *)(arg1 + 0x100000000000)); }",
                    "-c", f"{trigger('absent')} 1")  # fmt: skip
    assert result.stderr.count("invalid address") == 4
