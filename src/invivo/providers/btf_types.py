"""The C types of a program from BTF: what `--types FILE` reads where the file has no DWARF.

    types = BtfTypes(Btf(data))
    types.struct("struct", "record").find("next")      Member("next", Pointer(Struct record, Space.USER), 64)
    types.function("visit").parameters                 (("r", Pointer(Struct record)), ("round", Int))

GCC writes BTF with -gbtf, pahole(1) -J from DWARF, Clang for its BPF target. Of functions it tells the types, and
nothing of where they or their variables are.
"""

from __future__ import annotations

from invivo.bpf.btf import Kind
from invivo.program.types import Space, Type
from invivo.providers.kernel_types import KernelTypes
from invivo.providers.program_types import Function

__all__ = ["BtfTypes"]


class BtfTypes(KernelTypes):
    """As KernelTypes, but pointers lead into the process."""

    space = Space.USER

    def symbol(self, module: str, name: str) -> tuple[int, Type] | None:
        """None: where a variable is BTF does not tell. See `variable`."""
        return None

    def variable(self, name: str) -> tuple[int, Type] | None:
        """Address 0, and the type of a variable; None if there is none of that name."""
        found = self._id(name, Kind.VAR)
        return None if found is None else (0, self.type(found))

    def function(self, name: str) -> Function | None:
        """The function of that name, at address 0, or None."""
        found = self._id(name, Kind.FUNC)
        parameters = None if found is None else self._parameters(found)
        if found is None or parameters is None:
            return None
        is_variadic = bool(parameters) and parameters[-1][1] == 0  # `...` is a parameter of no type
        named = parameters[:-1] if is_variadic else parameters
        result = self.btf.type(self.btf.type(found).target).target
        return Function(name, 0, tuple((text, self.type(t)) for text, t in named), self.type(result), is_variadic)
