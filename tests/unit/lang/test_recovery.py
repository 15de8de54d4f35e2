"""The parser on texts that are wrong: what it says, where it goes on, and that it always ends."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from invivo.diagnostics import render
from invivo.lang.d import syntax
from tests.unit.lang.trees import dump, messages, parsed


@pytest.mark.parametrize(
    ("text", "place", "words", "hint"),
    [
        ("BEGIN { a = 1\n b = 2; }", "1:13", "a ';' is missing", ""),
        ("BEGIN { a b c; }", "1:13", "found 'c' where ';' was expected", ""),
        ("BEGIN { a = ; }", "1:13", "found ';' where an expression was expected", ""),
        ("BEGIN { a == = 1; }", "1:14", "found '='", "'==' compares"),
        ("BEGIN { f(1, 2; }", "1:15", "found ';' where ')' was expected after the arguments of f", ""),
        ("BEGIN { (1 + 2; }", "1:15", "found ';' where ')' was expected", "a '(' is not closed"),
        ("BEGIN { x[1; }", "1:12", "found ';' where ']' was expected", ""),
        ("BEGIN { x[]; }", "1:11", "found ']' where an index was expected", ""),
        ("BEGIN { 1 = 2 }} ", "1:16", "this '}' closes nothing", ""),
        ("BEGIN { a;", "1:7", "this '{' is not closed", "'}' is missing"),
        ("BEGIN { if (a) { b; }", "1:7", "this '{' is not closed", "'}' is missing"),
        ("BEGIN { a;\nsyscall::read:entry { b; }", "2:1", "probe description 'syscall::read:entry' inside", "line 1"),
        ("BEGIN { a; END { b; }", "1:12", "probe description 'END' inside", "line 1"),
        ("a:::b /x == 1/", "1:15", "found the end of the program where '{' was expected after the predicate", "{ }"),
        ("a:::b /x == 1/\nc:::d { }", "2:1", "found 'c' where '{' was expected after the predicate", "{ }"),
        ("a:::b /x == 1 { }", "1:15", "found '{' where '/' was expected after the predicate", "not closed"),
        ("a:::b // { }", "1:7", "would be an empty predicate", "/* ... */"),
        ("a:::b / / { }", "1:7", "the predicate is empty", "at each firing"),
        ("a:::b\nc:::d { }", "2:1", "found 'c:::d' where ',', '/' or '{' was expected", "','"),
        ("a:::b x = 1;", "1:7", "found 'x' where ',', '/' or '{' was expected after the probe", "in braces"),
        ("a:::b, { }", "1:8", "found '{' where a probe description was expected", "provider:module"),
        ("BEGIN { goto x; }", "1:9", "'goto' is not available in D", ""),
        ("BEGIN { switch (a) { } }", "1:9", "'switch' is not available in D", "if and else"),
        ("BEGIN { else a; }", "1:9", "this 'else' has no 'if'", ""),
        ("BEGIN { if a == 1 { } }", "1:12", "found 'a' where '(' was expected after 'if'", "parentheses"),
        ("BEGIN { self.x = 1; }", "1:13", "found '.' where '->' was expected after 'self'", "self->name"),
        ('BEGIN { trace("a" "b"); }', "1:19", "found a string", "strjoin"),
        ("BEGIN { a->b(1); }", "1:9", "only a function's name can be called", ""),
        ("BEGIN { vmlinux` = 1; }", "1:9", "the name of a symbol is missing", ""),
        ("BEGIN { a /* b; }", "1:11", "the comment is not closed", "*/"),
        ("provider x { probe y(); };", "1:1", "cannot define a provider", ""),
        ("int ;x int;", "1:8", "found 'int'", ""),
        ("int = 5;", "1:5", "found '=' where a name was expected", ""),
        ("struct { int a }", "1:16", "found '}' where ';' was expected after the member", ""),
        ("struct s { int a;", "1:10", "the braces of 'struct' are not closed", ""),
        ("enum e { 1 };", "1:10", "found '1' where the name of an enumeration constant", ""),
        ("inline int x;", "1:13", "found ';' where '=' was expected", ""),
        ("translator a_t { };", "1:16", "found '{' where '<' was expected", "translator OUTPUT"),
        ("translator a_t <int> { };", "1:20", "found '>' where the name of the translator's input", ""),
        ("function int f { }", "1:16", "found '{' where '(' was expected", "function TYPE NAME"),
        ("function int f(int) { }", "1:16", "this parameter has no name", ""),
        (") BEGIN { }", "1:1", "found ')' where a probe description or a declaration was expected", ""),
        ("BEGIN { break 1; }", "1:15", "found '1' where ';' was expected after 'break'", ""),
        ("BEGIN { int if; }", "1:13", "found 'if' where a name was expected", "word of the language"),
    ],
)
def test_a_mistake_is_named_where_it_is(text: str, place: str, words: str, hint: str) -> None:
    _, diagnostics = parsed(text)
    first = min(diagnostics.errors, key=lambda d: d.span.start)
    assert first.code == ("D_FUNC_IDENT" if "can be called" in words else "D_SYNTAX")
    assert words in first.message
    assert str(first.span) == f"t.d:{place}"
    assert hint in first.hint


def test_an_assignment_in_a_predicate_is_a_warning_unless_in_parentheses() -> None:
    _, diagnostics = parsed("BEGIN /x = 1/ { }")
    assert diagnostics.errors == []
    (warning,) = diagnostics.warnings
    assert warning.span.text == "x = 1"
    assert "'=='" in warning.hint
    assert messages("BEGIN /(x = 1)/ { }") == []


def test_many_mistakes_are_found_in_one_run_and_what_is_right_is_kept() -> None:
    text = """int a
