"""Identities and addresses to stacks and names, each asked for once.

    stack id 0x5f3759df  ->  Stack((0xffffffff81234567, ...), ("vmlinux`vfs_read+0x17", ...), False, 0)
    0xffffffff81234567   ->  "vmlinux`vfs_read+0x17", as mod "vmlinux", as sym "vmlinux`vfs_read"
    0x7f3a1c0fe2a0 of process 4711   ->  "libc.so.6`read+0x10", or "0x7f3a1c0fe2a0 [nothing was mapped there]"
"""

from __future__ import annotations

import struct

from invivo.consumer.records import Stack, UserAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.consumer.output import Services

__all__ = ["Resolver"]

_OF_PROCESS = struct.Struct("<QII")  # as FieldKind.USYMBOL says
_KEPT = 65536  # names and stacks remembered; then the memory is emptied


class Resolver:
    """Asks the services, and remembers the answers. Without names (option noresolve) addresses show their digits. With
    lines (option srcline) addresses of processes show their place in the source, and stacks the inlined functions."""

    __slots__ = ("_first", "_has_lines", "_has_names", "_kernel_names", "_services", "_stacks", "_user_names")

    def __init__(self, services: Services, *, has_names: bool = True, has_lines: bool = False) -> None:
        self._services = services
        self._has_names = has_names
        self._has_lines = has_lines
        self._stacks: dict[tuple[int, bool, int, int, int], Stack] = {}
        self._kernel_names: dict[int, str] = {}
        self._user_names: dict[tuple[int, int, int, bool], str] = {}
        self._first: dict[tuple[str, str], bytes] = {}

    def stack(self, identity: int, is_user: bool, pid: int, depth: int, generation: int = 0) -> Stack:
        """The stack with that identity, at most `depth` frames of it (0: all); see `user_name` for `generation`."""
        key = (identity, is_user, pid, depth, generation)
        found = self._stacks.get(key)
        if found is None:
            addresses = tuple(self._services.stack(identity)) if identity else ()
            if depth:
                addresses = addresses[:depth]
            if is_user:
                names = self._user_frames(addresses, pid, generation)
            else:
                names = tuple(self.kernel_name(address) for address in addresses)
            found = Stack(addresses, names, is_user, pid)
            if addresses or not identity:  # an empty answer may be a stack that is still on its way
                self._keep(self._stacks, key, found)
        return found

    def kernel_name(self, address: int) -> str:
        """``module`symbol+0xoffset``, or 0x... ."""
        if not self._has_names:
            return f"{address:#x}"
        found = self._kernel_names.get(address)
        if found is None:
            found = self._services.kernel_symbol(address)
            self._keep(self._kernel_names, address, found)
        return found

    def user_name(self, address: int, pid: int, generation: int = 0) -> str:
        """``module`symbol+0xoffset`` of a process's address, or its digits and why there is no name.

        Args:
            generation: Which program the process ran then, as a field says; 0: the one that it runs now.
        """
        if not self._has_names or address == 0:  # no process has a name for NULL: it needs no reason
            return f"{address:#x}"
        return self._user_name(address, pid, generation, False)

    def _user_name(self, address: int, pid: int, generation: int, is_return: bool) -> str:
        key = (address, pid, generation, is_return)
        found = self._user_names.get(key)
        if found is None:
            found = self._services.user_symbol(pid, address, generation, is_return=is_return)
            self._keep(self._user_names, key, found)
        return found

    def user_place(self, address: int, pid: int, generation: int = 0) -> str:
        """The name, and with lines the place in the source behind it: ``module`symbol+0xoffset (file:line)``."""
        name = self.user_name(address, pid, generation)
        if not self._has_lines or not self._has_names or address == 0:
            return name
        return _placed(name, self._services.user_frames(pid, address, generation)[0][1])

    def _user_frames(self, addresses: tuple[int, ...], pid: int, generation: int) -> tuple[str, ...]:
        """The frames of a stack: all addresses but the first were put there by calls."""
        if not self._has_names:
            return tuple(f"{address:#x}" for address in addresses)
        if not self._has_lines:
            return tuple(self._user_name(address, pid, generation, bool(i)) for i, address in enumerate(addresses))
        names = []
        for index, address in enumerate(addresses):
            for name, place, is_inlined in self._services.user_frames(pid, address, generation, is_return=bool(index)):
                names.append(_placed(name, place) + (" [inlined]" if is_inlined else ""))
        return tuple(names)

    def symbol(self, form: str, address: int) -> str:
        """What sym(), func() and mod() (`form`) show of an address."""
        return _in_form(form, self.kernel_name(address))

    def user_symbol(self, form: str, where: UserAddress) -> str:
        """What usym(), ufunc(), umod() and uaddr() (`form`) show of a process's address."""
        if form == "uaddr":
            return self.user_place(*where)
        return _in_form(form[1:], self.user_name(*where))

    def representative(self, form: str, raw: bytes) -> bytes:
        """The field's bytes that were first met with the name that these have in this form."""
        if form.startswith("u"):
            name = self.user_symbol(form, UserAddress(*_OF_PROCESS.unpack(raw)))
        else:
            name = self.symbol(form, int.from_bytes(raw, "little"))
        return self._first.setdefault((form, name), raw)

    @staticmethod
    def _keep(memory: dict, key: object, value: object) -> None:  # type: ignore[type-arg]
        if len(memory) >= _KEPT:
            memory.clear()
        memory[key] = value


def _placed(name: str, place: str) -> str:
    return f"{name} ({place})" if place else name


def _in_form(form: str, name: str) -> str:
    """A full name cut to what sym, func, mod and addr show of it."""
    module, tick, symbol = name.partition("`")
    if not tick or form == "addr":
        return name
    if form == "mod":
        return module
    head, plus, offset = symbol.rpartition("+0x")
    return f"{module}`{head}" if plus and all(digit in "0123456789abcdef" for digit in offset) else name
