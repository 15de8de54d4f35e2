"""Runs in the guest: all cases of tests/cases that can be run there, in one process, as lines of JSON.

python -m tests.vm.cases      {"name": "flow/tst.for", "result": "passed", "detail": ""}

Starting Python and LLVM for each of them would take an hour under emulation; here it is a minute or two.
"""

from __future__ import annotations

import json
import os
import time

from invivo.errors import InvivoError, UnsupportedError, VerifierError
from tests.cases import run
from tests.cases.test_cases import GOOD, compiled, expected, text_of, title

__all__ = ["TOO_MUCH"]

# Loops in loops that search strings: a verifier that follows every round (Linux before 6.9) gives up on them, and jumps
# do not reach as far there.
TOO_MUCH = {
    "actions/tst.chill", "net/tst.addresses", "net/tst.ipv4-in-ipv6", "strings/tst.cleanpath", "strings/tst.json",
    "strings/tst.json-forms", "strings/tst.strtok",
}  # fmt: skip


def main() -> None:
    for path in GOOD:
        started = time.monotonic()
        # Output by columns leaves out the CPU and the probe's id, as in test_cases.
        os.environ.pop("_DTRACE_TESTING", None)
        if "option quiet" not in text_of(path):
            os.environ["_DTRACE_TESTING"] = "1"
        result, detail = "passed", ""
        try:
            if (outcome := run.in_kernel(compiled(path))) != (wanted := expected(path)):
                result, detail = "failed", f"{outcome} is not {wanted}"
        except UnsupportedError as error:
            result, detail = "unsupported", str(error)
        except VerifierError as error:
            result, detail = "refused", str(error)
        except InvivoError as error:
            result, detail = "failed", str(error)
        row = {"name": title(path), "result": result, "detail": detail, "seconds": time.monotonic() - started}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
