"""Names of functions: demangled as c++filt(1) does, and those of JIT compilers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from invivo.linux.maps import Mapping
from invivo.symbols.demangle import demangle
from invivo.symbols.function_names import FunctionNames
from invivo.symbols.normalize import AddressSpace
from invivo.symbols.perf_map import PerfMap

MANGLED = ["_ZNSt6vectorIiSaIiEE9push_backERKi", "_ZN4deep4downEi", "_ZSt4sortIPiEvT_S1_", "main", "_Zbroken", "_start"]
RUST = [
    "_RINvNtNtCs6GmmlP4bgsG_1r4deep2er4downKj7_EB6_",
    "_RNvXs2_NtNtCsjrHSEGnQ3l9_3std12backtrace_rs9symbolizeNtB5_10SymbolNameNtNtCsgEmfK2I1SDS_4core3fmt7Display3fmt",
    "_RINvMNtCsgEmfK2I1SDS_4core5sliceSh11copy_withinINtNtNtB5_3ops5range14RangeInclusivejEECsfEOYDRpO4Ta_11miniz_oxide",
    "_RNvYNtNtNtNtCsjrHSEGnQ3l9_3std3sys5stdio4unix6StderrNtNtBa_2io5Write9write_fmtBa_",
    "_ZN45_$LT$r..Sq$LT$f64$GT$$u20$as$u20$r..Shape$GT$4area17h3365673aa120d517E",
    "_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt17h4819d9ec2db1a450E",
]


def cxxfilt(names: list[str]) -> list[str]:
    """What binutils makes of them, without the hashes of Rust's crates and the types of its constants."""
    if shutil.which("c++filt") is None:
        pytest.skip("c++filt is not there (apt-get install binutils)")
    run = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True)
    plain = re.sub(r"::h[0-9a-f]{16}$|\[[0-9a-f]{1,16}\]|(?<=\d): \w+(?=>)", "", run.stdout, flags=re.M)
    return plain.replace("> >", ">>").replace("> >", ">>").splitlines()


def test_names_of_cxx_are_what_cxxfilt_makes_of_them() -> None:
    assert [demangle(name) for name in MANGLED] == cxxfilt(MANGLED)


def test_names_of_rust_are_what_cxxfilt_makes_of_them() -> None:
    """Out of programs of rustc 1.95, in its two schemes."""
    assert [demangle(name) for name in RUST] == cxxfilt(RUST)
    assert demangle(RUST[0]) == "r::deep::er::down::<7>"


def test_clones() -> None:
    assert demangle("_ZN4deep4downEi.cold") == "deep::down(int) [cold]"
    assert demangle("_ZN4deep4downEi.llvm.1234") == "deep::down(int)"
    assert demangle("_ZN4core3fmt5write17h0123456789abcdefE.llvm.77") == "core::fmt::write"


@pytest.mark.parametrize("name", ["_R", "_Z", "_Read", "$s", "_Zbroken", "_Z" + "a" * 100_000, "_Z\udcff1f"])
def test_what_is_no_mangled_name_stays(name: str) -> None:
    assert demangle(name) == name


def test_the_loader_s_entry_point_has_a_name() -> None:
    """Where it is, readelf(1) tells; no symbol stands for it."""
    maps = [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "r-xp" in line]
    loader = next(path for path in maps if "/ld-linux" in path)
    head = subprocess.run(["readelf", "-hW", loader], capture_output=True, text=True, check=True).stdout
    entry = next(int(line.split()[-1], 16) for line in head.splitlines() if "Entry point" in line)
    assert FunctionNames.of_file(loader, loader).find(entry + 3) == ("_start", 3)


def test_a_map_of_a_jit() -> None:
    found = PerfMap(b"1000 20 first\n1010 10 \n2000 8 second one\nnonsense\n1000 30 first again\n")
    assert found.find(0x1010) == ("first again", 0x10)
    assert found.find(0x1030) is None
    assert found.find(0x2007) == ("second one", 7)
    assert found.find(0xFFF) is None


def test_the_map_of_a_process_is_found_by_its_number() -> None:
    path = f"/tmp/perf-{os.getpid()}.map"
    with open(path, "x", encoding="ascii") as stream:
        stream.write("4000 10 made\n")
    try:
        assert PerfMap.of(os.getpid()).find(0x4004) == ("made", 4)
    finally:
        os.unlink(path)
    assert not PerfMap.of(os.getpid()).is_there


def test_a_mapping_replaces_what_it_covers() -> None:
    """The middle of a file's mapping is mapped anew: what is left on both sides keeps its offsets."""
    old = Mapping(0x1000, 0x9000, 0x5000, (8, 1), 7, "/old")
    new = Mapping(0x3000, 0x5000, 0, (8, 1), 8, "/new")
    space = AddressSpace(1, 0, [old])
    space.add(new)
    assert space.mappings == [
        Mapping(0x1000, 0x3000, 0x5000, (8, 1), 7, "/old"), new, Mapping(0x5000, 0x9000, 0x9000, (8, 1), 7, "/old"),
    ]  # fmt: skip
    assert space.find(0x4FFF) == new
    assert space.find(0x9000) is None
