"""Maps of the running kernel: each kind, batches, errors that name call and map."""

from __future__ import annotations

import errno
import os
import struct

import pytest

from invivo.bpf import enumerate as objects
from invivo.bpf import uapi
from invivo.bpf.map import Map, MapSpec, possible_cpus
from invivo.errors import KernelError

pytestmark = pytest.mark.kernel


def key(number: int) -> bytes:
    return struct.pack("<I", number)


def value(number: int) -> bytes:
    return struct.pack("<Q", number)


HASH = MapSpec("invivo_hash", uapi.BPF_MAP_TYPE_HASH, 4, 8, 16, uapi.BPF_F_NO_PREALLOC)


def test_a_hash_keeps_what_it_is_given() -> None:
    with Map.create(HASH) as live:
        assert live.lookup(key(1)) is None
        live.update(key(1), value(10))
        live.update(key(1), value(11))
        assert live.lookup(key(1)) == value(11)
        assert live.delete(key(1))
        assert not live.delete(key(1))
        assert live.items() == []


def test_a_key_can_be_had_only_once_with_noexist() -> None:
    with Map.create(HASH) as live:
        live.update(key(1), value(1), uapi.BPF_NOEXIST)
        with pytest.raises(KernelError) as caught:
            live.update(key(1), value(2), uapi.BPF_NOEXIST)
    assert caught.value.errno == errno.EEXIST
    assert str(caught.value).startswith("bpf(BPF_MAP_UPDATE_ELEM) of map 'invivo_hash': File exists")


def test_a_full_hash_says_so() -> None:
    with Map.create(HASH) as live:
        for number in range(16):
            live.update(key(number), value(number))
        with pytest.raises(KernelError) as caught:
            live.update(key(16), value(16))
        assert caught.value.errno == errno.E2BIG
        assert sorted(live.keys()) == [key(number) for number in range(16)]


@pytest.mark.parametrize("count", [0, 1, 5000, 20000])
def test_all_of_a_large_hash_is_read_and_deleted_in_batches(count: int) -> None:
    with Map.create(HASH._replace(max_entries=max(count, 1))) as live:
        for number in range(count):
            live.update(key(number), value(number * 3))
        assert dict(live.items()) == {key(number): value(number * 3) for number in range(count)}
        gone = [key(number) for number in range(0, count, 2)]
        live.delete_many([*gone, key(count + 7)])
        assert {k for k, _ in live.items()} == {key(number) for number in range(1, count, 2)}


def test_a_per_cpu_hash_has_a_value_for_each_cpu() -> None:
    spec = MapSpec("invivo_percpu", uapi.BPF_MAP_TYPE_PERCPU_HASH, 4, 12, 4, uapi.BPF_F_NO_PREALLOC)
    cpus = possible_cpus()
    with Map.create(spec) as live:
        given = b"".join(bytes([cpu + 1] * 12) + bytes(4) for cpu in range(cpus))  # 12 bytes take 16
        live.update(key(1), given)
        assert live.lookup(key(1)) == given
        assert live.items() == [(key(1), given)]
    assert cpus >= (os.cpu_count() or 1)


def test_a_mapped_array_is_shared_memory() -> None:
    spec = MapSpec("invivo_array", uapi.BPF_MAP_TYPE_ARRAY, 4, 16, 2, uapi.BPF_F_MMAPABLE)
    with Map.create(spec) as live, live.mmap() as memory:
        live.update(key(1), b"A" * 16)
        assert memory[:32] == bytes(16) + b"A" * 16
        memory[0:8] = value(5)
        assert live.lookup(key(0)) == value(5) + bytes(8)


def test_a_frozen_map_takes_no_more() -> None:
    spec = MapSpec("invivo_frozen", uapi.BPF_MAP_TYPE_ARRAY, 4, 8, 1, uapi.BPF_F_RDONLY_PROG)
    with Map.create(spec) as live:
        live.update(key(0), value(1))
        live.freeze()
        with pytest.raises(KernelError) as caught:
            live.update(key(0), value(2))
    assert caught.value.errno == errno.EPERM


def test_sizes_are_checked_before_the_kernel_reads_memory() -> None:
    with Map.create(HASH) as live:
        with pytest.raises(ValueError, match="keys of 4 bytes, not 3"):
            live.lookup(b"abc")
        with pytest.raises(ValueError, match="values of 8 bytes, not 4"):
            live.update(key(1), b"abcd")


def test_a_map_that_cannot_be_names_call_and_map() -> None:
    with pytest.raises(KernelError) as caught:
        Map.create(MapSpec("invivo_bad", uapi.BPF_MAP_TYPE_RINGBUF, 0, 0, 4097))
    assert str(caught.value) == "bpf(BPF_MAP_CREATE) of map 'invivo_bad': Invalid argument (errno 22)"


def test_a_closed_map_is_gone() -> None:
    name = f"iv_{os.getpid()}"
    live = Map.create(HASH._replace(name=name))
    assert any(found.name == name for found in objects.maps())
    fd = live.fd
    live.close()
    live.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    assert not any(found.name == name for found in objects.maps())
