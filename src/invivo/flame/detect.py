"""Which format a file is in, by how it begins.

    b'{"$schema": "https://www.speedscope.app/...'   -> "speedscope"
    b'main;read;vfs_read 3'                          -> "folded"
    b'redis-server  1234 [000]  100.1: 10101 cpu-clock:'  -> "perf"
"""

from __future__ import annotations

import re

from invivo.flame.formats.folded import looks_folded
from invivo.flame.page import MARK

__all__ = ["detect"]

_PERF_HEAD = re.compile(rb"^\S.*?\s+-?\d+(?:/-?\d+)?\s+(?:\[\d+\]\s+)?\d+\.\d+:\s", re.M)
_CONTROL = re.compile(rb"[\0-\x08]")  # no text has these
_BPFTRACE_HEAD = re.compile(rb"^@\w*\[", re.M)
_DTRACE_FRAME = re.compile(rb"^\s+\S+`\S+|^\s+0x[0-9a-f]+\s*$", re.M)


def detect(head: bytes) -> str:
    """The name of the format, or "" if none is recognised."""
    start = head.lstrip()
    if start[:9].lower() in (b"<!doctype", b"<!doctype") or start[:5].lower() == b"<html" or MARK in head:
        return "html"
    if start[:1] in (b"{", b"["):
        return _of_json(head)
    if _CONTROL.search(head, 0, 4096):
        return "pprof"
    if _PERF_HEAD.search(head):
        return "perf"
    if _BPFTRACE_HEAD.search(head):
        return "bpftrace"
    if looks_folded(head):
        return "folded"
    if _DTRACE_FRAME.search(head):
        return "dtrace"
    return ""


def _of_json(head: bytes) -> str:
    if b"speedscope.app/file-format-schema" in head or (b'"shared"' in head and b'"frames"' in head):
        return "speedscope"
    if b'"traceEvents"' in head or (b'"nodes"' in head and b'"callFrame"' in head) or head.lstrip()[:1] == b"[":
        return "chrome"
    if b'"preprocessedProfileVersion"' in head or (b'"meta"' in head and b'"threads"' in head) or b'"meta"' in head:
        return "firefox"
    return ""
