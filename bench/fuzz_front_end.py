"""Texts that are almost D, fed to the front end for as long as asked: what comes out must be a program or diagnostics.

    bench/fuzz_front_end.py --seconds 600 [--seed N] [--generate]

A traceback, or more than ten seconds of CPU time for one text, is a finding: its text is printed,
shortened to what still fails.
With --generate each program that compiles goes through the code generator too. Exit status 1 if anything was found.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from invivo.codegen import compile_program
from invivo.errors import CompileError, InvivoError
from tests.cases.run import compiled
from tests.engines.build import traits
from tests.property.programs import near_d, seeds

PATIENCE_S = 10


class Hang(BaseException):
    """A text took too long."""


def _ring(number: int, frame: FrameType | None) -> None:
    raise Hang


def outcome(text: str, is_generated: bool) -> str:
    """What became of a text: "program", the tag of its first diagnostic, or "BUG ..." with the place in our source."""
    signal.setitimer(signal.ITIMER_PROF, PATIENCE_S)
    try:
        program = compiled(text.encode("utf-8", "surrogateescape"), "fuzz.d",
        ["7"] if "$1" in text or "$$1" in text else [])
        if is_generated:
            compile_program(program, traits())
        return "program"
    except CompileError as error:
        return error.diagnostics[0].code
    except InvivoError as error:
        return type(error).__name__
    except Hang:
        return "BUG hang"
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"BUG {type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {error}"[:160]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def shortened(text: str, is_generated: bool) -> str:
    """The text without all lines, then all pieces, that the finding does without."""
    place = outcome(text, is_generated).partition(": ")[0]
    for size in (200, 50, 10, 3, 1):
        start = 0
        while start < len(text):
            shorter = text[:start] + text[start + size :]
            if outcome(shorter, is_generated).partition(": ")[0] == place:
                text = shorter
            else:
                start += size
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the front end.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--generate", action="store_true", help="generate code of what compiles")
    options = parser.parse_args()
    signal.signal(signal.SIGPROF, _ring)
    random, corpus = Random(options.seed), seeds()
    outcomes: Counter[str] = Counter()
    found: dict[str, str] = {}
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        text = near_d(random, corpus)
        result = outcome(text, options.generate)
        outcomes[result] += 1
        if result.startswith("BUG") and result.partition(": ")[0] not in found:
            found[result.partition(": ")[0]] = shortened(text, options.generate) if "hang" not in result else text
            print(f"\n{result}\n{found[result.partition(': ')[0]]!r}", flush=True)
    total = sum(outcomes.values())
    tags = sum(name.startswith("D_") for name in outcomes)
    print(f"{total} texts in {options.seconds:g} s: {outcomes['program']} programs, {tags} kinds of diagnostics, "
          f"{len(found)} findings")  # fmt: skip
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
