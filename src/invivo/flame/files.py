"""Profiles in files: which formats there are, which one a file is in, reading it, writing it.

    read_profile("perf.txt")                    by content: perf script's text
    write_profile(profile, "out.svg")           by the name's ending
    write_profile(profile, "-", "folded")       to standard output

A file that is there already is replaced only when the new one is complete.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tempfile
from typing import NamedTuple

from invivo.errors import InvivoError, OptionError
from invivo.whole_file import pour, write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, BinaryIO

    from invivo.flame.profile import Profile

    Reader = Callable[[BinaryIO, str], Profile]
    Writer = Callable[[Profile], Iterable[bytes]]

__all__ = ["FORMATS", "Format", "format_of_name", "keep", "read_profile", "read_stream", "write_profile"]

_HEAD = 65536  # bytes that tell a format


class Format(NamedTuple):
    """A format's name, the endings of its files, what it is, and where it is read and written: module, function."""

    name: str
    endings: tuple[str, ...]
    doc: str
    reader: str = ""
    writer: str = ""

    def read(self) -> Reader | None:
        """The function that reads it."""
        found: Reader | None = _function(self.reader)
        return found

    def write(self) -> Writer | None:
        """The function that writes it."""
        found: Writer | None = _function(self.writer)
        return found


FORMATS = {
    row.name: row
    for row in (
        Format("html", (".html", ".htm"), "a page to explore, complete in itself",
               "page.read_page_file", "page.write_page"),
        Format("svg", (".svg",), "a still picture, root below", "", "svg.write_svg"),
        Format("folded", (".folded", ".collapsed", ".txt"), "frame;frame;frame COUNT, a stack a line",
               "formats.folded.read_folded", "formats.folded.write_folded"),
        Format("speedscope", (".speedscope.json", ".speedscope"), "what speedscope.app reads",
               "formats.speedscope.read_speedscope", "formats.speedscope.write_speedscope"),
        Format("pprof", (".pb.gz", ".pprof", ".pb"), "what go tool pprof reads",
               "formats.pprof.read_pprof", "formats.pprof.write_pprof"),
        Format("firefox", (".firefox.json", ".profile.json"), "what profiler.firefox.com reads",
               "formats.firefox.read_firefox", "formats.firefox.write_firefox"),
        Format("chrome", (".trace.json",), "trace events: chrome://tracing, Perfetto",
               "formats.chrome.read_chrome", "formats.chrome.write_chrome"),
        Format("perf", (), "the text that perf script prints", "formats.perf_script.read_perf"),
        Format("bpftrace", (), "maps keyed by stacks, as bpftrace prints them", "formats.stack_text.read_bpftrace"),
        Format("dtrace", (), "stacks and counts as dtrace prints them", "formats.stack_text.read_dtrace"),
    )
}  # fmt: skip


def _function(place: str) -> Any:
    if not place:
        return None
    import importlib

    module, _, name = place.rpartition(".")
    return getattr(importlib.import_module(f"invivo.flame.{module}"), name)


def format_of_name(path: str) -> str:
    """The format that a file's name asks for.

    Raises:
        OptionError: If no format has such files.
    """
    lower = path.lower()
    for format_ in FORMATS.values():
        if format_.writer and lower.endswith(format_.endings):
            return format_.name
    known = ", ".join(sorted({ending for row in FORMATS.values() if row.writer for ending in row.endings}))
    raise OptionError(f"'{path}' does not say which format to write", f"name it with one of {known}, or give --to")


def read_profile(path: str, format_name: str = "") -> Profile:
    """The profile in a file (`-`: standard input; gzip is undone), in `format_name` or what its content says.

    Raises:
        InvivoError: If the file cannot be read, or is in no known format.
    """
    name = "standard input" if path == "-" else path
    try:
        if path == "-":
            return read_stream(open(0, "rb", closefd=False), name, format_name)
        with open(path, "rb") as stream:
            return read_stream(stream, name, format_name)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvivoError(f"cannot read '{path}': {reason}") from None


def read_stream(stream: BinaryIO, name: str, format_name: str = "") -> Profile:
    """The profile that a stream gives; `name` is what errors call it."""
    buffered = stream if hasattr(stream, "peek") else io.BufferedReader(stream, _HEAD)  # type: ignore[type-var]
    head = _peek(buffered)
    if head[:2] == b"\x1f\x8b":
        buffered = io.BufferedReader(gzip.GzipFile(fileobj=buffered), _HEAD)
        head = _peek(buffered)
    if not head:
        raise InvivoError(f"{name} is empty", "did the tool that wrote it fail?")
    from invivo.flame.detect import detect

    found = format_name or detect(head)
    format_ = FORMATS.get(found)
    reader = format_.read() if format_ else None
    if reader is None:
        readable = ", ".join(row.name for row in FORMATS.values() if row.reader)
        if found:
            raise OptionError(f"{name}: the format '{found}' cannot be read", f"formats that can be: {readable}")
        raise InvivoError(f"{name}: its format is not known", f"those that can be read: {readable}; name it by --from")
    return reader(buffered, name)


def _peek(stream: BinaryIO) -> bytes:
    """What comes first, without taking it. A pipe may give it in pieces."""
    return stream.peek(_HEAD)[:_HEAD]  # type: ignore[attr-defined,no-any-return]


def write_profile(profile: Profile, path: str, format_name: str = "") -> None:
    """Write a profile to a file, or `-` for standard output.

    Raises:
        InvivoError: If it cannot be written; what was at `path` is then still there.
        OptionError: If the format is not known or has no writer.
    """
    format_ = FORMATS.get(format_name or format_of_name(path))
    writer = format_.write() if format_ else None
    if writer is None:
        writable = ", ".join(row.name for row in FORMATS.values() if row.writer)
        raise OptionError(f"the format '{format_name}' cannot be written", f"formats that can be: {writable}")
    write_pieces(writer(profile), path)


def write_pieces(pieces: Iterable[bytes], path: str) -> None:
    """Write bytes to a file, which takes its name only when it is complete."""
    try:
        if path == "-":
            pour(pieces, 1)
        elif _is_special(path):
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                pour(pieces, fd)
            finally:
                os.close(fd)
        else:
            write_whole(os.path.realpath(path), pieces, _mode_of_new_file(path))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InvivoError(f"cannot write to '{path}': {error.strerror or error}") from None


def keep(profile: Profile) -> str:
    """Save a profile that could not be written where it was asked for; returns where, or "" if that fails too."""
    from invivo.flame.page import write_page

    for folder in (os.environ.get("TMPDIR", ""), "/tmp", "/dev/shm", "."):
        if not folder:
            continue
        try:
            fd, path = tempfile.mkstemp(".html", "invivo-flame-", folder)
        except OSError:
            continue
        try:
            pour(write_page(profile), fd)
        except OSError:
            os.unlink(path)
            continue
        finally:
            os.close(fd)
        return path
    return ""


def _mode_of_new_file(path: str) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _is_special(path: str) -> bool:
    """True for a device or a pipe, which is written to as it is."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
