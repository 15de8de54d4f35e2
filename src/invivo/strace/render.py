"""A call's line in two halves, by a renderer that is made once for each call.

    renderer = renderer_of(257)                openat
    renderer.opening(frame)                    'openat(AT_FDCWD, "/etc/passwd", O_RDONLY'
    renderer.closing(frame), renderer.result(frame)         '', "3"

In: a Frame. The halves meet where the first argument stands that is known only at the return.
"""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable, Sequence

from invivo.strace import pieces
from invivo.strace.calls import Call, Kind, call
from invivo.strace.flags import names_of
from invivo.strace.frame import Frame
from invivo.strace.overrides import ORDERS, PARAMETERS, RESULTS
from invivo.strace.pieces import Capture, Piece

__all__ = ["Renderer", "is_error", "raw_renderer_of", "renderer_of", "returns_descriptor"]

# What a call answers to the kernel alone, include/linux/errno.h.
_RESTARTS = {
    512: ("ERESTARTSYS", "To be restarted if SA_RESTART is set"),
    513: ("ERESTARTNOINTR", "To be restarted"),
    514: ("ERESTARTNOHAND", "To be restarted if no handler"),
    516: ("ERESTART_RESTARTBLOCK", "Interrupted by signal"),
}
_ADDRESSES = {"mmap", "brk", "mremap", "shmat"}
_DESCRIPTORS = {
    "open", "openat", "openat2", "creat", "dup", "dup2", "dup3", "socket", "accept", "accept4", "epoll_create",
    "epoll_create1", "eventfd", "eventfd2", "timerfd_create", "signalfd4", "inotify_init1", "memfd_create",
    "pidfd_open", "perf_event_open", "fanotify_init", "userfaultfd", "pidfd_getfd",
}  # fmt: skip
_NO_RESULT = {"exit", "exit_group"}


def is_error(result: int) -> bool:
    """Whether a result (signed) is a negative error number."""
    return -4096 < result < 0


@functools.cache
def _error_text(result: int) -> str:
    if -result in _RESTARTS:
        name, meaning = _RESTARTS[-result]
        return f"? {name} ({meaning})"
    name = "EOPNOTSUPP" if result == -errno.EOPNOTSUPP else errno.errorcode.get(-result, f"ERRNO_{-result}")
    return f"-1 {name} ({os.strerror(-result)})"


class Renderer:
    """See the module's text."""

    __slots__ = ("_earlies", "_fixed", "_notes", "_order", "_pieces", "_result", "call", "captures", "name")

    def __init__(self, which: Call, is_raw: bool = False) -> None:
        self.call = which
        self.name = which.name
        rows = which.parameters
        self._pieces = [
            pieces.hexadecimal(index) if is_raw else _piece(which, index) for index in range(len(rows))
        ]
        if which.name == "rt_sigreturn":
            self._pieces = [pieces.mask_of_frame()]
        self._order: Callable[[Frame], Sequence[int]] | None = None if is_raw else ORDERS.get(which.kernel)
        self._fixed = range(len(self._pieces))
        self._notes = [piece.note for piece in self._pieces if piece.note is not None]
        self._earlies = [piece.early for piece in self._pieces]
        self._result = _raw_result if is_raw else _result_of(which)
        nested = any(piece.captures is None for piece in self._pieces)
        # What to read at the call's beginning and end; None where that depends on memory itself.
        self.captures: tuple[Capture, ...] | None = (
            None if nested else tuple(c for piece in self._pieces for c in piece.captures or ())
        )

    @property
    def descriptors(self) -> list[int]:
        """The arguments that are descriptors."""
        return [index for index, parameter in enumerate(self.call.parameters) if parameter.kind is Kind.FD]

    def opening(self, frame: Frame) -> str:
        """The line up to the first argument that is not known yet; frame.next says which."""
        for note in self._notes:
            note(frame)
        order = self._fixed if self._order is None else self._order(frame)
        shown: list[str] = []
        frame.next = len(order)
        for place, index in enumerate(order):
            text = self._earlies[index](frame)
            if text is None:
                frame.next = place
                break
            shown.append(text)
        end = ", " if shown and frame.next < len(order) else ""
        return f"{self.name}({', '.join(shown)}{end}"

    def closing(self, frame: Frame, is_over: bool = True) -> str:
        """The arguments from frame.next on. Not `is_over`: the call never returned."""
        order = self._fixed if self._order is None else self._order(frame)
        if frame.next >= len(order):
            return ""
        shown: list[str] = []
        for index in order[frame.next :]:
            piece = self._pieces[index]
            text = piece.early(frame)
            if text is None:
                text = piece.late(frame) if is_over and piece.late is not None else f"{frame.words[index]:#x}"
            shown.append(text)
        return ", ".join(shown)

    def result(self, frame: Frame) -> str:
        """What the call answered."""
        result = frame.result
        return _error_text(result) if -4096 < result < 0 else self._result(frame)


