"""Stacks of stopped threads, from outside: the chain of frame pointers, read by process_vm_readv(2).

    unwind(thread, registers, 20)      [0x401136, 0x401180, 0x7f3a1c02a1ca]      innermost first

Code compiled without frame pointers is missing from such a stack, and its callers where it uses rbp for other things;
at a function's first instructions, before its frame is made, the caller is taken from the top of the stack.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.tracer import Thread

__all__ = ["unwind"]

_RBP, _RIP, _RSP = 4 * 8, 16 * 8, 19 * 8
_FARTHEST = 1 << 20  # a frame is hardly larger
_ENDBR64 = b"\xf3\x0f\x1e\xfa"


def unwind(thread: Thread, registers: bytes, frames: int) -> list[int]:
    """Addresses of at most so many frames."""
    if len(registers) < _RSP + 8:
        return []
    ip, bp, sp = (int.from_bytes(registers[at : at + 8], "little") for at in (_RIP, _RBP, _RSP))
    memory = thread.process.memory
    found = [ip]
    head = memory.read(ip, 5)
    if head[:4] == _ENDBR64 or head[:1] in (b"\x55", b"\xcc"):  # the frame is not made yet (0xcc: our own breakpoint)
        word = memory.read(sp, 8)
        if len(word) == 8:
            found.append(int.from_bytes(word, "little"))
    while len(found) < frames and sp <= bp < sp + _FARTHEST and bp % 8 == 0:
        data = memory.read(bp, 16)
        if len(data) < 16:
            break
        sp = bp + 16
        bp, ip = struct.unpack("<QQ", data)
        if not ip:
            break
        found.append(ip)
    return found[:frames]
