"""Files with debug information, opened by drgn: their types, and the source lines of their code.

    program = open_program("/usr/sbin/nginx")        a drgn.Program; addresses are those that the file gives itself
    program.source_location(0x3f2c0)
    with reading("/usr/sbin/nginx"): ...             what drgn raises comes out as a TargetError

The separate file of a debug package counts too, found by build ID, by .gnu_debuglink, or given. Nothing is asked of the
network. Source: drgn's manual.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from invivo import dependencies
from invivo.errors import InvivoError, TargetError
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import ElfError

__all__ = ["open_program", "reading"]

# Sections of files whose debug information is partly in others. Clang makes .debug_addr without need, too.
_ELSEWHERE = (".gnu_debugaltlink", ".debug_sup", ".debug_addr", ".gnu_debuglink")


def open_program(path: str, debug_place: str = "") -> Any:
    """A file with its debug information, which may lie in another one (`debug_place`, where that is known).

    Raises:
        TargetError: It has none.
    """
    import logging

    import drgn


    logging.getLogger("drgn").disabled = True  # what it says of damaged files comes as an exception too

    program = drgn.Program()
    program.set_enabled_debug_info_finders(["standard"])  # without debuginfod: nothing here asks the network
    module = program.extra_module(path, create=True)
    module.try_file(path)
    if module.loaded_file_path is None and module.debug_file_path is None:
        with open(path, "rb"):  # say why, if it is that
            pass
        raise TargetError(f"'{path}' is no ELF file that can be read", "give a program, a library or an object file")
    if module.debug_file_path is None and debug_place:
        module.try_file(debug_place)
    if module.debug_file_path != path or not _is_whole(path):
        dependencies.never("where drgn looks for further files it does not tell")
    if module.debug_file_path is None:
        program.load_module_debug_info(module)
    if module.debug_file_path is not None:
        module.address_range = 0, 1 << 63  # link-time addresses are asked for
    else:
        raise TargetError(
            f"'{path}' has no debug information, and no file with it was found",
            "install its -dbgsym package, or give its types by --types FILE (a file compiled with -g)",
        )
    return program


def _is_whole(path: str) -> bool:
    """Whether all debug information of a file is in itself: none in supplementary files (dwz) or split off (.dwo)."""
    try:
        with ElfFile.open(path) as elf:
            return all(elf.section(name) is None for name in _ELSEWHERE)
    except ElfError:
        return False


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Errors of drgn and of the system as ours, with the file's name."""
    try:
        yield
    except InvivoError:
        raise
    except OSError as error:
        raise TargetError(f"cannot read the debug information of '{path}': {error.strerror or error}") from error
    except Exception as error:
        # drgn raises classes of its own, plain Exception for what libdw says, and for what makes no sense in a damaged
        # file many of Python's: UnicodeDecodeError, NotImplementedError, OverflowError ...
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TargetError(
            f"the debug information of '{path}' cannot be read: {text}", "it may be damaged: build or install it anew"
        ) from error
