"""Compiled plans on disk, so that a program run before starts at once.

One file a plan in the cache directory of the user (`invivo.cache`), named after a checksum of its key; the key stands
whole inside and is compared whole. It covers all that a plan depends on: the text, its arguments and options, the
kernel's build, the pid namespace, the interpreter, and this very build of invivo. The directory must belong to the user
alone, for a plan is unpickled. The oldest files go when there are more than `KEPT`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import zlib

from invivo.cache import cache_dir, kernel_key, write_atomically
from invivo.linux.pid_namespace import pid_namespace
from invivo.program.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["key_of", "load", "store"]

KEPT = 256


def key_of(
    text: bytes,
    name: str,
    arguments: Sequence[str],
    options: Mapping[str, str | None],
    consumer: Mapping[str, int],
) -> bytes:
    """The key of a plan, as bytes; two runs with equal keys may share a plan. Of the ids of the `consumer`, those count
    that the text names ($uid)."""
    ids = sorted(item for item in consumer.items() if b"$" + item[0].encode() in text)
    environment = sorted(item for item in os.environ.items() if item[0].startswith(("INVIVO_OPT_", "DTRACE_OPT_")))
    parts = (text, name, tuple(arguments), sorted(options.items(), key=str), environment, ids, pid_namespace())
    return repr((parts, kernel_key(), sys.version, _build())).encode("utf-8", "surrogateescape")


def load(key: bytes) -> Plan | None:
    """The plan stored under `key`, or None; a damaged file counts as absent."""
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
    except Exception:  # whatever a damaged pickle raises
        return None
    return plan if isinstance(plan, Plan) else None


def store(key: bytes, plan: Plan) -> None:
    """Keep a plan; does nothing where no cache directory can be had."""
    path = _path(key)
    if path is None:
        return
    with contextlib.suppress(OSError):
        write_atomically(path, key + b"\0" + pickle.dumps(plan, pickle.HIGHEST_PROTOCOL))
        _drop_oldest(os.path.dirname(path))


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
