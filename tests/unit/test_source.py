"""Places in a text: lines and columns from 1, and line controls, after which another file's lines are counted."""

from __future__ import annotations

from invivo.diagnostics import Diagnostics, render
from invivo.lang.d.parser import parse
from invivo.source import SourceFile, Span


def place(file: SourceFile, text: str) -> str:
    start = file.text.index(text)
    return str(Span(file, start, start + len(text)))


def test_lines_and_columns_count_from_one() -> None:
    file = SourceFile("a.d", "one\n  two\n")
    assert (place(file, "one"), place(file, "two")) == ("a.d:1:1", "a.d:2:3")
    assert file.line_at(file.text.index("two")) == "  two"


def test_what_follows_a_line_control_counts_from_its_number() -> None:
    file = SourceFile("a.d", "first\nsecond\nthird\n")
    file.note_control(file.text.index("second"), 40, "b.d")
    assert (place(file, "first"), place(file, "third")) == ("a.d:1:1", "b.d:40:1")


def test_a_control_without_a_name_keeps_the_file() -> None:
    file = SourceFile("a.d", "\n\n\nx\n")
    file.note_control(0, 7, "b.d")
    file.note_control(2, 3, "")
    assert place(file, "x") == "b.d:3:1"


def test_errors_are_told_by_line_controls_of_all_forms() -> None:
    text = '# 1 "one.d"\nBEGIN { exit(0) }\n#line 30 "in \\"two\\".d"\nEND { x = ; }\n# 5\nEND { y = ; }\n'
    found = Diagnostics()
    parse(SourceFile("<all>", text), found)
    heads = [render(one).splitlines()[0].partition(": error")[0] for one in found.errors]
    assert heads == ['in "two".d:30:11', 'in "two".d:5:11']


def test_a_hash_within_a_comment_controls_nothing() -> None:
    found = Diagnostics()
    parse(SourceFile("a.d", "/*\n# 90 \"b.d\"\n*/\nEND { x = ; }\n"), found)
    assert render(found.errors[0]).startswith("a.d:4:11: error")


def test_of_a_long_line_the_part_around_the_error_is_shown() -> None:
    found = Diagnostics()
    parse(SourceFile("a.d", f"BEGIN {{ {'x = 1; ' * 300}y = ; {'x = 2; ' * 300}}}"), found)
    head, line, marks, *_ = render(found.errors[0]).splitlines()
    assert head.startswith(f"a.d:1:{len('BEGIN { ') + 7 * 300 + 5}: error")
    assert len(line) < 250
    assert line.startswith("...")
    assert line.endswith("...")
    assert line[marks.index("~") - 4 : marks.index("~") + 1] == "y = ;"
    assert marks.count("~") == 1
