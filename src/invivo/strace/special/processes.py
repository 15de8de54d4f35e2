"""Arguments of calls about processes and threads: clone(2), wait(2), prctl(2), CPUs, signals, futexes.

    clone(0).early(frame)           "child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x..."
"""

from __future__ import annotations

from invivo.strace import pieces
from invivo.strace.flags import known_names, signal_name
from invivo.strace.frame import Frame
from invivo.strace.pieces import Capture, Piece
from invivo.strace.special.capabilities import capability
from invivo.strace.structures import quoted, size_of, structure, wait_status

__all__ = [
    "PRCTL", "PRCTL_ARGUMENTS", "clone", "clone3", "cpus", "futex_mask", "handled", "prctl", "random", "siginfo_at",
    "usage_if_any", "wait_status_at",
]  # fmt: skip

_CLONE3 = size_of("struct clone_args *")


def clone(index: int) -> Piece:
    """clone(2) is shown by the names of its parameters, in another order than the kernel has them."""
    names = known_names("clone", "clone_flags")

    def shown(frame: Frame, parent: str) -> str:
        flags, stack, _, child, tls = frame.words[:5]
        text = f"child_stack={f'{stack:#x}' if stack else 'NULL'}, flags={names.text(flags)}{parent}"
        if flags & 0x80000:
            text += f", tls={tls:#x}"
        return text + (f", child_tidptr={child:#x}" if flags & 0x1200000 else "")

    def early(frame: Frame) -> str | None:
        return None if frame.words[0] & 0x100000 else shown(frame, "")

    def late(frame: Frame) -> str:
        parent = frame.words[2]
        tid = None if frame.has_failed else frame.number(parent)
        return shown(frame, f", parent_tid={f'[{tid}]' if tid is not None else f'{parent:#x}'}")

    return Piece(early, late, captures=(Capture(2, 4, at_return=True),))


def clone3(index: int) -> Piece:
    def note(frame: Frame) -> None:
        frame.notes[index] = structure("struct clone_args *", frame.words[index], frame, 1)

    def late(frame: Frame) -> str:
        text = frame.notes.get(index)
        if text is None:
            return f"{frame.words[index]:#x}"
        return f"{text}{_parent(frame, index)}"

    def early(frame: Frame) -> str | None:
        data = frame.read(frame.words[index], 8)
        at = frame.words[index]
        if len(data) == 8 and int.from_bytes(data, "little") & 0x101000:
            return None  # a pidfd or the thread's number is written
        return structure("struct clone_args *", at, frame, 1) or f"{at:#x}"

    assert _CLONE3 is not None
    return Piece(early, late, note, (Capture(index, _CLONE3.bytes), Capture(index, _CLONE3.bytes, at_return=True)))


def _parent(frame: Frame, index: int) -> str:
    if frame.has_failed:
        return ""
    data = frame.read(frame.words[index], 32)
    if len(data) < 32 or not int.from_bytes(data[:8], "little") & 0x100000:
        return ""
    return f" => {{parent_tid=[{frame.result}]}}"  # the kernel writes the number that it returns


def wait_status_at(index: int) -> Piece:
    def late(frame: Frame) -> str:
        at = frame.words[index]
        status = frame.number(at) if frame.result > 0 else None
        return (f"{at:#x}" if at else "NULL") if status is None else wait_status(status)

    return Piece(lambda f: None if f.words[index] else "NULL", late, captures=(Capture(index, 4, at_return=True),))


def usage_if_any(index: int) -> Piece:
    def late(frame: Frame) -> str:
        at = frame.words[index]
        shown = structure("struct rusage *", at, frame, 1) if frame.result > 0 else None
        return shown or f"{at:#x}"

    return Piece(lambda f: None if f.words[index] else "NULL", late, captures=(Capture(index, 32, at_return=True),))


def cpus(index: int, at_return: bool) -> Piece:
    def shown(frame: Frame) -> str:
        at = frame.words[index]
        size = frame.result if at_return else frame.signed(1)
        data = b"" if frame.has_failed and at_return else frame.read(at, min(max(size, 0), 1024))
        if not data:
            return f"{at:#x}"
        bits = int.from_bytes(data, "little")
        return f"[{' '.join(str(cpu) for cpu in range(bits.bit_length()) if bits >> cpu & 1)}]"

    captures = (Capture(index, 1024, at_return, times=pieces.RESULT if at_return else 1),)
    if at_return:
        return Piece(lambda frame: None, shown, captures=captures)
    return Piece(shown, captures=captures)


