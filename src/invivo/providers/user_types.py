"""Types and variables of the process that is traced, by name: TypeSources over its files' debug information.

    target = UserTypes(pid=4711)                 the program first, then what --types names
    target.struct("struct", "ngx_connection_s")  the members' places, from DWARF
    target.symbol("", "ngx_cycle")               (0x55d0c8e2a0c8, Pointer(Struct ngx_cycle_s)): address in that process
    UserTypes(pid=4711).of("/usr/lib/.../libfoo.so")   the same view from a library: its own names come first

A file without debug information knows no types; `missing` then says so, for messages. Types of a file that was given
(--types) stand in for what the program's own file lacks; addresses are always those of the files that run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from invivo import dependencies
from invivo.errors import InvivoError, TargetError
from invivo.linux.maps import read_maps
from invivo.program.nodes import Call
from invivo.program.sources import TypeSource
from invivo.program.types import ULONG, Pointer, Struct, Type
from invivo.providers.btf_types import BtfTypes
from invivo.providers.expressions import Maker, binary, literal, member
from invivo.providers.program_types import Function, ProgramTypes
from invivo.providers.type_chain import TypeChain
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ET_EXEC, PF_X, PT_LOAD, ElfError
from invivo.symbols.objects import MappedObject, mapped_objects

__all__ = ["FileTypes", "UserTypes"]


class UserTypes(TypeChain):
    """`pid` is the process (0: none is known), `given` are the paths of --types.

    Raises:
        TargetError: From every method, where a given file cannot be read or has no types.
    """

    def __init__(self, pid: int = 0, given: Sequence[str] = (), kernel: TypeSource | None = None) -> None:
        """`kernel` tells where the kernel keeps the address of a process's program."""
        self.pid = pid
        self.kernel = kernel
        self._given_paths = tuple(given)
        self._given: list[TypeSource] | None = None
        self._files: dict[str, ProgramTypes | None] = {}
        self._views: dict[tuple[str, int], FileTypes] = {}
        self._objects: dict[int, list[MappedObject]] = {}
        self.missing: dict[str, str] = {}

    @property
    def given(self) -> list[TypeSource]:
        """The types of --types, opened now if they were not."""
        if self._given is None:
            self._given = [_open_given(path) for path in self._given_paths]
        return self._given

    def of(self, object_: MappedObject, pid: int = 0) -> FileTypes:
        """What probes in a file see: its own names, then the given ones. `pid` is the process, if there is only one."""
        key = object_.place, pid or self.pid
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = FileTypes(self, object_, key[1])
        return view

    def file(self, object_: MappedObject) -> ProgramTypes | None:
        """A file's debug information; None where it has none (`missing` says why)."""
        if object_.place not in self._files:
            try:
                self._files[object_.place] = ProgramTypes(object_.place)
            except TargetError as error:
                self._files[object_.place] = None
                self.missing[object_.place] = error.message
        return self._files[object_.place]

    def objects(self, pid: int) -> list[MappedObject]:
        """The files that a process has mapped, the program first; none if it cannot be asked."""
        if pid not in self._objects:
            try:
                self._objects[pid] = mapped_objects(pid) if pid else []
            except InvivoError:
                self._objects[pid] = []
        return self._objects[pid]

    def _program(self) -> FileTypes | None:
        found = next((item for item in self.objects(self.pid) if item.is_program), None)
        return None if found is None else self.of(found)

    def _sources(self) -> Iterator[TypeSource]:
        program = self._program()
        if program is not None:
            yield program
        else:
            yield from self.given

    # --- TypeSource ---------------------------------------------------------------------------------------------

    def symbol(self, module: str, name: str) -> tuple[int | Maker, Type] | None:
        """A variable of the target; see FileTypes.symbol."""
        program = self._program()
        return None if program is None else program.symbol(module, name)


