"""Names of kernel addresses, as dtrace prints them.

In: an address, from a stack or a `%a`. Out: ``module`symbol+0xoffset``, or the number where there is no name.

    KernelSymbols().name(0xffffffff8120001c)   -> "vmlinux`vfs_read+0x1c"
    KernelSymbols().name(0xffffffff81200000)   -> "vmlinux`vfs_read"
    KernelSymbols().name(0x10)                 -> "0x10"
"""

from __future__ import annotations

from invivo.linux.kallsyms import Kallsyms

__all__ = ["KernelSymbols"]

_KEPT = 16384


class KernelSymbols:
    """Reads /proc/kallsyms at the first question, and remembers the answers."""

    __slots__ = ("_names", "_symbols")

    def __init__(self, symbols: Kallsyms | None = None) -> None:
        self._symbols = Kallsyms() if symbols is None else symbols
        self._names: dict[int, str] = {}

    def name(self, address: int) -> str:
        """The address as text; never fails, see `reason` for why a name may be missing."""
        name = self._names.get(address)
        if name is None:
            found = self._symbols.find(address)
            if found is None:
                name = f"{address:#x}"
            else:
                symbol, offset, module = found
                name = f"{module}`{symbol}+{offset:#x}" if offset else f"{module}`{symbol}"
            if len(self._names) >= _KEPT:
                self._names.clear()
            self._names[address] = name
        return name

    @property
    def reason(self) -> str:
        """Why no address gets a name (the kernel hides them, say), or ""."""
        return self._symbols.reason
