"""Signals as text: siginfo_t, taken apart by what raised it.

    siginfo(data)       "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, si_uid=0, si_status=3, si_utime=0, ...}"

In: the 128 bytes of a siginfo_t. Source: sigaction(2), include/uapi/asm-generic/siginfo.h.
"""

from __future__ import annotations

import signal
import struct

from invivo.strace.flags import signal_name, styled

__all__ = ["siginfo"]

_CODES = {
    0: "SI_USER", 0x80: "SI_KERNEL", -1: "SI_QUEUE", -2: "SI_TIMER", -3: "SI_MESGQ", -4: "SI_ASYNCIO", -5: "SI_SIGIO",
    -6: "SI_TKILL",
}  # fmt: skip
_OF_SIGNAL: dict[int, tuple[str, ...]] = {  # from 1
    signal.SIGCHLD: ("CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"),
    signal.SIGSEGV: ("SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"),
    signal.SIGBUS: ("BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"),
    signal.SIGFPE: (
        "FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB",
    ),
    signal.SIGILL: (
        "ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG", "ILL_COPROC", "ILL_BADSTK",
    ),
    signal.SIGTRAP: ("TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT"),
    signal.SIGIO: ("POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"),
}  # fmt: skip
_OF_FAULTS = frozenset((signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP))


def siginfo(data: bytes) -> str:
    """See the module's text; 128 bytes."""
    number, error, code = struct.unpack_from("<iii", data)
    parts = [f"si_signo={styled(str(number), signal_name(number))}", f"si_code={_code(number, code)}"]
    if error:
        import errno

        parts.append(f"si_errno={errno.errorcode.get(error, error)}")
    if number == signal.SIGCHLD and code > 0:
        pid, uid, status, user, system = struct.unpack_from("<iIi4xqq", data, 16)
        what = str(status) if code == 1 else signal_name(status)
        parts += [f"si_pid={pid}", f"si_uid={uid}", f"si_status={what}", f"si_utime={user}", f"si_stime={system}"]
    elif code == -2:
        timer, overrun, value = struct.unpack_from("<iiQ", data, 16)
        parts += [f"si_timerid={timer}", f"si_overrun={overrun}", *_value(value)]
    elif code in (0, -6, -1, -3):
        pid, uid, value = struct.unpack_from("<iIQ", data, 16)
        parts += [f"si_pid={pid}", f"si_uid={uid}"]
        if code in (-1, -3):
            parts += _value(value)
    elif number in _OF_FAULTS and 0 < code < 0x80:
        address = int.from_bytes(data[16:24], "little")
        parts.append(f"si_addr={f'{address:#x}' if address else 'NULL'}")
    elif number == signal.SIGIO and code > 0:
        band, fd = struct.unpack_from("<qi", data, 16)
        parts += [f"si_band={band}", f"si_fd={fd}"]
    elif number == signal.SIGSYS and code == 1:
        address, call, arch = struct.unpack_from("<QiI", data, 16)
        parts += [f"si_call_addr={address:#x}", f"si_syscall={call}", f"si_arch={arch:#x}"]
    return f"{{{', '.join(parts)}}}"


def _code(number: int, code: int) -> str:
    names = _OF_SIGNAL.get(number, ())
    name = names[code - 1] if 0 < code <= len(names) else _CODES.get(code, str(code))
    return styled(f"{code & 0xFFFFFFFF:#x}" if code else "0", name)


def _value(value: int) -> list[str]:
    number = value & 0xFFFFFFFF
    return [f"si_int={number - (number >> 31 << 32)}", f"si_ptr={f'{value:#x}' if value else 'NULL'}"]
