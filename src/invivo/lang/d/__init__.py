"""The front end for D: text in, typed program out.

decode ──> lexer, parser ──> syntax ──> lower/ ──> program.nodes.Program
"""

from __future__ import annotations

from invivo.lang.d.lower.program import compile_text

__all__ = ["compile_text"]
