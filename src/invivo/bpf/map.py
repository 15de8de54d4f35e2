"""BPF maps: `MapSpec` says what to make, `Map` owns one.

    with Map.create(MapSpec("counts", uapi.BPF_MAP_TYPE_HASH, 4, 8, 1024)) as counts:
        counts.update(b"\\1\\0\\0\\0", bytes(8))
        counts.items()          [(key, value), ...]

A per-CPU map's values are those of all possible CPUs in a row, each rounded up to 8 bytes.
Source: bpf(2); kernel/bpf/syscall.c for the batch commands.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
from typing import NamedTuple

from invivo.bpf import uapi
from invivo.bpf.syscall import address, bpf, try_bpf
from invivo.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

__all__ = ["Map", "MapSpec", "possible_cpus"]

_CREATE = struct.Struct("<IIIIIII16s")
_ELEMENT = struct.Struct("<IIQQQ")
_BATCH = struct.Struct("<QQQQIIQQ")
_PER_CPU = (uapi.BPF_MAP_TYPE_PERCPU_HASH, uapi.BPF_MAP_TYPE_PERCPU_ARRAY)
_BATCH_COUNT = 4096
_ENOTSUPP = 524  # the kernel's own, without a name in errno(3)

_cpus = 0


class MapSpec(NamedTuple):
    """Sizes in bytes; `flags` are uapi.BPF_F_*. `inner_fd`, of an array of maps: a map like those that it will hold."""

    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    inner_fd: int = 0


def possible_cpus() -> int:
    """How many values a per-CPU map has for a key: the highest CPU that may ever come, plus one."""
    global _cpus
    if not _cpus:
        with open("/sys/devices/system/cpu/possible", encoding="ascii") as stream:
            _cpus = int(stream.read().strip().replace(",", "-").split("-")[-1]) + 1
    return _cpus


class Map:
    """A live map; closing it (or the end of the process) gives it back to the kernel.

    `value_bytes` is the size of a value as `lookup` and `update` have it: that of all CPUs, for a per-CPU map.
    """

    __slots__ = ("fd", "spec", "value_bytes")

    def __init__(self, fd: int, spec: MapSpec) -> None:
        self.fd = fd
        self.spec = spec
        self.value_bytes = spec.value_size
        if spec.type in _PER_CPU:
            self.value_bytes = (spec.value_size + 7 & ~7) * possible_cpus()

    @classmethod
    def create(cls, spec: MapSpec) -> Self:
        """Make a map.

        Raises:
            RightsError, KernelError: The kernel refuses.
        """
        attributes = bytearray(72)
        name = spec.name.encode("ascii", "replace")[:15]
        _CREATE.pack_into(
            attributes, 0, spec.type, spec.key_size, spec.value_size, spec.max_entries, spec.flags, spec.inner_fd, 0,
            name,
        )  # fmt: skip
        return cls(bpf(uapi.BPF_MAP_CREATE, attributes, f"map '{spec.name}'"), spec)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the map back; may be called twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def lookup(self, key: bytes) -> bytes | None:
        """The value (all CPUs' in a row), or None."""
        value = bytearray(self.value_bytes)
        code = self._element(uapi.BPF_MAP_LOOKUP_ELEM, key, value)
        if code == errno.ENOENT:
            return None
        self._check(code, "BPF_MAP_LOOKUP_ELEM")
        return bytes(value)

    def update(self, key: bytes, value: bytes, flags: int = uapi.BPF_ANY) -> None:
        """Set a value (all CPUs' in a row)."""
        if len(value) != self.value_bytes:
            raise ValueError(f"map '{self.spec.name}' has values of {self.value_bytes} bytes, not {len(value)}")
        self._check(self._element(uapi.BPF_MAP_UPDATE_ELEM, key, value, flags), "BPF_MAP_UPDATE_ELEM")

    def delete(self, key: bytes) -> bool:
        """Remove a key; whether it was there."""
        code = self._element(uapi.BPF_MAP_DELETE_ELEM, key, b"")
        if code == errno.ENOENT:
            return False
        self._check(code, "BPF_MAP_DELETE_ELEM")
        return True

    def keys(self) -> Iterator[bytes]:
        """All keys; those that come or go meanwhile may be missed."""
        before: bytes | None = None
        while True:
            key = bytearray(self.spec.key_size)
            attributes = bytearray(_ELEMENT.size)
            pointer = 0 if before is None else address(before)
            _ELEMENT.pack_into(attributes, 0, self.fd, 0, pointer, address(key), 0)
            _, code = try_bpf(uapi.BPF_MAP_GET_NEXT_KEY, attributes)
            if code == errno.ENOENT:
                return
            self._check(code, "BPF_MAP_GET_NEXT_KEY")
            before = bytes(key)
            yield before

    def items(self) -> list[tuple[bytes, bytes]]:
        """All (key, value) pairs, read in batches where the kernel can."""
        # Linux 5.6 (cb4d03ab499d) brought batches for hash maps; one by one before it.
        found = self._items_in_batches()
        if found is not None:
            return found
        pairs = ((key, self.lookup(key)) for key in list(self.keys()))
        return [(key, value) for key, value in pairs if value is not None]

    def _items_in_batches(self) -> list[tuple[bytes, bytes]] | None:
        key_size, value_size = self.spec.key_size, self.value_bytes
        found: list[tuple[bytes, bytes]] = []
        room = min(_BATCH_COUNT, max(self.spec.max_entries, 64))
        position_in, position_out = bytearray(max(key_size, 4)), bytearray(max(key_size, 4))
        is_first = True
        while True:
            keys, values = bytearray(key_size * room), bytearray(value_size * room)
            attributes = bytearray(_BATCH.size)
            start = 0 if is_first else address(position_in)
            _BATCH.pack_into(
                attributes, 0, start, address(position_out), address(keys), address(values), room, self.fd, 0, 0
            )
            _, code = try_bpf(uapi.BPF_MAP_LOOKUP_BATCH, attributes)
            if code == errno.ENOSPC:  # one bucket holds more than there is room for
                room *= 2
                continue
            if code not in (0, errno.ENOENT):
                if is_first and code in (errno.EINVAL, _ENOTSUPP):
                    return None
                self._check(code, "BPF_MAP_LOOKUP_BATCH")
            count = struct.unpack_from("<I", attributes, 32)[0]
            for index in range(count):
                found.append(
                    (
                        bytes(keys[index * key_size : (index + 1) * key_size]),
                        bytes(values[index * value_size : (index + 1) * value_size]),
                    )
                )
            if code == errno.ENOENT:
                return found
            position_in, position_out = position_out, position_in
            is_first = False

    def delete_many(self, keys: Sequence[bytes]) -> None:
        """Remove keys that are there."""
        for start in range(0, len(keys), _BATCH_COUNT):
            part = keys[start : start + _BATCH_COUNT]
            joined = b"".join(part)
            attributes = bytearray(_BATCH.size)
            _BATCH.pack_into(attributes, 0, 0, 0, address(joined), 0, len(part), self.fd, 0, 0)
            _, code = try_bpf(uapi.BPF_MAP_DELETE_BATCH, attributes)
            if code:
                for key in part:
                    self.delete(key)

    def freeze(self) -> None:
        """No system call may change the map any more; the verifier then takes its content for constant."""
        attributes = bytearray(4)
        struct.pack_into("<I", attributes, 0, self.fd)
        bpf(uapi.BPF_MAP_FREEZE, attributes, f"map '{self.spec.name}'")

    def mmap(self) -> mmap.mmap:
        """The values of a BPF_F_MMAPABLE array as shared memory, to read and write."""
        size = (self.spec.value_size + 7 & ~7) * self.spec.max_entries
        return mmap.mmap(self.fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)

    def _element(self, command: int, key: bytes, value: bytes | bytearray, flags: int = 0) -> int:
        if len(key) != self.spec.key_size:
            raise ValueError(f"map '{self.spec.name}' has keys of {self.spec.key_size} bytes, not {len(key)}")
        attributes = bytearray(_ELEMENT.size)
        _ELEMENT.pack_into(attributes, 0, self.fd, 0, address(key), address(value) if value else 0, flags)
        return try_bpf(command, attributes)[1]

    def _check(self, code: int, command: str) -> None:
        if code:
            raise KernelError(code, f"bpf({command})", f"map '{self.spec.name}'")
