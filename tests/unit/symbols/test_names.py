"""Names of functions: demangled as c++filt(1) does, and those of JIT compilers."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from invivo.linux.maps import Mapping
from invivo.symbols.demangle import demangle
from invivo.symbols.normalize import AddressSpace
from invivo.symbols.perf_map import PerfMap

MANGLED = ["_ZNSt6vectorIiSaIiEE9push_backERKi", "_ZN4deep4downEi", "_ZSt4sortIPiEvT_S1_", "main", "_Zbroken", "_start"]


def test_names_of_cxx_are_what_cxxfilt_makes_of_them() -> None:
    if shutil.which("c++filt") is None:
        pytest.skip("c++filt is not there (apt-get install binutils)")
    run = subprocess.run(["c++filt"], input="\n".join(MANGLED), capture_output=True, text=True, check=True)
    assert [demangle(name) for name in MANGLED] == run.stdout.splitlines()


def test_clones_and_rust() -> None:
    if demangle("_ZN4deep4downEi") == "_ZN4deep4downEi":
        pytest.skip("there is no libstdc++ to demangle with")
    assert demangle("_ZN4deep4downEi.cold") == "deep::down(int) [cold]"
    assert demangle("_ZN4core3fmt5write17h0123456789abcdefE") == "core::fmt::write"
    assert demangle("_Z" + "a" * 100_000) == "_Z" + "a" * 100_000


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
