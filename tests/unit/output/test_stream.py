"""Where text goes: all of it, or an error that says where it could not go."""

from __future__ import annotations

import os
import re

import pytest

from invivo.output.stream import write_all


def test_a_full_disk_is_told_with_the_name_of_the_file() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match=re.escape("No space left on device: '/dev/full'")) as caught:
        write_all(fd, b"text")
    os.close(fd)
    assert caught.value.filename == "/dev/full"


def test_what_a_pipe_takes_in_pieces_is_written_whole() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    data = bytes(range(256)) * 4096  # a pipe holds 65,536 bytes
    child = os.fork()
    if child == 0:
        os.close(reader)
        write_all(writer, data)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert stream.read() == data
    assert os.waitpid(child, 0)[1] == 0