PRCTL = {  # include/uapi/linux/prctl.h
    "PR_SET_PDEATHSIG": 1, "PR_GET_PDEATHSIG": 2, "PR_GET_DUMPABLE": 3, "PR_SET_DUMPABLE": 4, "PR_GET_KEEPCAPS": 7,
    "PR_SET_KEEPCAPS": 8, "PR_GET_TIMING": 13, "PR_SET_NAME": 15, "PR_GET_NAME": 16, "PR_GET_SECCOMP": 21,
    "PR_SET_SECCOMP": 22, "PR_CAPBSET_READ": 23, "PR_CAPBSET_DROP": 24, "PR_GET_SECUREBITS": 27,
    "PR_SET_SECUREBITS": 28,
    "PR_SET_TIMERSLACK": 29, "PR_GET_TIMERSLACK": 30, "PR_SET_MM": 35, "PR_SET_CHILD_SUBREAPER": 36,
    "PR_GET_CHILD_SUBREAPER": 37, "PR_SET_NO_NEW_PRIVS": 38, "PR_GET_NO_NEW_PRIVS": 39, "PR_GET_TID_ADDRESS": 40,
    "PR_SET_THP_DISABLE": 41, "PR_GET_THP_DISABLE": 42, "PR_CAP_AMBIENT": 47, "PR_SET_IO_FLUSHER": 57,
    "PR_SET_VMA": 0x53564D41, "PR_SET_PTRACER": 0x59616D61,
}  # fmt: skip
PRCTL_ARGUMENTS = {
    **dict.fromkeys((3, 7, 13, 21, 27, 30), 1), **dict.fromkeys((1, 4, 8, 15, 16, 23, 24, 28, 29, 36), 2),
}  # fmt: skip
_DUMPABLE = ("SUID_DUMP_DISABLE", "SUID_DUMP_USER", "SUID_DUMP_ROOT")


def prctl(index: int) -> Piece:
    def early(frame: Frame) -> str:
        option, word = frame.words[0] & 0xFFFFFFFF, frame.words[index]
        if index == 1 and option == 15:
            text = frame.source.read_string(word, 16)
            return f"{word:#x}" if text is None else quoted(text, 15)
        if index == 1 and option == 1:
            return signal_name(word & 0xFFFFFFFF)
        if index == 1 and option in (23, 24):
            return capability(word)
        if index == 1 and option == 4 and word < 3:
            return _DUMPABLE[word]
        return f"{word:#x}" if word > 9 else str(word)

    return Piece(early, captures=(Capture(index, 16, is_string=True),) if index == 1 else ())


def siginfo_at(index: int) -> Piece:
    def late(frame: Frame) -> str:
        from invivo.strace.signals import siginfo

        at = frame.words[index]
        data = b"" if frame.has_failed else frame.read(at, 128)
        return siginfo(data) if len(data) == 128 else f"{at:#x}" if at else "NULL"

    return Piece(lambda f: None if f.words[index] else "NULL", late, captures=(Capture(index, 128, at_return=True),))


def random(index: int) -> Piece:
    """getrandom(2): all bytes as \\x.., for none means a character."""

    def late(frame: Frame) -> str:
        at = frame.words[index]
        size = min(frame.result, frame.limit)
        data = b"" if frame.has_failed else frame.read(at, size)
        more = "..." if frame.result > frame.limit else ""
        return f"{at:#x}" if frame.has_failed else '"' + "".join(f"\\x{byte:02x}" for byte in data) + f'"{more}'

    return Piece(lambda frame: None, late, captures=(Capture(index, -1, at_return=True, times=pieces.RESULT),))


def handled(index: int) -> Piece:
    return pieces.structure_in(index, "sigset_t *")


def futex_mask(index: int) -> Piece:
    def early(frame: Frame) -> str:
        word = frame.words[index] & 0xFFFFFFFF
        return "FUTEX_BITSET_MATCH_ANY" if word == 0xFFFFFFFF else f"{word:#x}"

    return Piece(early)
