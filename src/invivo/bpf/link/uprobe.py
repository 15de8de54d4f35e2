"""Uprobes: thousands in one uprobe_multi link, or one perf event each where the kernel lacks that.

    attach(program_fd, "/usr/lib/libc.so.6", [Site(0x9a8f4, cookie=7)], pid=4711)   -> Attached(links, refused=())

The kernel refuses a whole link for one offset that it cannot probe, and does not say which: that one is found by
halves, and is among `refused`. Offsets are those of instructions in the file. Source: kernel/trace/bpf_trace.c
(bpf_uprobe_multi_link_attach), kernel/trace/trace_uprobe.c; the perf PMU's bits are in sysfs.
"""

from __future__ import annotations

import errno
import functools
import os
import struct
from typing import NamedTuple

from invivo.bpf import uapi
from invivo.bpf.link import perf_event
from invivo.bpf.link.base import Link
from invivo.bpf.syscall import address, try_bpf
from invivo.errors import KernelError, RightsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Attached", "Refusal", "Site", "attach", "expected_attach_type", "has_multi"]

_ENOTSUPP = 524  # the kernel's own, which no user-space header has
# What is wrong with one place: the instruction cannot be probed; no instruction; a page that does not hold code.
_OF_ONE_SITE = (_ENOTSUPP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOEXEC, errno.EIO, errno.EILSEQ)
_PMU = "/sys/bus/event_source/devices/uprobe"
_R0_IS_0_EXIT = struct.pack("<QQ", 0xB7, 0x95)


class Site(NamedTuple):
    """A place in the file: the offset of an instruction, what the program reads as its cookie, and the file offset of a
    reference counter that the kernel holds above zero meanwhile (a USDT semaphore), or 0."""

    offset: int
    cookie: int
    semaphore: int = 0


class Refusal(NamedTuple):
    site: Site
    errno: int


class Attached(NamedTuple):
    links: list[Link]
    refused: list[Refusal]


@functools.cache
def has_multi() -> bool:
    """Whether the kernel has uprobe_multi links that can be confined to a process; asked once."""
    from invivo.bpf.program import Program, ProgramSpec

    spec = ProgramSpec(
        "invivo_try", uapi.BPF_PROG_TYPE_KPROBE, _R0_IS_0_EXIT, expected_attach_type=uapi.BPF_TRACE_UPROBE_MULTI
    )
    try:
        program = Program.load(spec)
    except (KernelError, RightsError):
        return False
    with program:
        # A directory is no file to probe (EBADF, or EINVAL): a kernel that knows the kind of link gets so far as to say
        # that. Process -1 is refused at once (EINVAL) only by kernels whose links are confined to processes; before
        # Linux 6.10 (46ba0e49b642) it was to single threads, and the number was looked up after the path.
        fd, code = _create(program.fd, b"/\0", [Site(0, 0)], is_return=False, pid=0)
        if not code:
            os.close(fd)
            return True
        if code != errno.EBADF:
            return False
        fd, code = _create(program.fd, b"/\0", [Site(0, 0)], is_return=False, pid=0xFFFFFFFF)
        return code == errno.EINVAL


def expected_attach_type() -> int:
    """With what programs for uprobes must be loaded here."""
    return uapi.BPF_TRACE_UPROBE_MULTI if has_multi() else 0


def attach(
    program_fd: int, path: str, sites: Sequence[Site], *, is_return: bool = False, pid: int = 0,
    multi: bool | None = None,
) -> Attached:  # fmt: skip
    """Run a program whenever a process gets to one of the sites of the file `path`.

    Args:
        program_fd: A program of type kprobe, loaded with `expected_attach_type()`.
        path: The file, as this process opens it.
        sites: Where; with `is_return` the first instructions of functions, whose returns are meant.
        pid: The one process that is meant, or 0 for all that run the file.
        multi: Whether by one link (None: where the kernel can).

    Returns:
        The links, and the sites that the kernel refuses, with its errno.

    Raises:
        KernelError: What was refused is not one of the sites: there is no such file, no such process.
        RightsError: The kernel does not allow it.
    """
    links: list[Link] = []
    refused: list[Refusal] = []
    ask = _attach_multi if (has_multi() if multi is None else multi) else _attach_each
    try:
        ask(program_fd, path, sites, is_return, pid, links, refused)
    except BaseException:
        for link in links:
            link.close()
        raise
    return Attached(links, refused)


