"""Stacks of stopped threads, from outside: by unwind rules where a file has them, else by frame pointers.

    unwinder = Unwinder(spaces)
    unwinder.prepare(4711)                      rules of what it has mapped: read, or taken from the cache
    unwinder.stack(thread, registers, 20)       [0x401136, 0x401180, 0x7f3a1c02a1ca], innermost first

The top of the stack is read at once, by process_vm_readv(2); what lies deeper, when it is needed. A file's rules are
those of symbols/rules.py. Code without any (that of a JIT compiler) is left by its frame pointer.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import NamedTuple

from invivo.errors import InvivoError
from invivo.symbols import rule_cache
from invivo.symbols.elf import ElfFile
from invivo.symbols.elf_format import PT_LOAD
from invivo.symbols.rules import EMPTY, Kind, Rule, RuleTable
from invivo.symbols.vdso import own_vdso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.engines.process.threads import Thread
    from invivo.linux.maps import Mapping
    from invivo.linux.ptrace import ProcessMemory
    from invivo.symbols.normalize import AddressSpace, AddressSpaces

__all__ = ["Unwinder"]

_WORDS = struct.Struct("<27Q")
_BP, _BX, _IP, _SP = 4, 5, 16, 19  # in struct user_regs_struct
# Where DWARF's registers 0 to 15 lie in it.
_PLACES = (10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0)
# Where a signal's ucontext has them: uc_mcontext.gregs of <sys/ucontext.h>; rip follows rsp.
_CONTEXT_BP, _CONTEXT_SP = 120, 160
_AT_BP = 255
_AT_ONCE = 8192
_USER_START, _USER_END = 1 << 16, 1 << 47  # below is nothing but by vm.mmap_min_addr
_FARTHEST = 1 << 20  # a frame that is found by its frame pointer is hardly larger
_ENDBR64 = b"\xf3\x0f\x1e\xfa"


class _File(NamedTuple):
    """The rules of a file, and its loaded segments as (offset, size, address)."""

    rules: RuleTable
    segments: tuple[tuple[int, int, int], ...]

    def rule(self, offset: int) -> Rule:
        for start, size, address in self.segments:
            if start <= offset < start + size:
                return self.rules.find(offset - start + address)
        return _NO_RULE


_NO_RULE = Rule(Kind.NONE)
_NO_FILE = _File(EMPTY, ())


class _Stack:
    """Words of a thread's stack."""

    __slots__ = ("_data", "_memory", "_start")

    def __init__(self, memory: ProcessMemory, start: int) -> None:
        self._memory = memory
        self._start = start
        self._data = memory.read(start, _AT_ONCE)

    def word(self, address: int) -> int | None:
        place = address - self._start
        if not 0 <= place <= len(self._data) - 8:
            data = self._memory.read(address, _AT_ONCE)
            if len(data) < 8:
                return None
            self._start, self._data, place = address, data, 0
        return int.from_bytes(self._data[place : place + 8], "little")