class FileTypes(TypeChain):
    """The names that a probe in one file sees. `pid` is the process whose memory its variables are in, or 0."""

    def __init__(self, user: UserTypes, object_: MappedObject, pid: int) -> None:
        self._user = user
        self._object = object_
        self._pid = pid

    @property
    def own(self) -> ProgramTypes | None:
        """The file's own debug information, if it has any."""
        return self._user.file(self._object)

    @property
    def missing(self) -> str:
        """Why the file's own debug information cannot be had, or ""."""
        return "" if self.own is not None else self._user.missing.get(self._object.place, "")

    def _sources(self) -> Iterator[TypeSource]:
        own = self.own
        if own is not None:
            yield own
        yield from self._user.given

    def function(self, name: str, address: int) -> Function | None:
        """Parameters and result of the function at a link-time address, or of that name in a file of --types."""
        own = self.own
        if own is not None and (found := own.function_at(name, address)) is not None:
            return found
        for source in self._user.given:
            if isinstance(source, ProgramTypes | BtfTypes) and (found := source.function(name)) is not None:
                return found
        return None

    def symbol(self, module: str, name: str) -> tuple[int | Maker, Type] | None:
        """Where a variable is in the process, and its type. `module` is a file's name; without, this file's variables
        are meant, then those of the program.

        Raises:
            TargetError: There is such a variable, but where cannot be told; the message says why.
        """
        mapped = self._user.objects(self._pid)
        if module:
            places = [item for item in mapped if module in item.names]
            if not places and module in self._object.names:
                places = [self._object]
        else:
            places = [self._object, *(item for item in mapped if item.is_program and item.place != self._object.place)]
        for object_ in places:
            found = self._variable(object_, name)
            if found is not None:
                address, type_ = found
                if not self._pid and (own := self._in_program(object_, address)) is not None:
                    return own, type_
                return address + self._bias(object_, name), type_
        return None

    def _variable(self, object_: MappedObject, name: str) -> tuple[int, Type] | None:
        """Link-time address and type: the type may be told by another file than the one that has the variable."""
        types = self._user.file(object_)
        found = types.variable(name) if types is not None else None
        if found is not None and found[0]:
            return found
        address = _symbol_address(object_, name)
        if address is None:
            return None
        if found is not None:
            return address, found[1]
        for source in self._user.given:
            if isinstance(source, ProgramTypes | BtfTypes) and (other := source.variable(name)) is not None:
                return address, other[1]
        raise TargetError(
            f"the variable '{name}' of '{object_.path}' has no type: {self._user.missing.get(object_.place, '')}",
            "--types FILE names a file that declares it: one compiled with -g against the program's headers",
        )

    def _in_program(self, object_: MappedObject, address: int) -> Maker | None:
        """The address in whichever process runs the file as its program: the kernel knows where its code begins."""
        with ElfFile.open(object_.place, object_.path) as elf:
            code = [s.address for s in elf.segments if s.type == PT_LOAD and s.flags & PF_X]
            if elf.type == ET_EXEC or not elf.interpreter or not code or self._user.kernel is None:
                return None
            distance = address - min(code)
        task = self._user.kernel.struct("struct", "task_struct")
        if not isinstance(task, Struct):
            return None
        start, _ = member(lambda span: Call("current_task", (), Pointer(task), span), task, "mm.start_code")
        return binary("+", start, literal(distance & (1 << 64) - 1, ULONG), ULONG)

    def _bias(self, object_: MappedObject, name: str) -> int:
        """What the process has added to the file's addresses."""
        dependencies.never("addresses in a process are its own")
        with ElfFile.open(object_.place, object_.path) as elf:
            if elf.type == ET_EXEC:
                return 0
            for mapping in (read_maps(self._pid) or ()) if self._pid else ():
                if mapping.path.removesuffix(" (deleted)") == object_.path:
                    linked = elf.to_address(mapping.offset)
                    if linked is not None:
                        return mapping.start - linked
        raise TargetError(
            f"where '{name}' of '{object_.path}' is in memory depends on the process, and none is given",
            "trace one process: -p PID, or -c COMMAND",
        )


def _symbol_address(object_: MappedObject, name: str) -> int | None:
    """The link-time address of a data symbol."""
    try:
        with ElfFile.open(object_.place, object_.path) as elf:
            for table in (".symtab", ".dynsym"):
                for symbol in elf.symbols(table):
                    if symbol.name == name and symbol.kind in (0, 1):  # STT_NOTYPE, STT_OBJECT
                        return symbol.address
    except ElfError:
        pass
    return None


def _open_given(path: str) -> TypeSource:
    """DWARF, or where there is none BTF.

    Raises:
        TargetError: The file has neither.
    """
    try:
        return ProgramTypes(path)
    except TargetError as error:
        refused = error
    data = b""
    try:
        with ElfFile.open(path) as elf:
            section = elf.section(".BTF")
            data = elf.contents(section) if section is not None else b""
    except ElfError:
        with open(path, "rb") as stream:
            start = stream.read(2)
            if start == b"\x9f\xeb":  # raw BTF, as in /sys/kernel/btf
                data = start + stream.read()
    if not data:
        raise TargetError(f"--types: {refused.message}", "give a file compiled with -g, or one with BTF")
    from invivo.bpf.btf import Btf

    return BtfTypes(Btf(data))
