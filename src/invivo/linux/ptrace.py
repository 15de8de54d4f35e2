"""ptrace(2) and its kin, thin and quick: what a tracer does a hundred thousand times a second must cost little.

    seize(pid, OPTIONS)                        the thread is traced, and goes on
    tid, status = wait_any()                   (4711, 0x0057F): stopped; stop_of(status) says by what
    registers = read_registers(tid)            27 words, laid out as struct user_regs_struct; 21 as struct pt_regs
    resume(PTRACE_SYSCALL, tid, 0)             until the next system call; False: it was killed meanwhile

Requests must come from the thread that seized. A request of a thread that was killed fails with ESRCH: that is no
error here, for the death itself will be waited for. Sources: ptrace(2), wait(2), <linux/ptrace.h>.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import NamedTuple

from invivo.errors import KernelError

__all__ = [
    "EVENT_CLONE", "EVENT_EXEC", "EVENT_EXIT", "EVENT_FORK", "EVENT_SECCOMP", "EVENT_STOP", "EVENT_VFORK", "OPTIONS",
    "OPTION_EXITKILL", "PTRACE_CONT", "PTRACE_LISTEN", "PTRACE_SINGLESTEP", "PTRACE_SYSCALL", "REGISTERS_SIZE",
    "SYSCALL_STOP", "ProcessMemory", "SyscallInfo", "cpu_of_caller", "detach", "event_message",
    "interrupt", "read_registers", "read_siginfo", "resume", "seize", "send_to_thread", "stop_status", "syscall_info",
    "wait_any", "wait_for", "write_registers",
]  # fmt: skip

PTRACE_POKEUSER = 6
PTRACE_CONT = 7
PTRACE_SINGLESTEP = 9
_GETREGS, _SETREGS = 12, 13
_DETACH = 17
PTRACE_SYSCALL = 24
_GETEVENTMSG, _GETSIGINFO = 0x4201, 0x4202
_SEIZE, _INTERRUPT, PTRACE_LISTEN = 0x4206, 0x4207, 0x4208
_GET_SYSCALL_INFO = 0x420E

EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_EXIT, EVENT_SECCOMP = 1, 2, 3, 4, 6, 7
EVENT_STOP = 128

_TRACESYSGOOD = 1
# Syscall stops told from signals; forks, vforks, clones followed; exec, exit, and what a seccomp filter stops reported.
OPTIONS = _TRACESYSGOOD | sum(
    1 << event for event in (EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_EXIT, EVENT_SECCOMP)
)
OPTION_EXITKILL = 1 << 20

SYSCALL_STOP = 5 | 0x80  # SIGTRAP as PTRACE_O_TRACESYSGOOD marks it

REGISTERS_SIZE = 27 * 8

_WALL, _WNOTHREAD, _WNOHANG = 0x40000000, 0x20000000, 1
_STOPPED, _SIGTRAP = 0x7F, 5
_TGKILL = 234  # x86-64

# PyDLL keeps the interpreter's lock, which costs a third of such a call; only wait4, which blocks, lets go of it.
_quick = ctypes.PyDLL(None, use_errno=True)
_ptrace = _quick.ptrace
_ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_ptrace.restype = ctypes.c_long
# Those that are called at each stop neither keep errno nor declare arguments, which would cost 60 ns for each argument:
# they are given numbers of 32 bits, bytes, and pointers that are made once.
_frequent = ctypes.PyDLL(None)
_request = _frequent.ptrace
_readv, _writev = _frequent.process_vm_readv, _frequent.process_vm_writev
_readv.restype = _writev.restype = ctypes.c_long
cpu_of_caller = _quick.sched_getcpu
_wait4 = ctypes.CDLL(None, use_errno=True).wait4

_status = ctypes.c_int()
_status_at = ctypes.c_void_p(ctypes.addressof(_status))
_registers = (ctypes.c_char * REGISTERS_SIZE)()
_registers_at = ctypes.c_void_p(ctypes.addressof(_registers))
_scratch = ctypes.create_string_buffer(256)
_scratch_at = ctypes.addressof(_scratch)


class SyscallInfo(NamedTuple):
    """What PTRACE_GET_SYSCALL_INFO says. `op` 0: no syscall stop, 1: entry, 2: exit, 3: seccomp.

    `arch` is AUDIT_ARCH_*; `number` and `arguments` are of an entry, `result` of an exit.
    """

    op: int
    arch: int
    instruction_pointer: int
    stack_pointer: int
    number: int = -1
    arguments: tuple[int, ...] = ()
    result: int = 0


def _failed(call: str, tid: int) -> KernelError:
    return KernelError(ctypes.get_errno(), f"ptrace({call})", f"thread {tid}")


def seize(tid: int, options: int) -> None:
    """Trace a thread without stopping it.

    Raises:
        KernelError: The kernel refuses: EPERM (another's, already traced, yama), ESRCH (none, a zombie).
    """
    if _ptrace(_SEIZE, tid, 0, options) < 0:
        raise _failed("PTRACE_SEIZE", tid)


def interrupt(tid: int) -> bool:
    """Ask a thread to stop; the stop is EVENT_STOP with SIGTRAP. False if it is gone."""
    return bool(_ptrace(_INTERRUPT, tid, 0, 0) == 0)


def resume(request: int, tid: int, signal: int = 0) -> bool:
    """Let a stopped thread go on by PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SINGLESTEP or PTRACE_LISTEN, delivering a
    signal (0: none). False if it is gone."""
    return bool(_request(request, tid, 0, signal) == 0)


def detach(tid: int, signal: int = 0) -> bool:
    """Stop tracing a stopped thread, and let it go on. False if it is gone."""
    return bool(_ptrace(_DETACH, tid, 0, signal) == 0)


def send_to_thread(pid: int, tid: int, signal: int) -> bool:
    """Send a signal to one thread, by tgkill(2). False if it is gone, or may not be sent it."""
    return bool(_quick.syscall(_TGKILL, pid, tid, signal) == 0)


def read_registers(tid: int) -> bytes | None:
    """The registers of a stopped thread, REGISTERS_SIZE bytes; None if it is gone."""
    return _registers.raw if _request(_GETREGS, tid, 0, _registers_at) == 0 else None


def write_registers(tid: int, registers: bytes) -> bool:
    """Set the registers of a stopped thread. False if it is gone."""
    _registers.raw = registers
    return bool(_request(_SETREGS, tid, 0, _registers_at) == 0)


def event_message(tid: int) -> int:
    """The new thread's id at a fork, the former id at an exec, the wait status at an exit; 0 if it is gone."""
    if _ptrace(_GETEVENTMSG, tid, 0, _scratch_at) < 0:
        return 0
    return int.from_bytes(_scratch.raw[:8], "little")


def read_siginfo(tid: int) -> bytes | None:
    """The siginfo_t, 128 bytes, of the signal that stopped a thread; None in a group-stop, or if it is gone."""
    return _scratch.raw[:128] if _ptrace(_GETSIGINFO, tid, 0, _scratch_at) == 0 else None


def stop_status(tid: int) -> int | None:
    """The wait status of the stop that a thread stands in, whether wait(2) has told of it or not; None if it runs, is
    gone, or stays in a group-stop by PTRACE_LISTEN.

    Stops that ptrace(2) makes have the status in si_code, and those that deliver a signal have the signal's siginfo:
    ptrace_notify() in kernel/signal.c.
    """
    data = read_siginfo(tid)
    if data is None:
        return None
    number: int
    code: int
    number, _, code = struct.unpack_from("<iii", data)
    if number == _SIGTRAP and (code == SYSCALL_STOP or code >> 8) and code > 0:
        return code << 8 | _STOPPED
    if code >> 8 == EVENT_STOP:
        return code << 8 | _STOPPED
    return number << 8 | _STOPPED


def syscall_info(tid: int) -> SyscallInfo | None:
    """Which kind of system call stop a thread is in (Linux 5.3); None if the kernel cannot say, or it is gone."""
    if _ptrace(_GET_SYSCALL_INFO, tid, 88, _scratch_at) < 0:
        return None
    op, arch, ip, sp = struct.unpack_from("<BxxxIQQ", _scratch)
    if op in (1, 3):
        number, *arguments = struct.unpack_from("<q6Q", _scratch, 24)
        return SyscallInfo(op, arch, ip, sp, number, tuple(arguments))
    if op == 2:
        return SyscallInfo(op, arch, ip, sp, result=struct.unpack_from("<q", _scratch, 24)[0])
    return SyscallInfo(op, arch, ip, sp)


def wait_any(has_to_return: bool = False) -> tuple[int, int]:
    """(thread, wait status) of the next child or tracee of this thread that changed state.

    Args:
        has_to_return: Do not wait for a change.

    Returns:
        (0, 0): None did yet, or a signal came. (-1, 0): There is none to wait for.
    """
    tid: int = _wait4(-1, _status_at, _WALL | _WNOTHREAD | (_WNOHANG if has_to_return else 0), None)
    if tid > 0:
        return tid, _status.value
    return (-1 if tid < 0 and ctypes.get_errno() == errno.ECHILD else 0), 0


def wait_for(tid: int, has_to_return: bool = False) -> int | None:
    """The wait status of one thread's next change of state; None if it is not to be waited for (any more), or, with
    `has_to_return`, did not change."""
    while True:
        found: int = _wait4(tid, _status_at, _WALL | (_WNOHANG if has_to_return else 0), None)
        if found == tid:
            return _status.value
        if found == 0 or ctypes.get_errno() != errno.EINTR:
            return None


class ProcessMemory:
    """The memory of a process, read by process_vm_readv(2) where its own protection allows."""

    __slots__ = ("_at", "_buffer", "_local", "_pid", "_remote", "_view")

    SIZE = 1 << 16

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._buffer = ctypes.create_string_buffer(self.SIZE)
        self._view = memoryview(self._buffer).cast("B")
        self._local = struct.pack("<QQ", ctypes.addressof(self._buffer), self.SIZE)
        self._remote = (ctypes.c_uint64 * 2)()
        self._at = ctypes.c_void_p(ctypes.addressof(self._remote))

    def read(self, address: int, size: int) -> bytes:
        """Up to `size` bytes; fewer where the memory ends, empty where it cannot be read."""
        if size > self.SIZE:
            first = self.read(address, self.SIZE)
            return first if len(first) < self.SIZE else first + self.read(address + self.SIZE, size - self.SIZE)
        if size <= 0 or address >> 47:
            return b""
        remote = self._remote
        remote[0] = address
        remote[1] = size
        got: int = _readv(self._pid, self._local, 1, self._at, 1, 0)
        if got == size:
            return bytes(self._view[:size])
        # One that crosses into what is not there fails wholly, or is cut at the page.
        if got > 0:
            return bytes(self._view[:got])
        fits = -address % 4096
        return self.read(address, fits) if 0 < fits < size else b""

    def write(self, address: int, data: bytes) -> bool:
        """Put bytes there, where the process itself might; False where not all could be written."""
        size = len(data)
        if size > self.SIZE:
            return self.write(address, data[: self.SIZE]) and self.write(address + self.SIZE, data[self.SIZE :])
        if address >> 47:
            return False
        self._view[:size] = data
        remote = self._remote
        remote[0] = address
        remote[1] = size
        # The local side may be longer: what does not fit the remote one stays.
        written: int = _writev(self._pid, self._local, 1, self._at, 1, 0)
        return written == size

    def read_string(self, address: int, limit: int) -> bytes | None:
        """The bytes before the first NUL, at most `limit`; None where they cannot be read."""
        parts = b""
        while len(parts) < limit:
            start = address + len(parts)
            size = min(limit - len(parts), 4096 - start % 4096, 256 if not parts else 4096)
            data = self.read(start, size)
            head, nul, _ = data.partition(b"\0")
            if nul:
                return parts + head
            if len(data) < size:
                return None
            parts += data
        return parts


def raise_for_seize(error: KernelError, pid: int) -> None:
    """Turn a failed PTRACE_SEIZE into what to do about it.

    Raises:
        InvivoError: Always.
    """
    from invivo.errors import RightsError, TargetError
    from invivo.linux import procfs

    state = procfs.state(pid)
    if state is None:
        raise TargetError(f"there is no process {pid}", "see: ps -e") from None
    if state in ("Z", "X"):
        raise TargetError(f"process {pid} is a zombie: it has ended, and its parent has not taken notice") from None
    status = procfs.status(pid)
    tracer = int(status.get("TracerPid", "0"))
    if tracer:
        who = procfs.comm(tracer) or "?"
        raise TargetError(
            f"process {pid} is traced already, by process {tracer} ({who})", f"end that one first: kill {tracer}"
        ) from None
    owner = status.get("Uid", "").split()
    if os.geteuid() and owner and str(os.geteuid()) not in owner[:3]:
        raise RightsError(
            f"process {pid} belongs to user {owner[0]}, and this is user {os.geteuid()}",
            "run invivo as that user, or as root",
        ) from None
    if os.geteuid() and (scope := procfs.yama_scope()):
        raise RightsError(
            f"process {pid} may not be traced: kernel.yama.ptrace_scope is {scope}",
            "start the command with -c, or as root: sysctl kernel.yama.ptrace_scope=0"
            if scope < 3 else "it cannot be changed before the next boot",
        ) from None
    if error.errno == errno.EPERM:
        raise RightsError(
            f"process {pid} may not be traced: {error}",
            "a set-user-ID program, or one that has forbidden it (prctl(2), PR_SET_DUMPABLE), takes root",
        ) from None
    raise error
