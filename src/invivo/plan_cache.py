"""Compiled plans on disk, so that a program run before starts at once.

    key = key_of(b"BEGIN { exit(0); }", "x.d", (), {}, {})
    store(key, plan)
    load(key)                    -> the plan; None if one of the files that it was made from is another now

One file a plan in the cache directory of the user (`invivo.cache`), named after a checksum of its key; the key stands
whole inside and is compared whole. It covers all that is known of a program before it is compiled: the text, its
arguments and options, the files that the traced process has mapped (`$target`), the kernel's build, the pid namespace,
the interpreter, and this very build of invivo. What files were read while it was compiled, and how they were found,
stands in the plan, and is compared with what is there now (`invivo.dependencies`). A plan for `$target` is kept for
nobody, and made one for the process of the day (`program.target`).

The directory must belong to the user alone, for a plan is unpickled. The oldest files go when there are more than
`KEPT`; plans larger than `LARGEST` are not kept.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import zlib

from invivo import dependencies
from invivo.cache import cache_dir, kernel_key, write_atomically
from invivo.linux.pid_namespace import pid_namespace
from invivo.program.plan import Plan
from invivo.program.target import NOBODY, anonymous, retargeted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["key_of", "load", "store"]

KEPT = 256
LARGEST = 4 << 20  # bytes; as much is pid$target:::entry of a small program


def key_of(
    text: bytes,
    name: str,
    arguments: Sequence[str],
    options: Mapping[str, str | None],
    consumer: Mapping[str, int],
    files: str = "",
) -> bytes:
    """The key of a plan, as bytes; two runs with equal keys may share a plan, if its files are the same. Of the ids of
    the `consumer`, those count that the text names ($uid). `files` tells those that $target has mapped."""
    ids = sorted(item for item in consumer.items() if b"$" + item[0].encode() in text)
    environment = sorted(item for item in os.environ.items() if item[0].startswith(("INVIVO_OPT_", "DTRACE_OPT_")))
    parts = (text, name, tuple(arguments), sorted(options.items(), key=str), environment, ids, pid_namespace(), files)
    return repr((parts, kernel_key(), sys.version, _build())).encode("utf-8", "surrogateescape")


def load(key: bytes, target: int = 0) -> Plan | None:
    """The plan stored under `key`, for the process `target` if that is not 0; or None. A damaged file, and a plan made
    from files that are others now, count as absent."""
    path = _path(key)
    if path is None:
        return None
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError:
        return None
    if not data.startswith(key + b"\0"):
        return None
    try:
        plan = pickle.loads(data[len(key) + 1 :])
        if not isinstance(plan, Plan) or not _is_current(plan):
            return None
        return retargeted(plan, NOBODY, target) if target else plan
    except Exception:  # whatever a damaged pickle raises
        return None


def store(key: bytes, plan: Plan, target: int = 0) -> None:
    """Keep a plan, made for the process `target` if that is not 0; does nothing where no cache directory can be had, or
    where the plan depends on what cannot be compared later."""
    path = _path(key)
    if path is None or plan.dependencies is None or plan.dependencies.reason:
        return
    kept = anonymous(plan, target) if target else plan
    if kept is None:
        return
    data = pickle.dumps(kept, pickle.HIGHEST_PROTOCOL)
    if len(data) > LARGEST:
        return
    with contextlib.suppress(OSError):
        write_atomically(path, key + b"\0" + data)
        _drop_oldest(os.path.dirname(path))


def _is_current(plan: Plan) -> bool:
    """Whether all that the plan was made from is as it was found then."""
    known = plan.dependencies
    if known is None or known.reason or dependencies.changed(known):
        return False
    if known.names:
        from invivo.symbols.libraries import find_file

        return all(find_file(name) == path for name, path in known.names)
    return True


def _path(key: bytes) -> str | None:
    directory = cache_dir()
    if directory is None:
        return None
    return os.path.join(directory, f"{zlib.crc32(key):08x}{zlib.adler32(key):08x}.plan")


def _drop_oldest(directory: str) -> None:
    plans = [entry for entry in os.scandir(directory) if entry.name.endswith(".plan")]
    if len(plans) > KEPT:
        plans.sort(key=lambda entry: entry.stat().st_mtime)
        for entry in plans[: len(plans) - KEPT]:
            os.unlink(entry.path)


def _build() -> tuple[str, int, int]:
    """Version, file count and newest change of invivo's own files: an edited checkout is another build."""
    from invivo import __version__

    newest = count = 0
    pending = [os.path.dirname(__file__)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".d")):
                    count += 1
                    newest = max(newest, entry.stat().st_mtime_ns)
                elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                    pending.append(entry.path)
    return __version__, count, newest
