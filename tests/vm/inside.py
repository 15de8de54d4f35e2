"""Runs in the guest: every check's command, and prints what came of it as lines of JSON.

python -m tests.vm.inside      {"name": "count", "status": 0, "out": "...", "err": "", "left": 0}

`left` is how many BPF programs there are afterwards: those of a command are gone when it has ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from invivo.bpf import enumerate as objects
from tests.vm.checks import CHECKS

_PATIENCE_S = 300  # a large program is compiled in a minute there


def main() -> None:
    for check in (check for check in CHECKS if check.is_for(os.uname().release)):
        words = [sys.executable, "-m", "invivo", *check.arguments]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
            answer = {"status": done.returncode, "out": done.stdout, "err": done.stderr}
        except subprocess.TimeoutExpired:
            answer = {"status": -1, "out": "", "err": f"no answer in {_PATIENCE_S} s"}
        left = len(list(objects.programs()))
        print(json.dumps({"name": check.name, **answer, "left": left}), flush=True)


if __name__ == "__main__":
    main()