@functools.cache
def raw_renderer_of(number: int) -> Renderer:
    """The same of a call whose arguments and result are shown as numbers (-e raw=)."""
    return Renderer(call(number), is_raw=True)


def _raw_result(frame: Frame) -> str:
    return f"{frame.result % (1 << 64):#x}" if frame.result else "0"


def _result_of(which: Call) -> Callable[[Frame], str]:
    if which.name in _NO_RESULT:
        return lambda frame: "?"
    if which.name in _ADDRESSES:
        return lambda frame: f"{frame.result % (1 << 64):#x}" if frame.result else "0"
    if which.name in _DESCRIPTORS:
        return lambda frame: frame.descriptor(frame.result)
    special = RESULTS.get(which.kernel)
    if special is None:
        return lambda frame: str(frame.result)
    return lambda frame: special(frame) or str(frame.result)


@functools.cache
def renderer_of(number: int) -> Renderer:
    """The renderer of a call, made when it is first seen."""
    return Renderer(call(number))


def returns_descriptor(number: int) -> bool:
    """Whether a call's result is the number of a file."""
    return call(number).name in _DESCRIPTORS


def _piece(which: Call, index: int) -> Piece:
    name, type_, kind = which.parameters[index]
    special = PARAMETERS.get((which.kernel, name))
    if special is not None:
        return special(index)
    if name == "sig" and type_ == "int":
        return pieces.signal_number(index)
    count = index + 1 if index + 1 < len(which.parameters) else -1
    match kind:
        case Kind.SIGNED:
            return pieces.number(index, 64 if "long" in type_ or "off_t" in type_ or "ssize" in type_ else 32)
        case Kind.UNSIGNED:
            return pieces.unsigned(index, 64 if "long" in type_ or type_ in ("size_t", "u64", "__u64") else 32)
        case Kind.HEX:
            return pieces.hexadecimal(index, "NULL" if "*" in type_ or name in ("addr", "brk", "start") else "0")
        case Kind.FLAGS:
            names = names_of(which.kernel, name)
            assert names is not None
            return pieces.flags(index, names, 64 if "long" in type_ else 32)
        case Kind.MODE:
            return pieces.mode(index)
        case Kind.FD:
            return pieces.descriptor(index)
        case Kind.PATH:
            return pieces.path(index)
        case Kind.DATA:
            return pieces.buffer_in(index, index + 1)
        case Kind.OUT_DATA:
            return pieces.buffer_out(index, index + 1)
        case Kind.STRINGS:
            return pieces.strings(index)
        case Kind.ENVIRONMENT:
            return pieces.environment(index)
        case Kind.STRUCT:
            return pieces.structure_in(index, type_, count)
        case Kind.OUT_STRUCT:
            if name in ("fildes", "usockvec"):
                return pieces.descriptors(index)
            count = pieces.RESULT if type_ == "struct epoll_event *" else count
            return pieces.structure_out(index, type_, count)
