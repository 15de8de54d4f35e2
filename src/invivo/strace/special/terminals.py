"""Arguments of ioctl(2): terminals, and what all files know (FIONREAD, FIONBIO).

    ioctl(2).late(frame)        "{c_iflag=ICRNL|IXON, c_oflag=NL0|CR0|...|OPOST|ONLCR, c_cflag=B38400|CS8|CREAD, ...}"

What a request takes is found by its number; others show their argument as an address.
Sources: ioctl_tty(2), termios(3); include/uapi/asm-generic/termbits.h, ioctls.h.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from invivo.strace.flags import Names
from invivo.strace.frame import Frame
from invivo.strace.pieces import Capture, Piece

__all__ = ["ioctl"]

_INPUT = Names({
    "IGNBRK": 1, "BRKINT": 2, "IGNPAR": 4, "PARMRK": 8, "INPCK": 0o20, "ISTRIP": 0o40, "INLCR": 0o100, "IGNCR": 0o200,
    "ICRNL": 0o400, "IUCLC": 0o1000, "IXON": 0o2000, "IXANY": 0o4000, "IXOFF": 0o10000, "IMAXBEL": 0o20000,
    "IUTF8": 0o40000,
})  # fmt: skip
_OUTPUT = Names({
    "OPOST": 1, "OLCUC": 2, "ONLCR": 4, "OCRNL": 0o10, "ONOCR": 0o20, "ONLRET": 0o40, "OFILL": 0o100, "OFDEL": 0o200,
})  # fmt: skip
# Delays of the output: name, place of the value's lowest bit, number of bits.
_DELAYS = (("NL", 8, 1), ("CR", 9, 2), ("TAB", 11, 2), ("BS", 13, 1), ("VT", 14, 1), ("FF", 15, 1))
_CONTROL = Names({
    "CSTOPB": 0o100, "CREAD": 0o200, "PARENB": 0o400, "PARODD": 0o1000, "HUPCL": 0o2000, "CLOCAL": 0o4000,
    "CMSPAR": 0o10000000000, "CRTSCTS": 0o20000000000,
})  # fmt: skip
_SPEEDS = (0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400)
_FAST = (57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000,
         3500000, 4000000)  # from 0o10001  # fmt: skip
_LOCAL = Names({
    "ISIG": 1, "ICANON": 2, "XCASE": 4, "ECHO": 0o10, "ECHOE": 0o20, "ECHOK": 0o40, "ECHONL": 0o100, "NOFLSH": 0o200,
    "TOSTOP": 0o400, "ECHOCTL": 0o1000, "ECHOPRT": 0o2000, "ECHOKE": 0o4000, "FLUSHO": 0o10000, "PENDIN": 0o40000,
    "IEXTEN": 0o100000, "EXTPROC": 0o200000,
}, later=("IEXTEN", "ECHOCTL", "ECHOPRT", "ECHOKE", "FLUSHO", "PENDIN", "EXTPROC"))  # fmt: skip
_MODEM = Names({
    "TIOCM_LE": 1, "TIOCM_DTR": 2, "TIOCM_RTS": 4, "TIOCM_ST": 8, "TIOCM_SR": 0x10, "TIOCM_CTS": 0x20,
    "TIOCM_CAR": 0x40, "TIOCM_RNG": 0x80, "TIOCM_DSR": 0x100, "TIOCM_OUT1": 0x2000, "TIOCM_OUT2": 0x4000,
    "TIOCM_LOOP": 0x8000,
})  # fmt: skip
_QUEUES = Names({}, {"TCIFLUSH": 0, "TCOFLUSH": 1, "TCIOFLUSH": 2})
_FLOWS = Names({}, {"TCOOFF": 0, "TCOON": 1, "TCIOFF": 2, "TCION": 3})
_TERMIOS = 36  # bytes of the kernel's struct termios


def _speed(control: int) -> str:
    code = control & 0o10017
    if code < len(_SPEEDS):
        return f"B{_SPEEDS[code]}"
    return f"B{_FAST[(code & 0o17) - 1]}" if 0 < code & 0o17 <= len(_FAST) else f"{code:#x}"


def _termios(data: bytes) -> str:
    into, out, control, local = struct.unpack_from("<IIII", data)
    delays = [f"{name}{out >> place & (1 << bits) - 1}" for name, place, bits in _DELAYS]
    rest = out & ~0xFF00
    output = "|".join([*delays, *([_OUTPUT.text(rest)] if rest else [])])
    rest = control & ~0o10077
    settings = [_speed(control), f"CS{5 + (control >> 4 & 3)}", *([_CONTROL.text(rest)] if rest else [])]
    return (
        f"{{c_iflag={_INPUT.text(into)}, c_oflag={output}, c_cflag={'|'.join(settings)}, c_lflag={_LOCAL.text(local)}, "
        "...}"
    )


def _window(data: bytes) -> str:
    names = ("ws_row", "ws_col", "ws_xpixel", "ws_ypixel")
    return "{" + ", ".join(f"{n}={v}" for n, v in zip(names, struct.unpack_from("<HHHH", data), strict=True)) + "}"


def _number(data: bytes) -> str:
    return f"[{int.from_bytes(data[:4], 'little', signed=True)}]"


def _modem(data: bytes) -> str:
    return f"[{_MODEM.text(int.from_bytes(data[:4], 'little'))}]"


_Memory = tuple[int, Callable[[bytes], str]]  # bytes, and their text
_TAKES: dict[int, _Memory] = {
    **dict.fromkeys((0x5402, 0x5403, 0x5404), (_TERMIOS, _termios)),  # TCSETS, TCSETSW, TCSETSF
    # TIOCSPGRP FIONBIO FIOASYNC TIOCSPTLCK TIOCSETD
    **dict.fromkeys((0x5410, 0x5421, 0x5452, 0x40045431, 0x5423), (4, _number)),
    0x5414: (8, _window),  # TIOCSWINSZ
    **dict.fromkeys((0x5416, 0x5417, 0x5418), (4, _modem)),  # TIOCMBIS, TIOCMBIC, TIOCMSET
}
_GIVES: dict[int, _Memory] = {
    0x5401: (_TERMIOS, _termios),  # TCGETS
    0x5413: (8, _window),  # TIOCGWINSZ
    # TIOCGPGRP TIOCGSID FIONREAD TIOCOUTQ TIOCGETD TIOCGPTN TIOCGPTLCK TIOCGEXCL
    **dict.fromkeys((0x540F, 0x5429, 0x541B, 0x5411, 0x5424, 0x80045430, 0x80045439, 0x80045440), (4, _number)),
    0x5415: (4, _modem),  # TIOCMGET
}
_WORDS: dict[int, Callable[[int], str]] = {
    0x540B: _QUEUES.text, 0x540A: _FLOWS.text,  # TCFLSH, TCXONC
    **dict.fromkeys((0x5409, 0x540E, 0x5425), str),  # TCSBRK, TIOCSCTTY, TCSBRKP
}  # fmt: skip


def ioctl(index: int) -> Piece:
    """The third argument, by the second."""

    def early(frame: Frame) -> str | None:
        request, word = frame.words[index - 1] & 0xFFFFFFFF, frame.words[index]
        if request in _WORDS:
            return _WORDS[request](word & 0xFFFFFFFF)
        if request in _GIVES and word:
            return None
        if request in _TAKES:
            return _shown(frame, word, _TAKES[request])
        return f"{word:#x}" if word else "NULL" if request in _GIVES else "0"

    def late(frame: Frame) -> str:
        word = frame.words[index]
        if frame.has_failed:
            return f"{word:#x}"
        return _shown(frame, word, _GIVES[frame.words[index - 1] & 0xFFFFFFFF])

    return Piece(early, late, captures=(Capture(index, _TERMIOS), Capture(index, _TERMIOS, at_return=True)))


def _shown(frame: Frame, at: int, memory: _Memory) -> str:
    size, text = memory
    data = frame.read(at, size) if at else b""
    return text(data) if len(data) == size else f"{at:#x}" if at else "NULL"
