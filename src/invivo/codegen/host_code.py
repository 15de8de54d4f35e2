"""LLVM IR to machine code of this host that may be put anywhere: for code that Python loads itself.

In: the text of a module without its triple. Out: section .text of the object made of it, padded to 16 bytes; None where
the code would need relocations, constants or data beside it.

    machine_code("define i64 @f(i64 %x) {\\n  ret i64 %x\\n}")      48 89 f8 c3 cc ...
"""

from __future__ import annotations

import struct

__all__ = ["machine_code"]


def machine_code(text: str) -> bytes | None:
    """The module's machine code; None if it needs anything but itself."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()  # inline assembly, of system calls
    triple = llvm.get_process_triple()
    # Optimising takes six times as long to compile, and gains what nobody will notice: the text is already in SSA form.
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu="x86-64", opt=0, reloc="pic", codemodel="small")
    module = llvm.parse_assembly(f'target triple = "{triple}"\n{text}')
    return _only_text(machine.emit_object(module))


def _only_text(data: bytes) -> bytes | None:
    """Section .text of an ELF64 object, if it has no relocations and there is no other section to be loaded."""
    start, count, names_index = (
        struct.unpack_from("<Q", data, 0x28)[0], *struct.unpack_from("<HH", data, 0x3C),
    )  # fmt: skip
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + 64 * index) for index in range(count)]
    names_at = sections[names_index][4]
    code = None
    for name_at, type_, flags, _, offset, size, *_ in sections:
        name = data[names_at + name_at : data.index(b"\0", names_at + name_at)]
        if name == b".text":
            code = data[offset : offset + size]
        elif name == b".rela.text" or (flags & 2 and type_ == 1 and size and not name.startswith(b".eh_frame")):
            return None
    return code.ljust(-(-len(code) // 16) * 16, b"\xcc") if code else None
