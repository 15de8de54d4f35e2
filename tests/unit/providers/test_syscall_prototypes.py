"""The table of system calls' parameters against tracefs, where it may be read, and by hand."""

from __future__ import annotations

import os

import pytest

from invivo.linux import tracefs
from invivo.providers.syscall_prototypes import parameters


def test_openat_as_the_manual_page_has_it() -> None:
    assert parameters("openat") == [
        ("int", "dfd"), ("const char *", "filename"), ("int", "flags"), ("umode_t", "mode"),
    ]  # fmt: skip


def test_calls_without_parameters_and_calls_that_there_are_not() -> None:
    assert parameters("getpid") == []
    assert parameters("getpi") is None
    assert parameters("") is None


def test_parameters_agree_with_tracefs() -> None:
    base = next((place for place in tracefs.PLACES if os.access(f"{place}/events/syscalls", os.R_OK | os.X_OK)), None)
    if base is None:
        pytest.skip("tracefs may not be read")
    compared = 0
    for entry in os.listdir(f"{base}/events/syscalls"):
        name = entry.removeprefix("sys_enter_")
        known = None if name == entry else parameters(name)
        if known is not None:
            fields = [f for f in tracefs.event_format("syscalls", entry, base) if f.name != "__syscall_nr"]
            assert [field.name for field in fields if not field.is_data_loc] == [part for _, part in known], name
            compared += 1
    assert compared > 250
