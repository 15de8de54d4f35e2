"""The cache directory: where it is, whose it must be, and that files appear whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from invivo import cache


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "ROOT_CACHE", "/proc/no-directory-can-be-made-here")
    return tmp_path


def test_it_is_made_below_xdg_cache_home_for_the_user_alone(base: Path) -> None:
    assert cache.cache_dir() == str(base / "invivo")
    assert (base / "invivo").stat().st_mode & 0o777 == 0o700
    assert cache.cache_dir() == str(base / "invivo")  # and found again


def test_without_xdg_cache_home_it_is_below_the_home(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(base))
    for relative in ("", "cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", relative)
        assert cache.cache_dir() == str(base / ".cache" / "invivo")


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_that_others_can_write_to_is_refused(base: Path, mode: int) -> None:
    (base / "invivo").mkdir()
    (base / "invivo").chmod(mode)
    assert cache.cache_dir() is None


def test_a_directory_in_one_that_others_can_write_to_is_refused_unless_it_is_sticky(base: Path) -> None:
    """In a directory without the sticky bit, any writer could rename ours away and put its own there."""
    base.chmod(0o777)
    assert cache.cache_dir() is None
    base.chmod(0o1777)
    assert cache.cache_dir() == str(base / "invivo")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_another_users_directory_is_refused(base: Path) -> None:
    (base / "invivo").mkdir(mode=0o700)
    os.chown(base / "invivo", 1, 1)
    assert cache.cache_dir() is None


@pytest.mark.skipif(os.getuid() != 0, reason="for root only")
def test_root_has_another_place_where_home_is_somebody_elses(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (base / "root").mkdir(mode=0o700)
    monkeypatch.setattr(cache, "ROOT_CACHE", str(base / "root" / "invivo"))
    (base / "ada").mkdir()
    os.chown(base / "ada", 1, 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(base / "ada"))
    assert cache.cache_dir() == str(base / "root" / "invivo")


def test_a_symbolic_link_is_judged_by_where_it_leads(base: Path) -> None:
    (base / "open").mkdir()
    (base / "open").chmod(0o777)
    (base / "invivo").symlink_to(base / "open")
    assert cache.cache_dir() is None


def test_a_file_in_its_place_means_no_cache(base: Path) -> None:
    (base / "invivo").write_text("")
    assert cache.cache_dir() is None


def test_a_file_is_written_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    cache.write_atomically(str(path), b"old")
    cache.write_atomically(str(path), b"new" * 100_000)
    assert path.read_bytes() == b"new" * 100_000
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["plan"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "x").write_text("")
    with pytest.raises(OSError):
        cache.write_atomically(str(tmp_path / "plan"), b"data")
    assert os.listdir(tmp_path) == ["plan"]


def test_the_kernel_key_has_release_and_build_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ELF note: sizes of name and data, type, name, data; GNU's type 3 is the build id. One of Xen's precedes it."""
    xen = b"\x04\0\0\0\x05\0\0\0\x12\0\0\0Xen\0hello\0\0\0"
    gnu = b"\x04\0\0\0\x04\0\0\0\x03\0\0\0GNU\0\xde\xad\xbe\xef"
    (tmp_path / "notes").write_bytes(xen + gnu)
    (tmp_path / "btf").write_bytes(bytes(77))
    monkeypatch.setattr(cache, "NOTES_PATH", str(tmp_path / "notes"))
    monkeypatch.setattr(cache, "BTF_PATH", str(tmp_path / "btf"))
    key = cache.kernel_key()
    assert os.uname().release in key
    assert key.endswith(" 77 deadbeef")


def test_the_kernel_key_does_without_notes_and_btf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "NOTES_PATH", str(tmp_path / "none"))
    monkeypatch.setattr(cache, "BTF_PATH", str(tmp_path / "none"))
    assert cache.kernel_key().endswith(" 0 ")
