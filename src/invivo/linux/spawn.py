"""The process to be traced: a command, held before its first instruction until the probes are armed; or one that runs.

    target = spawn("dd if=/dev/zero of=/dev/null count=1", armed)      armed(pid) is called while it is held
    target = attach_pid(4711)
    target.pidfd                                                       becomes readable when it ends

The command is seized with ptrace(2) before it calls execve, stops at the exec event with its program loaded and none of
it run, and is let go for good after `armed`. It inherits the terminal, its process group (so Ctrl-C reaches it), and
what else it would have inherited from a shell. Should this process die at any moment, the command goes on by itself:
PTRACE_O_EXITKILL is not set, and one that still waits for its release takes the closed pipe for it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time

from invivo.errors import KernelError, RightsError, TargetError
from invivo.linux import descriptors, procfs, syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol, Self

__all__ = ["Target", "attach_pid", "spawn"]

_PTRACE_CONT = 7
_PTRACE_DETACH = 17
_PTRACE_SEIZE = 0x4206
_PTRACE_O_TRACEEXEC = 1 << 4
_PTRACE_EVENT_EXEC = 4
_WALL = 0x40000000  # __WALL of wait(2)

if not TYPE_CHECKING:
    Protocol = object  # `typing` is not worth its import here


class Target:
    """A process that is traced. `is_child` tells a command that `spawn` started.

    Closing it forgets the process, and does nothing to it.
    """

    __slots__ = ("_status", "is_child", "pid", "pidfd")

    def __init__(self, pid: int, pidfd: int, is_child: bool) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.is_child = is_child
        self._status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._wait_for_end(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it ends, at most `timeout` seconds.

        Returns:
            The exit status of a command, negative for the signal that killed it; None if it still runs, or is no child.
        """
        return self.status if self._wait_for_end(timeout) else None

    def ended(self, wait_status: int) -> None:
        """Somebody else's wait(2) has taken the command's status."""
        self._status = os.waitstatus_to_exitcode(wait_status)

    @property
    def status(self) -> int | None:
        """The exit status of a command that has ended, as `wait` gives it."""
        if self._status is None and self.is_child:
            try:
                # Looked at first: wait(2) would take the stops of a traced command too, which are the tracer's.
                state = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if state is not None and state.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
                    _, status = os.waitpid(self.pid, os.WNOHANG)
                    self._status = os.waitstatus_to_exitcode(status)
            except ChildProcessError:  # taken by someone else's waitpid
                self.is_child = False
        return self._status

    def close(self) -> None:
        """Take the exit status of a command that has ended (so that no zombie stays), and close the descriptor."""
        if self.pidfd >= 0:
            _ = self.status
            os.close(self.pidfd)
            self.pidfd = -1

    def _wait_for_end(self, timeout: float | None) -> bool:
        from select import POLLIN, poll

        poller = poll()
        poller.register(self.pidfd, POLLIN)
        return bool(poller.poll(None if timeout is None else timeout * 1000))


def attach_pid(pid: int) -> Target:
    """A process that runs already.

    Raises:
        TargetError: There is none with this number, or the number is a thread's.
    """
    from invivo.linux import procfs

    leader = procfs.thread_group(pid) if pid > 0 else None
    if leader is not None and leader != pid:
        raise TargetError(f"{pid} is a thread of process {leader}", f"trace the process: -p {leader}")
    try:
        return Target(pid, syscalls.pidfd_open(pid), is_child=False)
    except KernelError as error:
        if error.errno in (errno.ESRCH, errno.EINVAL, errno.ENOENT):
            raise TargetError(f"there is no process {pid}", "see: ps -e") from None
        raise


class Watch(Protocol):
    """Sends a stop's signal to a process when it gets to some place, and knows whether that was the right one."""

    def __enter__(self) -> Watch: ...

    def __exit__(self, *_: object) -> None: ...

    def has_arrived(self, signal: int) -> bool:
        """Whether a stop with this signal is the one that is waited for."""


