"""Identities and addresses to stacks and names, each asked for once.

    stack id 0x5f3759df  ->  Stack((0xffffffff81234567, ...), ("vmlinux`vfs_read+0x17", ...), False, 0)
    0xffffffff81234567   ->  "vmlinux`vfs_read+0x17", as mod "vmlinux", as sym "vmlinux`vfs_read"
"""

from __future__ import annotations

from invivo.consumer.records import Stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.consumer.output import Services

__all__ = ["Resolver"]

_KEPT = 65536  # names and stacks remembered; then the memory is emptied


class Resolver:
    """Asks the services, and remembers the answers."""

    __slots__ = ("_kernel_names", "_services", "_stacks")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stacks: dict[tuple[int, bool, int, int], Stack] = {}
        self._kernel_names: dict[int, str] = {}

    def stack(self, identity: int, is_user: bool, pid: int, depth: int) -> Stack:
        """The stack with that identity, at most `depth` frames of it (0: all)."""
        key = (identity, is_user, pid, depth)
        found = self._stacks.get(key)
        if found is None:
            addresses = tuple(self._services.stack(identity)) if identity else ()
            if depth:
                addresses = addresses[:depth]
            name = self.user_name if is_user else self.kernel_name
            found = Stack(addresses, tuple(name(address) for address in addresses), is_user, pid)
            if addresses or not identity:  # an empty answer may be a stack that is still on its way
                self._keep(self._stacks, key, found)
        return found

    def kernel_name(self, address: int) -> str:
        """``module`symbol+0xoffset``, or 0x... ."""
        found = self._kernel_names.get(address)
        if found is None:
            found = self._services.kernel_symbol(address)
            self._keep(self._kernel_names, address, found)
        return found

    def user_name(self, address: int) -> str:
        """A user address; by number, as no process's symbols are read yet."""
        return f"{address:#x}"

    def symbol(self, form: str, address: int) -> str:
        """What sym(), func(), mod() and their user-space kin (`form`) show of an address."""
        if form.startswith("u"):
            return self.user_name(address)
        name = self.kernel_name(address)
        if "`" not in name:
            return name
        if form == "mod":
            return name.partition("`")[0]
        head, plus, offset = name.rpartition("+0x")
        return head if plus and all(digit in "0123456789abcdef" for digit in offset) else name

    @staticmethod
    def _keep(memory: dict, key: object, value: object) -> None:  # type: ignore[type-arg]
        if len(memory) >= _KEPT:
            memory.clear()
        memory[key] = value