int b;
BEGIN { x = ; y = 2; }
tick-1s { z = (1; w = 3 }
a:::b /1 +/ { e; f = ; }
c:::d { trace(1) }
"""
    tree, diagnostics = parsed(text)
    assert [d.span.file.position(d.span.start)[0] for d in diagnostics.errors] == [2, 3, 4, 5, 5]
    kept = [dump(declaration) for declaration in tree.declarations]
    assert kept == [
        "(ClauseDecl [BEGIN] - [(= y 2)])",
        "(ClauseDecl [tick-1s] - [(= w 3)])",
        "(ClauseDecl [a:::b] - [e])",
        "(ClauseDecl [c:::d] - [trace(1)])",
    ]


def test_the_clause_after_one_that_is_not_closed_is_read() -> None:
    tree, diagnostics = parsed("BEGIN { if (a) { b; }\n\ntick-1s /x/ { c; }\nsyscall::read:entry { d; }")
    assert len(diagnostics.errors) == 1
    clauses = [clause for clause in tree.declarations if isinstance(clause, syntax.ClauseDecl)]
    assert [clause.probes[0].text for clause in clauses] == ["tick-1s", "syscall::read:entry"]


def test_text_that_is_passed_over_is_not_judged() -> None:
    assert len(messages("BEGIN { a = ) 08 1.5 'xxxxxx' ; b }")) == 1


@pytest.mark.parametrize("text", ["BEGIN { int 5x; }", "BEGIN { x = 08 09; }", "a:::b /08 x/ { }"])
def test_a_wrong_number_is_said_once(text: str) -> None:
    assert messages(text)[0].split()[1] == "D_INT_DIGIT"
    assert len({message.split()[0] for message in messages(text)}) == len(messages(text))


@pytest.mark.parametrize("text", ['BEGIN { trace("abc); }\nEND { }', "BEGIN { x = 'a; }\nEND { }", "BEGIN { a /* b; }"])
def test_what_is_not_closed_is_said_once(text: str) -> None:
    assert len(messages(text)) == 1


def test_errors_end_after_fifty() -> None:
    _, diagnostics = parsed("BEGIN { " + "a = ; " * 500 + "}")
    assert len(diagnostics.errors) == 50


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN { x = " + "(" * 10_000 + "1" + ")" * 10_000 + "; }",
        "BEGIN { x = " + "(" * 10_000,
        "BEGIN { x = " + "-" * 10_000 + "1; }",
        "BEGIN { x = " + "!" * 10_000 + "1; }",
        "BEGIN { x = " + "(int)" * 10_000 + "1; }",
        "BEGIN { x = " + "sizeof " * 10_000 + "1; }",
        "BEGIN { x" + " = x" * 10_000 + "; }",
        "BEGIN { x = 1" + " + 1" * 10_000 + "; }",
        "BEGIN { x = 1" + ", 1" * 10_000 + "; }",
        "BEGIN { x = " + "a ? " * 10_000 + "; }",
        "BEGIN { x = " + "a ? b : " * 10_000 + "c; }",
        "BEGIN { x = a" + "->b" * 10_000 + "; }",
        "BEGIN { x = " + "f(" * 10_000 + "; }",
        "BEGIN { x = " + "a[" * 10_000 + "; }",
        "BEGIN { x = 1" + "||1^^1&&1|1^1&1==1<1<<1+1*(1" * 1_000 + ")" * 1_000 + "; }",
        "BEGIN { " + "{" * 10_000 + "}" * 10_000 + " }",
        "BEGIN { " + "if (a) " * 10_000 + "; }",
        "BEGIN { " + "if (a) ; else " * 10_000 + "; }",
        "BEGIN { " + "while (a) { " * 10_000,
        "int " + "*" * 10_000 + "a;",
        "int " + "(" * 10_000 + "a;",
        "int a" + "[1]" * 10_000 + ";",
        "int a" + "(int" * 10_000 + ";",
        "struct a { " * 10_000,
        "int a[" + "int (*)[" * 10_000,
    ],
    ids=range(25),
)
def test_text_that_is_nested_too_deeply_is_an_error_like_others(text: str) -> None:
    _, diagnostics = parsed(text)
    assert diagnostics.errors
    assert any("more than" in d.message for d in diagnostics.errors)


def test_nesting_up_to_the_limit_is_fine() -> None:
    assert messages("BEGIN { x = " + "(" * 60 + "1" + ")" * 60 + "; }") == []
    assert messages("BEGIN { x = 1" + " + 1" * 200 + "; }") == []


PIECES = [
    "BEGIN", "END", "tick-1s", "syscall::read:entry", "a:b", "{", "}", "(", ")", "[", "]", ";", ",", "/", "//", "/*",
    "*/",
    "if", "else", "while", "for", "return", "break", "int", "struct", "union", "enum", "typedef", "self", "this", "->",
    ".", "x", "foo_t", "string", "*", "&", "+", "++", "=", "==", "?", ":", "<", ">", "@", "@a", "$1", "$$1", "1", "08",
    "1.5", "'a'", '"s"', '"', "'", "\n", "#", "#pragma D x", "\n#pragma D option quiet\n", "inline", "translator",
    "provider", "function", "xlate", "sizeof", "offsetof", "stringof", "`", "\\", "\0", "é", "!", "~", "goto", "...",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.text() | st.lists(st.sampled_from(PIECES)).map(" ".join) | st.lists(st.sampled_from(PIECES)).map("".join))
@example("BEGIN{}}")
@example("a:b/")
@example("\\")
@example("#")
@example("#pragma")
@example("\udc80'\udc80\ud800'")
def test_any_text_gives_a_script_and_errors_that_can_be_printed(text: str) -> None:
    tree, diagnostics = parsed(text)
    for declaration in tree.declarations:
        dump(declaration)
        assert 0 <= declaration.span.start <= declaration.span.end <= len(text)
    for found in diagnostics.found:
        assert 0 <= found.span.start <= found.span.end <= len(text)
        assert render(found)
