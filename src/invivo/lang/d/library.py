"""The part of D that is written in D: translators, the structures they make, and inlines.

In: whether this kernel's structures have a member. Out: the texts of library/*.d, those that others need first.

    library_texts(has_member)   [types.d, task-state.d, task-cpu.d, process.d ...]

A member that kernels keep in different places has one file for each; it is chosen by the member, not by a version.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import NamedTuple

from invivo.source import SourceFile

__all__ = ["library_texts"]


class _File(NamedTuple):
    """A file, or two of them of which `other` is for kernels whose structure lacks the member ("": there is none)."""

    name: str
    struct: str = ""
    member: str = ""
    other: str = ""


_FILES = (
    _File("types.d"),
    _File("task-state.d", "task_struct", "__state", "task-state-5.13.d"),
    _File("task-cpu.d", "thread_info", "cpu", "task-cpu-5.15.d"),
    _File("process.d"),
    _File("thread.d"),
    _File("cpu.d"),
    _File("io-device.d", "bio", "bi_bdev", "io-device-5.11.d"),
    _File("io.d"),
    _File("page-head.d", "page", "compound_head", "page-head-info.d"),
    _File("page-index.d", "page", "__folio_index", "page-index-6.15.d"),
    _File("dentry-alias.d", "dentry", "d_u", "dentry-alias-unnamed.d"),
    _File("file.d"),
    _File("registers-x86-64.d", "pt_regs", "orig_ax", ""),
    _File("net.d"),
    _File("locks.d"),
    _File("paths.d"),
    _File("json.d"),
)


def library_texts(has_member: Callable[[str, str], bool] = lambda struct, member: True) -> list[SourceFile]:
    """The library's texts for a kernel. `has_member(struct, member)` tells of one of its structures."""
    folder = resources.files("invivo.lang.d").joinpath("library")
    found = []
    for file in _FILES:
        is_first = not file.member or has_member(file.struct, file.member)
        name = file.name if is_first else file.other
        if not name:  # no kernel of another kind has it
            continue
        text = folder.joinpath(name).read_text(encoding="utf-8")
        found.append(SourceFile(f"<library>/{name}", text))
    return found