def spawn(
    command: str | Sequence[str],
    armed: Callable[[int], None],
    *,
    prepare: Callable[[], object] | None = None,
    options: int = 0,
    is_kept: bool = False,
    until: Callable[[int], Watch] | None = None,
) -> Target:
    """Start a command, call `armed(pid)` before its first instruction, let it run.

    A set-user-ID program gets no other user's rights where this process lacks CAP_SYS_PTRACE: see execve(2).

    Args:
        command: Words, or one string that is split as a shell splits words (without expanding anything).
        armed: If it raises, the command is killed before it has done anything, and the exception goes on.
        prepare: Called in the child before it executes the command.
        options: More options of ptrace(2).
        is_kept: The command is not let go: it stays a stopped tracee of this thread.
        until: Makes a watch on the new process; then `armed` is called when that says so. Where the command cannot be
            held (no ptrace), it is called before the command is executed all the same.

    Raises:
        RightsError: With `is_kept`, where ptrace(2) is not allowed.
        TargetError: The command is empty, does not exist or cannot be executed.
        KernelError: No process can be made.
    """
    words = _split(command)
    release_reader, release_writer = os.pipe2(os.O_CLOEXEC)
    error_reader, error_writer = os.pipe2(os.O_CLOEXEC)
    # A Ctrl-C between fork and exec must not run this process's handlers in the child.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        pid = os.fork()
        if pid == 0:
            os.close(release_writer)
            _become(words, release_reader, error_writer, mask, prepare)
    except OSError as error:
        for fd in (release_writer, error_reader):
            os.close(fd)
        raise KernelError(error.errno or 0, "fork", f"'{words[0]}'") from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(release_reader)
        os.close(error_writer)
    try:
        return _start(pid, words, release_writer, error_reader, armed, options, is_kept, until)
    except BaseException:
        _kill(pid)
        raise
    finally:
        os.close(release_writer)
        os.close(error_reader)


def _split(command: str | Sequence[str]) -> list[str]:
    if not isinstance(command, str):
        words = list(command)
    elif not any(char in command for char in "'\"\\"):
        words = command.split()  # spares the import of shlex, which brings `re`
    else:
        import shlex

        try:
            words = shlex.split(command)
        except ValueError as error:
            message = f"the command '{command}' cannot be split into words: {error}"
            raise TargetError(message, "check its quotes") from None
    if not words or not words[0]:
        raise TargetError("the command to trace is empty", "-c 'COMMAND ARGUMENTS'")
    if any("\0" in word for word in words):
        raise TargetError(f"the command '{words[0]}' has a NUL byte in its arguments")
    return words


