"""The ids of the process that traces, after which macro variables are named: $ppid, $pgid, $sid, $uid ...

In: nothing. Out: numbers by name, as the calling process has them: a child that compiles for it has another $ppid.

    consumer_ids()["uid"]    0
"""

from __future__ import annotations

import os

__all__ = ["consumer_ids"]


def consumer_ids() -> dict[str, int]:
    """See the module."""
    return {
        "ppid": os.getppid(),
        "pgid": os.getpgid(0),
        "sid": os.getsid(0),
        "uid": os.getuid(),
        "euid": os.geteuid(),
        "gid": os.getgid(),
        "egid": os.getegid(),
    }