def _attach_multi(
    program_fd: int, path: str, sites: Sequence[Site], is_return: bool, pid: int, links: list[Link],
    refused: list[Refusal],
) -> None:  # fmt: skip
    name = os.fsencode(path) + b"\0"
    waiting = [sites]
    while waiting:
        some = waiting.pop()
        if not some:
            continue
        fd, code = _create(program_fd, name, some, is_return=is_return, pid=pid)
        if not code:
            links.append(Link(f"uprobes of {path}", fd))
        elif code not in _OF_ONE_SITE:
            raise _error(code, "bpf(BPF_LINK_CREATE)", path, pid)
        elif len(some) == 1:
            refused.append(Refusal(some[0], code))
        elif len(links) > 64 and len(refused) > 64:
            # Nothing but refusals: this is not about single sites.
            raise _error(code, "bpf(BPF_LINK_CREATE)", path, pid)
        else:
            middle = len(some) // 2
            waiting += [some[middle:], some[:middle]]


def _create(program_fd: int, path: bytes, sites: Sequence[Site], *, is_return: bool, pid: int) -> tuple[int, int]:
    """(descriptor, 0) of one link, or (-1, errno)."""
    count = len(sites)
    offsets = struct.pack(f"<{count}Q", *(site.offset for site in sites))
    cookies = struct.pack(f"<{count}Q", *(site.cookie for site in sites))
    counters = b""
    if any(site.semaphore for site in sites):
        counters = struct.pack(f"<{count}Q", *(site.semaphore for site in sites))
    attributes = bytearray(64)
    struct.pack_into(
        "<IIIIQQQQIII", attributes, 0, program_fd, 0, uapi.BPF_TRACE_UPROBE_MULTI, 0,
        address(path), address(offsets), address(counters) if counters else 0, address(cookies), count,
        uapi.BPF_F_UPROBE_MULTI_RETURN if is_return else 0, pid,
    )  # fmt: skip
    return try_bpf(uapi.BPF_LINK_CREATE, attributes)


def _attach_each(
    program_fd: int, path: str, sites: Sequence[Site], is_return: bool, pid: int, links: list[Link],
    refused: list[Refusal],
) -> None:  # fmt: skip
    kind, return_bit, counter_shift = _pmu()
    name = os.fsencode(path) + b"\0"
    for site in sites:
        config = (is_return << return_bit) | site.semaphore << counter_shift
        # type, size, config, sample_period, sample_type, read_format, flags (disabled), wakeup_events, bp_type,
        # config1, config2
        attributes = struct.pack(
            "=IIQQQQQIIQQ56x", kind, 128, config, 1, 0, 0, 1, 0, 0, address(name), site.offset
        )  # fmt: skip
        from invivo.linux.syscalls import perf_event_open

        try:
            # The program is called for hits on every CPU (the kernel keeps it with the probe), hence one event.
            fd = perf_event_open(attributes, pid or -1, -1 if pid else 0, f"uprobe of {path}")
            links.append(perf_event.attach(program_fd, fd, site.cookie, f"uprobe of {path}"))
        except KernelError as error:
            if error.errno not in _OF_ONE_SITE:
                raise _error(error.errno or 0, "perf_event_open", path, pid) from None
            refused.append(Refusal(site, error.errno or 0))


def _pmu() -> tuple[int, int, int]:
    """Type of perf's uprobe PMU, and where in its config the return flag and the reference counter lie."""
    try:
        with open(f"{_PMU}/type") as stream:
            kind = int(stream.read())
        return_bit = _first_bit("retprobe")
    except OSError:
        raise KernelError(errno.ENODEV, "reading", _PMU, "the kernel needs CONFIG_UPROBE_EVENTS") from None
    try:
        counter = _first_bit("ref_ctr_offset")
    except OSError:  # before Linux 4.20 there were none
        counter = 32
    return kind, return_bit, counter


def _first_bit(name: str) -> int:
    with open(f"{_PMU}/format/{name}") as stream:
        return int(stream.read().strip().removeprefix("config:").partition("-")[0])


def _error(code: int, call: str, path: str, pid: int) -> Exception:
    if code in (errno.EPERM, errno.EACCES):
        return RightsError(
            f"the kernel does not allow probes in '{path}'",
            "run as root, or with CAP_BPF and CAP_PERFMON: sudo invivo ...",
        )
    hint = f"has process {pid} ended?" if code == errno.ESRCH and pid else ""
    return KernelError(code, call, f"probes in '{path}'", hint)
