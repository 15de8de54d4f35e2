"""What a session's consumer may ask of the system: fresh totals, the frames of a stack, names of addresses.

    services = Services(engine)
    services.kernel_symbol(0xffffffff81e3a2b4)       "vmlinux`vfs_read+0x4"

Tables of symbols are read when first asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.engines.dump import DumpEngine
    from invivo.engines.kernel.engine import KernelEngine
    from invivo.engines.process.engine import ProcessEngine
    from invivo.symbols.kernel import KernelSymbols
    from invivo.symbols.symbolize import Symbolizer

__all__ = ["Services"]


class Services:
    """See the module's text."""

    __slots__ = ("_engine", "_symbolizer", "_symbols")

    def __init__(self, engine: KernelEngine | ProcessEngine | DumpEngine) -> None:
        self._engine = engine
        self._symbols: KernelSymbols | None = None
        self._symbolizer: Symbolizer | None = None

    def refresh(self) -> None:
        self._engine.refresh()

    def stack(self, identity: int) -> Sequence[int]:
        return self._engine.stack(identity)

    def kernel_symbol(self, address: int) -> str:
        if self._symbols is None:
            from invivo.symbols.kernel import KernelSymbols

            self._symbols = KernelSymbols()
        return self._symbols.name(address)

    def user_symbol(self, pid: int, address: int, generation: int = 0, *, is_return: bool = False) -> str:
        return self._names.name(pid, generation, address, is_return=is_return)

    def user_frames(
        self, pid: int, address: int, generation: int = 0, *, is_return: bool = False
    ) -> tuple[tuple[str, str, bool], ...]:
        return self._names.frames(pid, generation, address, is_return=is_return)

    @property
    def _names(self) -> Symbolizer:
        if self._symbolizer is None:
            from invivo.symbols.normalize import AddressSpaces
            from invivo.symbols.symbolize import Symbolizer

            source = getattr(self._engine, "watch", None) or self._engine
            self._symbolizer = Symbolizer(getattr(source, "spaces", None) or AddressSpaces())
        return self._symbolizer
