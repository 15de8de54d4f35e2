"""The kernel's symbols, from /proc/kallsyms.

In: an address, or a name. Out: the symbol that covers it, or its address. The file (120,000 lines and more, made by the
kernel line by line) is read on the first question, which takes some 80 ms, and kept as three flat arrays.

    symbols = Kallsyms()
    symbols.find(0xffffffff8120001c)    -> ("vfs_read", 28, "vmlinux")
    symbols.address("vfs_read")         -> 0xffffffff81200000
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Kallsyms"]

_CHUNK_BYTES = 1 << 16
_KERNEL_HALF = 1 << 63  # x86-64 and arm64: below are no kernel addresses, but per-CPU offsets and absolute values
_LAST_SYMBOL_BYTES = 1 << 16  # the symbol before a gap is taken to end here, as the file tells no sizes


class _Table:
    """Symbols in ascending order of address: the addresses, the names in one text, and where in it each begins."""

    __slots__ = ("addresses", "names", "starts")

    def __init__(self, addresses: array[int], names: bytearray, starts: array[int]) -> None:
        self.addresses = addresses
        self.names = names  # each preceded and followed by a newline
        self.starts = starts

    def find(self, address: int) -> tuple[bytes, int] | None:
        index = bisect_right(self.addresses, address) - 1
        if index < 0:
            return None
        start = self.addresses[index]
        if start < _KERNEL_HALF or (index == len(self.addresses) - 1 and address - start >= _LAST_SYMBOL_BYTES):
            return None
        # Of several names for one place the kernel prints the first (get_symbol_pos in kernel/kallsyms.c); so do we.
        while index and self.addresses[index - 1] == start:
            index -= 1
        at = self.starts[index]
        return bytes(self.names[at : self.names.index(b"\n", at)]), address - start

    def address(self, name: bytes) -> int | None:
        at = self.names.find(b"\n" + name + b"\n")
        return self.addresses[bisect_right(self.starts, at + 1) - 1] if at >= 0 else None


class Kallsyms:
    """The symbols of the running kernel and its modules, as they were at the first question.

    `path` is another file of that format.
    """

    __slots__ = ("_kernel", "_modules", "_path", "_reason")

    def __init__(self, path: str = "/proc/kallsyms") -> None:
        self._path = path
        self._kernel: _Table | None = None
        self._modules: _Table | None = None
        self._reason = ""

    def find(self, address: int) -> tuple[str, int, str] | None:
        """(symbol, offset in it, module) of an address; the module of the kernel itself is "vmlinux". Or None."""
        self._load()
        assert self._kernel is not None
        assert self._modules is not None
        found = self._kernel.find(address)
        in_module = self._modules.find(address)
        if found is None or (in_module is not None and in_module[1] < found[1]):
            if in_module is None:
                return None
            name, _, module = in_module[0].partition(b"\t")
            return name.decode("utf-8", "replace"), in_module[1], module.decode("utf-8", "replace")
        return found[0].decode("utf-8", "replace"), found[1], "vmlinux"

    def address(self, name: str) -> int | None:
        """The address of a symbol of the kernel itself; of several with the name, the lowest."""
        self._load()
        assert self._kernel is not None
        address = self._kernel.address(name.encode("utf-8", "surrogateescape"))
        return address if address is not None and address >= _KERNEL_HALF else None

    @property
    def reason(self) -> str:
        """Why there are no symbols, or "" if there are."""
        self._load()
        return self._reason

    def __len__(self) -> int:
        """Number of symbols."""
        self._load()
        assert self._kernel is not None
        assert self._modules is not None
        return len(self._kernel.addresses) + len(self._modules.addresses)

    def _load(self) -> None:
        if self._kernel is None:
            try:
                with open(self._path, "rb") as stream:
                    self._kernel, self._modules = _parse(iter(lambda: stream.read(_CHUNK_BYTES), b""))
            except OSError as error:
                self._reason = f"{self._path} cannot be read: {error.strerror}"
                self._kernel, self._modules = _parse(())
                return
            addresses = self._kernel.addresses
            if not addresses:
                self._reason = f"{self._path} is empty: the kernel was built without CONFIG_KALLSYMS"
            elif not addresses[-1]:
                self._reason = _why_hidden()


def _why_hidden() -> str:
    """Which condition for showing addresses is not met: kallsyms_show_value in kernel/ksyms_common.c."""
    try:
        with open("/proc/sys/kernel/kptr_restrict", "rb") as stream:
            level = int(stream.read())
    except (OSError, ValueError):
        level = 1
    if level == 0:
        return "the kernel hides its addresses from this user: run as root, or with CAP_SYSLOG"
    mend = "as root: sysctl kernel.kptr_restrict=0"
    return f"the kernel hides its addresses (kernel.kptr_restrict is {level}); {mend}"


def _parse(chunks: Iterable[bytes]) -> tuple[_Table, _Table]:
    """The kernel's own symbols, which come first and in order, and those of modules, BPF programs and trampolines."""
    addresses, starts, names = array("Q"), array("I"), bytearray(b"\n")
    others: list[bytes] = []
    rest = b""
    for chunk in chunks:
        lines = rest + chunk
        end = lines.rfind(b"\n") + 1
        lines, rest = lines[:end], lines[end:]
        at = -1 if others else lines.find(b"\t[")
        if others or at >= 0:
            split = 0 if others else lines.rfind(b"\n", 0, at) + 1
            others.extend(lines[split:].splitlines())
            lines = lines[:split]
        # Three columns to a line: a slice for each column is much faster than a loop over the lines.
        words = lines.split()
        block = array("Q", bytes.fromhex(b"".join(words[0::3]).decode()))
        block.byteswap()
        addresses.extend(block)
        _append_names(words[2::3], names, starts)
    return _Table(addresses, names, starts), _parse_others(others)


def _parse_others(lines: list[bytes]) -> _Table:
    symbols = []
    for line in lines:
        address, _, rest = line.partition(b" ")
        name, _, module = rest[2:].partition(b"\t")
        symbols.append((int(address, 16), name + b"\t" + module.strip(b"[]")))
    symbols.sort(key=lambda symbol: symbol[0])
    starts, names = array("I"), bytearray(b"\n")
    _append_names([name for _, name in symbols], names, starts)
    return _Table(array("Q", [address for address, _ in symbols]), names, starts)


def _append_names(new: list[bytes], names: bytearray, starts: array[int]) -> None:
    position = len(names)
    for name in new:
        starts.append(position)
        position += len(name) + 1
    names += b"\n".join(new) + b"\n" if new else b""
