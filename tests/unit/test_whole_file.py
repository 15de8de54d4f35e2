"""Files that are whole or not there, with and without the file system's help."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from invivo.whole_file import write_whole


@pytest.fixture(params=["files without a name", "none such"], autouse=True)
def _file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ = os.open

    def refused(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return open_(path, flags, mode)

    if request.param == "none such":
        monkeypatch.setattr(os, "open", refused)


@pytest.mark.parametrize("before", [None, b"what was there"])
def test_the_new_one_has_all_pieces_and_the_mode(before: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "profile"
    if before is not None:
        path.write_bytes(before)
    write_whole(str(path), (b"piece %d\n" % number for number in range(99_991)), 0o640)
    assert path.read_bytes().splitlines() == [b"piece %d" % number for number in range(99_991)]
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["profile"]


def test_a_name_without_a_folder_is_in_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in (b"one", b"two"):
        write_whole("profile", [text], 0o600)
        assert (tmp_path / "profile").read_bytes() == text


def test_what_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a part" * 100_000
        raise KeyboardInterrupt

    path = tmp_path / "profile"
    path.write_bytes(b"what was there")
    with pytest.raises(KeyboardInterrupt):
        write_whole(str(path), pieces(), 0o600)
    assert path.read_bytes() == b"what was there"
    assert os.listdir(tmp_path) == ["profile"]


def test_a_folder_in_its_place_stays(tmp_path: Path) -> None:
    (tmp_path / "profile" / "more").mkdir(parents=True)
    with pytest.raises(OSError, match="profile"):
        write_whole(str(tmp_path / "profile"), [b"text"], 0o600)
    assert os.listdir(tmp_path) == ["profile"]
    assert os.listdir(tmp_path / "profile") == ["more"]


def test_where_no_folder_is_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(str(tmp_path / "absent" / "profile"), [b"text"], 0o600)
