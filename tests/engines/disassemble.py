"""BPF programs as text, for tests that count what is in it: see invivo.bpf.disassembler."""

from __future__ import annotations

from invivo.bpf.disassembler import instructions
from invivo.engines.kernel.disassembly import unit_text as disassemble

__all__ = ["disassemble", "instructions"]
