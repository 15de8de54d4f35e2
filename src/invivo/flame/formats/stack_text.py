"""Stacks as tracers print them, innermost frame first, with a count: DTrace's and bpftrace's aggregations.

    @[                              vmlinux`vfs_read+0x1c
        vfs_read+28                 libc.so.6`read+0x10
        read+16                       17
    , redis-server]: 17

Several stacks in one key (the kernel's, then the process's) become one. What else is in a bpftrace key becomes the
outermost frame, as the name of a thread is in folded stacks.
"""

from __future__ import annotations

import re

from invivo.errors import InvivoError
from invivo.flame.naming import decode, frame_of
from invivo.flame.profile import Frame, Kind, Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

__all__ = ["read_bpftrace", "read_dtrace"]

_OFFSET = re.compile(r"\+(?:0x[0-9a-f]+|\d+)$")
_COUNT = re.compile(rb"^\s+(\d+)\s*$")
_KERNEL_NAMES = re.compile(r"^(?:entry_|do_syscall_|__x64_sys_|__ia32_sys_|asm_|ret_from_fork|secondary_startup)")


def read_bpftrace(stream: BinaryIO, name: str) -> Profile:
    """The profile of maps keyed by stacks, as bpftrace prints them; of several maps all are taken.

    Raises:
        InvivoError: If no such map is in the text.
    """
    profile = Profile("samples")
    blocks: list[list[bytes]] = []  # the stacks of the key so far
    words: list[str] = []
    is_inside = False
    for line in stream:
        text = line.rstrip(b"\n")
        if not is_inside:
            if re.match(rb"^@\w*\[", text):
                is_inside, blocks, words = True, [[]], []
                text = text.partition(b"[")[2]
            else:
                continue
        end = re.match(rb"^(.*)\]: (\d+)\s*$", text)
        rest = end[1] if end else text
        if rest[:1].isspace() and not rest.startswith(b", ") and not end:
            blocks[-1].append(rest.strip())
        elif rest.strip(b", "):
            words.extend(decode(word.strip()) for word in rest.split(b",") if word.strip())
            blocks.append([])
        elif rest.startswith(b","):
            blocks.append([])
        if end:
            is_inside = False
            frames = [_bpftrace_frame(frame) for block in blocks for frame in block if frame]
            _add(profile, [*map(Frame, words), *reversed(_with_kernel_part(frames, blocks))], int(end[2]))
    if not profile.nodes:
        raise InvivoError(f"{name}: no map of bpftrace with a stack as its key is in it", "such as @[kstack] = count()")
    if is_inside:
        profile.notes.append(f"{name}: the text ends inside a stack, which is left out")
    return profile


def _with_kernel_part(frames: list[Frame], blocks: Sequence[Sequence[bytes]]) -> list[Frame]:
    """bpftrace does not say which stack is the kernel's: one that comes from an entry point of the kernel is."""
    place, found = 0, []
    for block in blocks:
        part = frames[place : place + len(block)]
        place += len(block)
        is_kernel = bool(part) and bool(_KERNEL_NAMES.match(part[-1].name))
        found += [frame._replace(kind=Kind.KERNEL) for frame in part] if is_kernel else part
    return found


def _bpftrace_frame(text: bytes) -> Frame:
    return frame_of(_OFFSET.sub("", decode(text)))


def read_dtrace(stream: BinaryIO, name: str) -> Profile:
    """The profile of stacks with counts as dtrace(1) and invivo print them: frames indented, then a number alone.

    Raises:
        InvivoError: If no such stack is in the text.
    """
    profile = Profile("samples")
    stack: list[Frame] = []
    for line in stream:
        text = line.strip()
        if not text:
            continue
        if count := _COUNT.match(line):
            if stack:
                _add(profile, reversed(_kernel_before_user(stack)), int(count[1]))
            stack = []
        elif line[:1].isspace():
            stack.append(frame_of(decode(text)))
        else:
            stack = []
    if not profile.nodes:
        raise InvivoError(f"{name}: no stack with a count below it is in it", "such as @[stack()] = count() prints")
    if stack:
        profile.notes.append(f"{name}: the text ends inside a stack, which is left out")
    return profile


def _kernel_before_user(stack: list[Frame]) -> list[Frame]:
    """A key of two stacks may have the process's first: the kernel's is the inner one."""
    kernel = [frame for frame in stack if frame.kind is Kind.KERNEL]
    return kernel + [frame for frame in stack if frame.kind is not Kind.KERNEL]


def _add(profile: Profile, frames: object, weight: int) -> None:
    profile.add(profile.node(frames), weight)  # type: ignore[arg-type]
