"""Programs whose debug information has been damaged, and what becomes of reading it.

    outcomes(path, range(40))   {"read": 31, "refused": 9}

Each file is read in a child of its own, which may take ten seconds: a crash or an endless loop is an outcome too.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterable

from invivo.errors import InvivoError
from invivo.program.types import Pointer, Struct, Type
from invivo.providers.program_types import ProgramTypes
from invivo.symbols.dwarf import DwarfFile
from invivo.symbols.elf import ElfFile
from invivo.symbols.files import MappedFile
from invivo.symbols.function_names import FunctionNames
from invivo.symbols.lines import SourceLines
from invivo.symbols.stapsdt import read_sites
from invivo.symbols.unwind import read_rules

__all__ = ["damaged", "outcomes"]

_PATIENCE_S = 10.0
_METHOD = "_ZN6Holder3sumEi"  # of tests/triggers/objects.cc
_TABLES = (
    ".debug_info", ".debug_abbrev", ".debug_line", ".debug_loclists", ".debug_rnglists", ".debug_str", ".eh_frame",
)  # fmt: skip


def damaged(original: bytes, seed: int) -> bytes:
    """The file with a few bytes changed: of its headers, its debug information or its notes; or cut off."""
    chance = random.Random(seed)
    data = bytearray(original)
    with ElfFile(original, "original") as elf:
        places = [(s.offset, s.size) for s in elf.sections if s.size and s.name in _TABLES]
        section_headers = elf._section_place[0]
    places += [(0, 64), (64, 400), (section_headers, len(data) - section_headers)]
    if chance.random() < 0.05:
        return bytes(data[: chance.randrange(len(data))])
    for _ in range(chance.choice((1, 2, 5, 20))):
        start, size = chance.choice(places)
        at = start + chance.randrange(size)
        if at < len(data):
            data[at] = chance.choice((0, 0xFF, 0x7F, 0x80, chance.randrange(256), data[at] ^ 1 << chance.randrange(8)))
    return bytes(data)


def read_all(path: str) -> None:
    """What a trace would ask of a file.

    Raises:
        InvivoError: It is damaged; the message says so and names the file.
    """
    with ElfFile.open(path) as elf:
        functions = {function.name: function for function in elf.functions()}
        read_sites(elf)
        read_rules(elf)
    names, lines = FunctionNames.of_file(path, path), SourceLines()
    own = MappedFile(path, 0, os.open(path, os.O_RDONLY | os.O_CLOEXEC), "")
    for function in functions.values():
        names.find(function.address + 1)
        lines.find(own, function.address + 1)
    types = ProgramTypes(path)
    for name in ("visit", _METHOD):
        if name in functions and (typed := types.function_at(name, functions[name].address)) is not None:
            for _, type_ in typed.parameters:
                walk(type_, 3)
        if name in functions and _METHOD in functions:
            types.variables_at(functions[name].address + 8)
    types.struct("struct", "Derived")
    for name in ("visit", "total", "mixed"):
        types.function(name)
        types.variables_at((types.function(name) or types.function("main") or _NONE).address)
    record = types.struct("struct", "record")
    for member in record.members if record is not None else ():
        target = member.type.target if isinstance(member.type, Pointer) else member.type
        if isinstance(target, Struct):
            target.find("next")
    types.variable("the_record")
    types.enumerator("GREEN")
    with DwarfFile(types.debug_path) as dwarf:
        for line in dwarf.lines_with_code("fields.c")[:8]:
            for address in dwarf.addresses_of("fields.c", line):
                dwarf.variables_at(address)


def walk(type_: Type, depth: int) -> None:
    """Resolve members."""
    target = type_.target if isinstance(type_, Pointer) else type_
    if isinstance(target, Struct) and depth:
        for member in target.members:
            walk(member.type, depth - 1)


class _NONE:
    address = 0


def outcomes(original: bytes, seeds: Iterable[int]) -> Counter[str]:
    """How many files were read, refused with a message that names them, or ended otherwise ("crash 11 (seed 3)")."""
    import drgn  # noqa: F401  here, and not in each child
    import elftools.dwarf.locationlists
    import elftools.elf.elffile  # noqa: F401

    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            path = os.path.join(folder, f"file{seed}")
            with open(path, "wb") as stream:
                stream.write(damaged(original, seed))
            found[_outcome(path, seed)] += 1
            os.unlink(path)
    return found


def _outcome(path: str, seed: int) -> str:
    pid = os.fork()
    if pid == 0:
        status = 3
        try:
            read_all(path)
            status = 0
        except InvivoError as error:
            status = 1 if path in error.message else 4
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return f"endless (seed {seed})"
        time.sleep(0.002)
    code = os.waitstatus_to_exitcode(status)
    names = {0: "read", 1: "refused", 3: f"traceback (seed {seed})", 4: f"message without the file (seed {seed})"}
    return names.get(code, f"crash {code} (seed {seed})")
