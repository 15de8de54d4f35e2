"""What is asked of each guest kernel: few, whole commands, for Python there is ten times slower than outside.

Each check is the arguments of one `invivo` command and what its output must match, whole (re.DOTALL).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CHECKS", "Check"]

# 23 calls, and no others from this program.
_CALLS = "python3 -c 'import os\nfor i in range(23): os.getppid()'"
# One wait of 0.3 s for a lock that nobody gives back.
_LOCKED = "python3 -c 'import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\nlock.acquire(timeout=0.3)'"
_WORKS = r"[^\0]*"


class Check(NamedTuple):
    name: str
    arguments: tuple[str, ...]
    output: str
    error: str = ""
    status: int = 0
    series: str = ""  # of kernels: there only
    is_anew: bool = False  # a process of its own from the start, as a user's is

    def is_for(self, release: str) -> bool:
        return not self.series or release.startswith(self.series + ".")


CHECKS = (
    Check("doctor", ("doctor",), rf"{_WORKS}engine: kernel \(eBPF\)\n{_WORKS}", is_anew=True),
    Check(
        "count",
        (
            "run", "-q", "-e",
            "syscall::getppid:entry /pid == $target/ { @[execname, probefunc] = count(); }",
            "-c", _CALLS,
        ),
        r"\s*python3 +getppid +23\s*",
        is_anew=True,
    ),
    Check(
        "self, quantize, return",
        (
            "run", "-q", "-e",
            "syscall::getppid:entry /pid == $target/ { self->t = timestamp; } "
            "syscall::getppid:return /self->t/ { @n = count(); @ = quantize(timestamp - self->t); self->t = 0; } "
            'END { printa("%@d\\n", @n); }',
            "-c", _CALLS,
        ),
        rf"23\n\s+value  -+ Distribution -+ count {_WORKS}",
    ),
    Check(
        "strings and records",
        (
            "run", "-q", "-e",
            'syscall::openat:entry /pid == $target/ { this->p = copyinstr(arg1); } '
            'syscall::openat:entry /pid == $target && this->p == "/etc/hostname"/ '
            '{ printf("%s %s %s\\n", execname, basename(this->p), strjoin("a", "b")); }',
            "-o", "/dev/stderr", "-c", "cat /etc/hostname",
        ),
        _WORKS,
        # The loader's first names may lie in pages that were never touched, which is told as a fault.
        rf"{_WORKS}cat hostname ab\n\s*",
    ),
    Check(
        "loops and functions",
        (
            "run", "-q", "-e",
            "function int square(int x) { return x * x; } "
            "BEGIN { for (this->i = 0; this->i < 10; this->i++) { this->n += square(this->i); } "
            'printf("%d %d\\n", this->n, curthread->tgid == pid); exit(3); }',
        ),
        r"285 1\n\n?",
        "",
        3,
    ),
    Check(
        "processes",
        (
            "run", "-q", "-e",
            'proc:::create /ppid == $target || pid == $target/ { @["create"] = count(); } '
            'proc:::exec-success /pid == $target || ppid == $target/ { @[execname] = count(); } '
            'proc:::exit /ppid == $target/ { @["exit"] = count(); }',
            "-c", "sh -c '/bin/true; /bin/true; /bin/true'",
        ),
        r"\s*create +\d\s+exit +\d\s+true +\d\s*|\s*sh +1\s+create +3\s+exit +3\s+true +3\s*",
    ),
    Check(
        "stacks and the scheduler",
        (
            "run", "-q", "-x", "stackframes=1", "-e",
            "sched:::off-cpu /pid == $target/ { @[stack()] = count(); } "
            "sched:::on-cpu /pid == $target/ { @n = count(); }",
            "-c", "sleep 0.2",
        ),
        rf"{_WORKS}vmlinux`{_WORKS}",
    ),
    Check(
        "flame offcpu",  # user stacks by unwind rules, which a verifier without may_goto has to follow frame by frame
        ("flame", "offcpu", "-c", "sleep 0.5", "--to", "folded", "-o", "-"),
        rf"{_WORKS}sleep`_start;{_WORKS}nanosleep;{_WORKS}vmlinux`schedule{_WORKS}",
        _WORKS,
        series="6.1",
    ),
    Check(
        "flame syscall",  # the most that one kind asks of a verifier
        ("flame", "syscall", "-c", "sleep 0.3", "--to", "folded", "-o", "-"),
        rf"{_WORKS}sleep`_start;{_WORKS};clock_nanosleep_\[k\] [3-5]\d{{8}}\n{_WORKS}",
        _WORKS,
        series="6.1",
    ),
    Check(
        "flame lock",
        ("flame", "lock", "-c", _LOCKED, "--to", "folded", "-o", "-"),
        rf"python3;{_WORKS} [3-5]\d{{8}}\n{_WORKS}",
        _WORKS,
        series="6.1",
    ),
    Check(
        "faults",
        (
            "run", "-q", "-e",
            "BEGIN { this->p = (struct task_struct *)8; trace(this->p->pid); } "
            'ERROR { printf("%d\\n", arg4); } tick-10ms { exit(0); }',
        ),
        r"1\n\n?",
        rf"{_WORKS}invalid address{_WORKS}",
    ),
    # Here the kernel is not locked down: what echo(1) is about to write is changed in its buffer.
    Check(
        "copyoutstr",
        (
            "dtrace", "-q", "-w", "-n",
            'syscall::write:entry /pid == $target && arg0 == 1/ { copyoutstr("HELLO", arg1, 5); }',
            "-c", "/bin/echo hello there",
        ),
        r"HELL[O\0] there\n\n?",
        rf"{_WORKS}",
    ),
    Check(
        "copyout",
        (
            "dtrace", "-q", "-w", "-n",
            "syscall::write:entry /pid == $target && arg0 == 1/ "
            "{ this->p = (char *)alloca(1); this->p[0] = 'J'; copyout(this->p, arg1, 1); }",
            "-c", "/bin/echo hello there",
        ),
        r"Jello there\n\n?",
        rf"{_WORKS}",
    ),
    Check(
        "raise",
        (
            "run", "-q", "-w", "-e",
            "syscall::getppid:entry /pid == $target/ { n++; } "
            "syscall::getppid:entry /pid == $target && n == 5/ { raise(9); } "
            'END { printf("%d calls\\n", n); }',
            "-c", _CALLS,
        ),
        r"5 calls\n\n?",
        rf"{_WORKS}",
    ),
)