def _become(
    words: list[str],
    release: int,
    errors: int,
    mask: set[int | signal.Signals],
    prepare: Callable[[], object] | None,
) -> None:
    """In the child: wait for the release, and execute the command. Does not return."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        descriptors.lower()
        os.read(release, 1)  # a byte, or the end of a tracer that was killed
        if prepare is not None:
            prepare()
        os.execvp(words[0], words)
    except OSError as error:
        os.write(errors, str(error.errno).encode())
    finally:
        os._exit(127)


def _start(
    pid: int,
    words: list[str],
    release: int,
    errors: int,
    armed: Callable[[int], None],
    options: int,
    is_kept: bool,
    until: Callable[[int], Watch] | None,
) -> Target:
    target = Target(pid, syscalls.pidfd_open(pid), is_child=True)
    try:
        try:
            syscalls.ptrace(_PTRACE_SEIZE, pid, _PTRACE_O_TRACEEXEC | options)
        except KernelError as error:
            if is_kept:
                raise RightsError(
                    f"not even a child of one's own may be traced here: {error}",
                    "a seccomp profile of the container, or a tracer above, may forbid ptrace(2)",
                ) from None
            # Not allowed (seccomp, another tracer above): armed before execve instead, which is seen with its return.
            armed(pid)
            os.write(release, b"x")
            _raise_if_failed(words, errors)
            return target
        os.write(release, b"x")
        if not _wait_for_exec(pid):
            _raise_if_failed(words, errors)
            raise TargetError(f"the command '{words[0]}' was killed before it began")
        if until is not None:
            with until(pid) as watch:
                if not _run_until(pid, watch):
                    message = f"the command '{words[0]}' ended before its program began"
                    raise TargetError(message, "does it run without invivo?")
        armed(pid)
        if not is_kept:
            _detach(pid)
    except BaseException:
        os.close(target.pidfd)
        raise
    return target


def _detach(pid: int) -> None:
    try:
        syscalls.ptrace(_PTRACE_DETACH, pid)
    except KernelError as error:
        if error.errno != errno.ESRCH:  # somebody killed it: the target has ended, as targets do
            raise


def _wait_for_exec(pid: int) -> bool:
    """Let the child run until it stops at the exec event; False if it ended instead (and leave it to be reaped)."""
    while True:
        # WNOWAIT first: an end must stay there for whoever asks for the status.
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT | _WALL)
        if ended is None or ended.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
            return False
        _, status = os.waitpid(pid, _WALL)
        event, number = status >> 16, os.WSTOPSIG(status)
        if event == _PTRACE_EVENT_EXEC:
            return True
        # A signal on its way to the child is passed on; an event's stop has none.
        syscalls.ptrace(_PTRACE_CONT, pid, 0 if event else number)


def _run_until(pid: int, watch: Watch) -> bool:
    """Let a stopped child run until the watch says that it has arrived, and is stopped; False if it ended."""
    number = 0
    while True:
        syscalls.ptrace(_PTRACE_CONT, pid, number)
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT | _WALL)
        if ended is None or ended.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
            return False
        _, status = os.waitpid(pid, _WALL)
        number = 0 if status >> 16 else os.WSTOPSIG(status)
        if number and watch.has_arrived(number):
            return True


def _raise_if_failed(words: list[str], errors: int) -> None:
    """Raise what execve(2) said, if it failed; the pipe is empty and closed if it did not."""
    data = os.read(errors, 16)
    if not data:
        return
    code = int(data)
    name = words[0]
    if code == errno.ENOENT:
        if "/" in name:
            hint = "its interpreter (#! line) may be missing" if os.path.exists(name) else "check the path"
            raise TargetError(f"cannot run '{name}': no such file", hint)
        raise TargetError(f"cannot run '{name}': no such command in PATH", f"PATH is {os.environ.get('PATH', '')}")
    if code == errno.EACCES:
        raise TargetError(f"cannot run '{_tried(name)}': it is not executable", f"chmod +x '{_tried(name)}'")
    if code == errno.ENOEXEC:
        raise TargetError(f"cannot run '{_tried(name)}': it is neither a program nor a script with a #! line")
    raise TargetError(f"cannot run '{_tried(name)}': {os.strerror(code)}")


def _tried(name: str) -> str:
    """The path that execvp(3) will have tried, for a message."""
    if "/" in name:
        return name
    paths = (os.path.join(directory, name) for directory in os.get_exec_path())
    return next((path for path in paths if os.path.exists(path)), name)


def _kill(pid: int) -> None:
    """End the child, whatever its threads are stopped for, and reap it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    while True:
        for tid in [*(tid for tid in procfs.threads(pid) if tid != pid), pid]:
            try:
                found, status = os.waitpid(tid, _WALL | os.WNOHANG)
            except ChildProcessError:
                if tid == pid:
                    return
                continue
            if found == pid and not os.WIFSTOPPED(status):
                return
            # Traced threads stop at their end, too (PTRACE_EVENT_EXIT).
            with contextlib.suppress(KernelError):
                syscalls.ptrace(_PTRACE_CONT, tid)
        time.sleep(0.001)
