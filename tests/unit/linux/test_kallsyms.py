"""kallsyms and the names of kernel addresses, on files made by hand and the running kernel's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from invivo.linux import kallsyms
from invivo.linux.kallsyms import Kallsyms
from invivo.symbols.kernel import KernelSymbols

TEXT = """\
0000000000000000 A fixed_percpu_data
0000000000001000 A cpu_debug_store
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000040 T vfs_read
ffffffff81000100 t helper
ffffffff81000200 t helper
ffffffff81000300 T vfs_write
ffffffffc0203000 t late\t[zfs]
ffffffffc0201000 t early\t[zfs]
ffffffffc0202000 t bpf_prog_6deef7357e7b4530_sd\t[bpf]
ffffffffc0201010 t early_too\t[xfs]
"""


@pytest.fixture(params=[1 << 16, 64, 7])
def symbols(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Kallsyms:
    """Read in one piece, and in pieces that end within lines."""
    monkeypatch.setattr(kallsyms, "_CHUNK_BYTES", request.param)
    path = tmp_path / "kallsyms"
    path.write_text(TEXT)
    return Kallsyms(str(path))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (0xFFFFFFFF81000000, ("_stext", 0, "vmlinux")),  # the first of two names, as the kernel itself prints
        (0xFFFFFFFF8100003F, ("_stext", 0x3F, "vmlinux")),
        (0xFFFFFFFF81000040, ("vfs_read", 0, "vmlinux")),
        (0xFFFFFFFF810000FF, ("vfs_read", 0xBF, "vmlinux")),
        (0xFFFFFFFF81000304, ("vfs_write", 4, "vmlinux")),
        (0xFFFFFFFFC0201001, ("early", 1, "zfs")),
        (0xFFFFFFFFC0201010, ("early_too", 0, "xfs")),
        (0xFFFFFFFFC0202345, ("bpf_prog_6deef7357e7b4530_sd", 0x345, "bpf")),
        (0xFFFFFFFFC0203000, ("late", 0, "zfs")),
        (0xFFFFFFFF90000000, None),  # in the gap behind the kernel
        (0xFFFFFFFFC0300000, None),  # behind everything
        (0xFFFFFFFF80FFFFFF, None),  # before everything
        (0x10, None),  # an offset among the per-CPU variables is no address
        (0, None),
        (0x7FFF12345678, None),
        ((1 << 64) - 1, None),
    ],
)
def test_the_symbol_that_covers_an_address(
    symbols: Kallsyms, address: int, expected: tuple[str, int, str] | None
) -> None:
    assert symbols.find(address) == expected


def test_addresses_of_names(symbols: Kallsyms) -> None:
    assert symbols.address("vfs_read") == 0xFFFFFFFF81000040
    assert symbols.address("_text") == 0xFFFFFFFF81000000
    assert symbols.address("helper") == 0xFFFFFFFF81000100
    assert symbols.address("vfs_rea") is None
    assert symbols.address("") is None
    assert symbols.address("cpu_debug_store") is None
    assert len(symbols) == 12
    assert symbols.reason == ""


def test_names_as_stacks_show_them(symbols: Kallsyms) -> None:
    names = KernelSymbols(symbols)
    assert names.name(0xFFFFFFFF8100005C) == "vmlinux`vfs_read+0x1c"
    assert names.name(0xFFFFFFFF81000040) == "vmlinux`vfs_read"
    assert names.name(0xFFFFFFFFC0201005) == "zfs`early+0x5"
    assert names.name(0x10) == "0x10"
    assert names.name(0xFFFFFFFF8100005C) == "vmlinux`vfs_read+0x1c"  # remembered
    assert names.reason == ""


def test_hidden_addresses_are_a_reason(tmp_path: Path) -> None:
    """With kptr_restrict, the file has every symbol at 0."""
    path = tmp_path / "kallsyms"
    path.write_text("0000000000000000 T _stext\n0000000000000000 T vfs_read\n0000000000000000 t early\t[zfs]\n")
    names = KernelSymbols(Kallsyms(str(path)))
    assert names.name(0xFFFFFFFF81000040) == "0xffffffff81000040"
    assert "hides its addresses" in names.reason
    assert Kallsyms(str(path)).address("vfs_read") is None


def test_a_missing_or_empty_file_is_a_reason(tmp_path: Path) -> None:
    missing = Kallsyms(str(tmp_path / "none"))
    assert missing.find(0xFFFFFFFF81000040) is None
    assert "No such file" in missing.reason
    (tmp_path / "empty").write_text("")
    empty = Kallsyms(str(tmp_path / "empty"))
    assert empty.address("x") is None
    assert "CONFIG_KALLSYMS" in empty.reason


@pytest.mark.kernel
def test_the_kernels_own_file() -> None:
    """Every thousandth line of the kernel's part, looked up both ways, against the line itself."""
    symbols = Kallsyms()
    lines = [line for line in Path("/proc/kallsyms").read_text().splitlines() if "\t" not in line]
    first: dict[str, int] = {}
    names: dict[int, str] = {}
    for line in lines:
        address, _, name = line.split(" ")
        first.setdefault(name, int(address, 16))
        names.setdefault(int(address, 16), name)
    for name in list(first)[::1000]:
        if first[name] >> 63:
            assert symbols.address(name) == first[name]
            assert symbols.find(first[name]) == (names[first[name]], 0, "vmlinux")
