"""A demonstration: invivo watches `find` at work. Run by `make demo`, as root or not.

In: nothing. Out: which system calls `find` makes, how long they take, and in plain words what that means.

    calls  system call
        1  execve
      118  openat
"""

from __future__ import annotations

import sys

import invivo
from invivo.doctor import State, can_use_kernel_engine, can_use_process_engine, examine

COMMAND = "find /usr/lib -name '*.so' | wc -l"
SHORTER = "find /etc -name '*.conf' | wc -l"  # for ptrace(2), with which each call takes a hundred times as long
PROGRAM = """
syscall:::entry
/execname == "find"/
{
    self->start = timestamp;
    @calls[probefunc] = count();
}

syscall:::return
/self->start/
{
    @ns[probefunc] = sum(timestamp - self->start);
    @latency = quantize(timestamp - self->start);
    self->start = 0;
}

END
{
    printf("    calls  system call\\n");
    printa("%@9d  %s\\n", @calls);
    printf("\\nHow many nanoseconds they took, each row twice the one above:\\n");
    printa("%@d", @latency);
}
"""


def main() -> int:
    """Run the demonstration; 1 if this machine or user cannot trace."""
    findings = examine()
    with_kernel = can_use_kernel_engine(findings)
    if not with_kernel and not can_use_process_engine(findings):
        print("invivo cannot trace here. What is missing:", file=sys.stderr)
        for finding in findings:
            if finding.state is State.MISSING:
                print(f"  {finding.what}: {finding.detail}", file=sys.stderr)
        print("Run it as root: sudo make demo. More: invivo doctor", file=sys.stderr)
        return 1
    command = COMMAND if with_kernel else SHORTER
    print(f"invivo will run the command\n\n    {command}\n\nand watch it with this program:\n{PROGRAM}", flush=True)
    if not with_kernel:
        print("This user may not load BPF programs: the process engine traces the command, by ptrace(2).\n", flush=True)
    print("The command's own output:", flush=True)
    with invivo.trace(PROGRAM, command=["sh", "-c", command], name="demo") as session:
        text = "".join(record.text for record in session)
    print(f"\nThe system calls of find:\n\n{text}")
    calls, spent = numbers(session, "calls"), numbers(session, "ns")
    if not calls or not spent:
        print("find made no system call that was seen.", file=sys.stderr)
        return 1
    often, slow = max(calls, key=calls.__getitem__), max(spent, key=spent.__getitem__)
    print(f"In plain words: find asked the kernel {sum(calls.values())} times for something, most often for {often}.")
    print(f"That took {sum(spent.values()) / 1e6:.1f} milliseconds in all, {spent[slow] / 1e6:.1f} of them for {slow}.")
    if with_kernel:
        print("find was neither stopped nor changed, and nothing of invivo is left in the kernel.")
    else:
        print("find was stopped at each of these calls for a moment, and is what it would have been without.")
    return 0


def numbers(session: invivo.Session, name: str) -> dict[str, int]:
    """The aggregation `name` by its only key."""
    view = session.aggregations[name]
    return {str(key): value for (key,), value in view.items() if isinstance(value, int)}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except invivo.InvivoError as error:
        sys.exit(f"demo: {error}")