class Unwinder:
    """See the module's text. `spaces` says what processes have mapped."""

    def __init__(self, spaces: AddressSpaces) -> None:
        self._spaces = spaces
        self._files: dict[object, _File] = {}

    def prepare(self, pid: int) -> None:
        """Read the rules of everything that a process has mapped, so that no stop has to wait for that."""
        space = self._spaces.watch(pid)
        space.read()
        for mapping in space.mappings:
            self._file(pid, mapping)

    def stack(self, thread: Thread, registers: bytes, frames: int) -> list[int]:
        """Addresses of at most so many frames."""
        if len(registers) < _WORDS.size:
            return []
        words = _WORDS.unpack(registers)
        pid = thread.process.pid
        space = self._spaces.watch(pid)
        ip, sp, bp = words[_IP], words[_SP], words[_BP]
        stack = _Stack(thread.process.memory, sp)
        found = [ip]
        back = 0  # a return address may lie behind the function that made the call, if that never returns
        while len(found) < frames:
            rule = self._rule(pid, space, ip - back)
            if rule.kind is Kind.END:
                break
            if rule.kind is Kind.SIGNAL:
                caller = _interrupted(stack, sp + rule.offset)
            elif rule.kind in (Kind.NONE, Kind.UNKNOWN):
                caller = _by_frame_pointer(thread.process.memory, stack, ip, sp, bp, is_first=back == 0)
            else:
                caller = _by_rule(stack, rule, ip, sp, bp, words, is_first=len(found) == 1)
            if caller is None or not _USER_START <= caller[0] < _USER_END:
                break
            back = 0 if rule.kind in (Kind.SIGNAL, Kind.POPPED) else 1  # no address behind a call
            ip, sp, bp = caller
            found.append(ip)
        return found

    # --- rules --------------------------------------------------------------------------------------------------

    def _rule(self, pid: int, space: AddressSpace, address: int) -> Rule:
        mapping = space.find(address)
        if mapping is None:
            space.read()
            mapping = space.find(address)
            if mapping is None:
                return _NO_RULE
        return self._file(pid, mapping).rule(address - mapping.start + mapping.offset)

    def _file(self, pid: int, mapping: Mapping) -> _File:
        is_vdso = mapping.path == "[vdso]"
        file = None if is_vdso else self._spaces.files.of(pid, mapping)
        if file is None and not is_vdso:
            return _NO_FILE
        found = self._files.get(file)
        if found is None:
            found = _NO_FILE
            with suppress(InvivoError, OSError, ValueError):
                if file is None:
                    found = _read(ElfFile(own_vdso(), "[vdso]"))
                elif (path := file.open_path) is not None:
                    with ElfFile.open(path, mapping.path) as elf:
                        found = _read(elf)
            self._files[file] = found
        return found


def _read(elf: ElfFile) -> _File:
    segments = tuple((s.offset, s.file_size, s.address) for s in elf.segments if s.type == PT_LOAD)
    return _File(rule_cache.rules_in(elf), segments)


# --- one step ---------------------------------------------------------------------------------------------------------


def _by_rule(
    stack: _Stack, rule: Rule, ip: int, sp: int, bp: int, registers: tuple[int, ...], *, is_first: bool
) -> tuple[int, int, int] | None:
    """(ip, sp, bp) of the caller; None where the stack cannot be read. `registers` are those of the first frame."""
    match rule.kind:
        case Kind.SP:
            cfa = sp + rule.offset
        case Kind.BP:
            cfa = bp + rule.offset
        case Kind.PLT:
            cfa = sp + rule.offset + (8 if ip & 15 >= rule.flags else 0)
        case Kind.BP_DEREF | Kind.SP_DEREF:
            word = stack.word((bp if rule.kind is Kind.BP_DEREF else sp) + rule.offset)
            if word is None:
                return None
            cfa = word + 8 * rule.flags
        case Kind.KEPT:
            slot = sp + rule.offset
            base = stack.word(slot) if slot >= registers[_SP] else registers[_BX]
            if base is None:
                return None
            cfa = base + 8 * rule.flags
        case Kind.POPPED if is_first:
            return registers[_PLACES[rule.flags]], sp + rule.offset, bp
        case Kind.REGISTER if is_first:
            cfa = registers[_PLACES[rule.flags]] + rule.offset
        case _:
            return None
    back = stack.word(cfa - 8)
    if back is None:
        return None
    if rule.bp:
        saved = stack.word(bp if rule.bp == _AT_BP else cfa - 8 * rule.bp)
        if saved is None:
            return None
        bp = saved
    return back, cfa, bp


def _interrupted(stack: _Stack, context: int) -> tuple[int, int, int] | None:
    """What a signal interrupted, by its ucontext."""
    sp, bp, ip = (stack.word(context + at) for at in (_CONTEXT_SP, _CONTEXT_BP, _CONTEXT_SP + 8))
    return None if ip is None or sp is None or bp is None else (ip, sp, bp)


def _by_frame_pointer(
    memory: ProcessMemory, stack: _Stack, ip: int, sp: int, bp: int, *, is_first: bool
) -> tuple[int, int, int] | None:
    """The caller where nothing is known of the code: at its first instructions the top of the stack."""
    if is_first:
        head = memory.read(ip, 4)
        if head == _ENDBR64 or head[:1] in (b"\x55", b"\xcc"):  # the frame is not made yet (0xcc: our own breakpoint)
            back = stack.word(sp)
            return None if back is None else (back, sp + 8, bp)
    if not sp <= bp < sp + _FARTHEST or bp % 8:
        return None
    saved, back = stack.word(bp), stack.word(bp + 8)
    return None if saved is None or back is None else (back, bp + 16, saved)
