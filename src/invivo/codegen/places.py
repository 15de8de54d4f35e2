"""Which instruction comes from which place in the text: asked for only when the kernel has refused a program.

    places = Places()
    compile_program(program, traits, places)
    places.span("BEGIN", 17)      the Span of the expression that instruction 17 of the unit BEGIN was made for, or None

LLVM carries a number along with each instruction as debug information (the line of a file that is not there),
and writes them
out as BPF's line information (.BTF.ext). The code itself is the same with and without.
"""

from __future__ import annotations

from bisect import bisect_right

from invivo.source import Span

__all__ = ["Places"]

_FIRST_SCOPE, _FIRST_LOCATION = 100, 10_000


class Places:
    """The places of one program. `lines` is set from the object file: (instruction, number of the place) by unit."""

    def __init__(self) -> None:
        self.lines: dict[str, list[tuple[int, int]]] = {}
        self._spans: list[Span] = []
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._functions: list[str] = []
        self._locations: dict[tuple[int, int], int] = {}

    def begin(self, function: str) -> str:
        """A function's code begins; yields what its definition carries."""
        self._functions.append(function)
        return f" !dbg !{_FIRST_SCOPE + len(self._functions) - 1}"

    def mark(self, span: Span | None) -> str:
        """What an instruction made for a place carries; without a place, that it has none."""
        number = 0
        if span is not None and span.file.text:
            key = (span.file.name, span.start, span.end)
            if key not in self._numbers:
                self._spans.append(span)
                self._numbers[key] = len(self._spans)
            number = self._numbers[key]
        location = (_FIRST_SCOPE + len(self._functions) - 1, number)
        found = self._locations.setdefault(location, _FIRST_LOCATION + len(self._locations))
        return f", !dbg !{found}"

    def metadata(self) -> str:
        """The end of the module's text."""
        lines = [
            "!llvm.dbg.cu = !{!10}",
            "!llvm.module.flags = !{!11, !12}",
            '!10 = distinct !DICompileUnit(language: DW_LANG_C99, file: !13, producer: "", isOptimized: true, '
            "runtimeVersion: 0, emissionKind: FullDebug)",
            '!11 = !{i32 2, !"Dwarf Version", i32 4}',
            '!12 = !{i32 2, !"Debug Info Version", i32 3}',
            '!13 = !DIFile(filename: "d", directory: "/")',
            "!14 = !DISubroutineType(types: !15)",
            "!15 = !{}",
        ]
        lines += [
            f'!{_FIRST_SCOPE + number} = distinct !DISubprogram(name: "{name}", scope: !13, file: !13, line: 1, '
            "type: !14, scopeLine: 1, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !10, retainedNodes: !15)"
            for number, name in enumerate(self._functions)
        ]
        lines += [
            f"!{identity} = !DILocation(line: {number}, column: 1, scope: !{scope})"
            for (scope, number), identity in self._locations.items()
        ]
        return "\n".join([*lines, ""])

    def span(self, unit: str, instruction: int) -> Span | None:
        """The place of an instruction of a unit: of the nearest one at or before it that has a place."""
        lines = [line for line in self.lines.get(unit, []) if line[1]]
        index = bisect_right(lines, (instruction, 1 << 31)) - 1
        return self._spans[lines[index][1] - 1] if index >= 0 else None
