"""What a plan was made from, and whether that is still so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from invivo import dependencies
from invivo.dependencies import Dependencies, changed, recorded
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError
from invivo.symbols.objects import mapped_objects


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that counts as old."""
    monkeypatch.setattr(dependencies, "_SETTLED_NS", -1)
    path = tmp_path / "file"
    path.write_bytes(b"some")
    return path


def read(path: Path) -> Dependencies:
    with recorded(0) as recording:
        dependencies.read_file(str(path), os.stat(path) if path.exists() else None)
    return recording.dependencies()


def test_a_file_that_stays_is_the_same(file: Path) -> None:
    known = read(file)
    assert known.reason == ""
    assert [path for path, _ in known.files] == [str(file)]
    assert changed(known) == ""


@pytest.mark.parametrize("change", ["longer", "touched", "replaced", "gone", "mode"])
def test_a_file_that_changes_is_told(file: Path, change: str) -> None:
    known = read(file)
    match change:
        case "longer":
            file.write_bytes(b"something")
        case "touched":
            os.utime(file, (1, 1))
        case "replaced":
            (file.parent / "other").write_bytes(b"some")
            os.replace(file.parent / "other", file)
        case "gone":
            file.unlink()
        case "mode":  # nothing but the time of change tells
            before = file.stat().st_ctime_ns
            while file.stat().st_ctime_ns == before:
                file.chmod(0o600)
    assert changed(known) == str(file)


def test_a_file_that_was_not_there_is_told_when_it_comes(file: Path) -> None:
    late = file.parent / "late"
    known = read(late)
    assert known.files == ((str(late), None),)
    assert changed(known) == ""
    late.touch()
    assert changed(known) == str(late)


def test_a_file_that_has_just_changed_is_no_ground_for_a_plan(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hours are just now, for a test that waits on a busy machine."""
    monkeypatch.setattr(dependencies, "_SETTLED_NS", 7200 * 10**9)
    assert "just now" in read(file).reason


def test_a_file_of_one_process_is_no_ground_for_a_plan(file: Path) -> None:
    assert "of one process" in read(Path("/proc/self/exe")).reason


def test_files_that_are_parsed_are_recorded(file: Path) -> None:
    with recorded(0) as recording:
        with pytest.raises(ElfError):
            ElfFile.open(str(file))
        with pytest.raises(ElfError):
            ElfFile.open(f"{file}.absent")
    assert set(recording.files) == {str(file)}
    assert "cannot be read" in recording.reason


def test_mapped_files_are_of_the_process_that_is_traced() -> None:
    own = os.getpid()
    with recorded(own) as recording:
        objects = mapped_objects(own)
    assert (recording.mapped, recording.reason) == (repr(objects), "")
    with recorded(0) as recording:
        mapped_objects(own)
    assert str(own) in recording.reason


def test_nothing_is_recorded_outside(file: Path) -> None:
    with recorded(0) as recording:
        pass
    dependencies.read_file(str(file), None)
    dependencies.never("no reason")
    assert recording.dependencies() == Dependencies((), (), "", "")
