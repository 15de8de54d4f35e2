"""What bpftrace calls otherwise than D: its names, each with what to write.

    FOREIGN["comm"]      "for bpftrace's comm, write execname"
    FOREIGN["hist()"]    "for bpftrace's hist(), write quantize()"

In: nothing. Out: hints for the front end. Tests hold that none of the names is a builtin of D.
Source: bpftrace(8), "Builtins", "Functions" and "Map functions".
"""

from __future__ import annotations

__all__ = ["FOREIGN"]

_VARIABLES = {
    "comm": "execname",
    "nsecs": "timestamp",
    "elapsed": "timestamp, less that of BEGIN",
    "kstack": "stack()",
    "probe": "probename, with probeprov, probemod and probefunc",
    "curtask": "curthread",
    "retval": "arg1 of a function, arg0 of a system call",
}
_FUNCTIONS = {
    "str": "copyinstr() of a program's address, stringof() of the kernel's",
    "kstr": "stringof()",
    "hist": "quantize()",
    "lhist": "lquantize()",
    "stats": "count(), avg() and sum()",
    "kstack": "stack()",
    "ksym": "sym()",
    "ntop": "inet_ntop()",
    "buf": "tracemem()",
    "strftime": 'printf("%Y", walltimestamp)',
    "time": 'printf("%Y", walltimestamp)',
    "join": "curpsinfo->pr_psargs",
    "cat": 'system("cat FILE")',
    "signal": "raise()",
    "zero": "clear()",
    "delete": "NAME[KEY] = 0",
    "has_key": "NAME[KEY] != 0",
    "len": "strlen()",
    "strcontains": "strstr() != NULL",
}

FOREIGN: dict[str, str] = {
    **{name: f"for bpftrace's {name}, write {ours}" for name, ours in _VARIABLES.items()},
    **{f"{name}()": f"for bpftrace's {name}(), write {ours}" for name, ours in _FUNCTIONS.items()},
}
