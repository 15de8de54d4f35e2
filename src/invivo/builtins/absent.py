"""Names that DTrace has and invivo has not, each with what to say to the person who uses one.

    ABSENT["panic"]    "Linux lets no BPF program bring the system down"

In: nothing. Out: hints for the front end, and the list in the manual. A test holds that none of them is a builtin.
"""

from __future__ import annotations

__all__ = ["ABSENT"]

_REASONS = {
    "Linux lets no BPF program stop the kernel in a debugger": ("breakpoint",),
    "Linux lets no BPF program bring the system down": ("panic",),
    "use ustack(): it names the frames of JIT compilers that write /tmp/perf-PID.map": ("jstack",),
    "print the members one by one": ("print",),
    "invivo cannot write captures of packets": ("pcap",),
    "swap the bytes with shifts: x >> 8 & 0xff | (x & 0xff) << 8": (
        "htonl", "htonll", "htons", "ntohl", "ntohll", "ntohs",
    ),
    "print an address by its bytes: printf(\"%d.%d.%d.%d\", ...)": (
        "inet_ntoa", "inet_ntoa6", "inet_ntop", "link_ntop",
    ),
    "a device number is major << 20 | minor": ("getmajor", "getminor"),
    "paths of open files are in fds[], the working directory in cwd": ("cleanpath", "d_path", "ddi_pathname"),
    "compare ppid, or keep an array of process ids from proc:::create": ("progenyof",),
    "use index() and substr()": ("strtok",),
    "use copyin()": ("copyinto",),
    "invivo knows nothing of the kernel's locks": (
        "mutex_owned", "mutex_owner", "mutex_type_adaptive", "mutex_type_spin", "rw_iswriter", "rw_read_held",
        "rw_write_held",
    ),
    "use stack()": ("caller",),
    "use ustack()": ("ucaller",),
    "invivo cannot read the user's registers": ("uregs",),
    "Linux has none": ("ipl", "chip", "lgrp", "zonename"),
    "Linux has no STREAMS": ("msgdsize", "msgsize"),
}  # fmt: skip

ABSENT: dict[str, str] = {name: reason for reason, names in _REASONS.items() for name in names}
