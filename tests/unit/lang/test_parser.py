"""The parser on texts that are right. Trees are written by hand, as `trees.dump` shows them."""

from __future__ import annotations

import pytest

from invivo.lang.d import syntax
from tests.unit.lang.trees import dump, expression, parsed, script


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", "(+ 1 (* 2 3))"),
        ("1 - 2 - 3", "(- (- 1 2) 3)"),
        ("(1 - 2) * 3", "(* (- 1 2) 3)"),
        ("a << 1 + b", "(<< a (+ 1 b))"),
        ("a < b == c > d", "(== (< a b) (> c d))"),
        ("a & b == c", "(& a (== b c))"),
        ("a | b ^ c & d", "(| a (^ b (& c d)))"),
        ("a || b ^^ c && d | e", "(|| a (^^ b (&& c (| d e))))"),
        ("a && b || c && d", "(|| (&& a b) (&& c d))"),
        ("a / b / c % d", "(% (/ (/ a b) c) d)"),
        ("a ? b : c ? d : e", "(? a b (? c d e))"),
        ("a ? b ? 1 : 2 : 3", "(? a (? b 1 2) 3)"),
        ("a || b ? c, d : e", "(? (|| a b) (CommaOp c d) e)"),
        ("a = b = c", "(= a (= b c))"),
        ("a += b ? c : d", "(+= a (? b c d))"),
        ("a = 1, b = 2", "(CommaOp (= a 1) (= b 2))"),
        ("a >>= 1", "(>>= a 1)"),
        ("-a * !b", "(* (- a) (! b))"),
        ("~-+a", "(~ (- (+ a)))"),
        ("- -a", "(- (- a))"),
        ("++a + b--", "(+ (++ a) (b --))"),
        ("*p++", "(Deref (p ++))"),
        ("*a->b", "(Deref a->b)"),
        ("&a[1]", "(AddressOf a[1])"),
        ("a.b->c[1][2]", "a.b->c[1][2]"),
        ("f(a, g(1, 2), b = 3)", "f(a, g(1, 2), (= b 3))"),
        ("f()", "f()"),
        ("self->x[1, execname]", "self->x[1, execname]"),
        ("this->a + self->b", "(+ this->a self->b)"),
        ("args[0]->self", "args[0]->self"),
        ("x->string.int", "x->string.int"),
        ("@ = count()", "(= @ count())"),
        ("@a[pid, execname] = sum(arg0)", "(= @a[pid, execname] sum(arg0))"),
        ('printa("%@d", @a, @)', 'printa("%@d", @a, @)'),
        ("vmlinux`jiffies + `x + a`b`c", "(+ (+ vmlinux`jiffies `x) a`b`c)"),
        ("$1 + $$2 + $target", "(+ (+ $1 $$2) $target)"),
        ("sizeof (int)", "(SizeOfType int)"),
        ("sizeof (struct bio *)", "(SizeOfType (StructDecl struct bio -) *)"),
        ("sizeof (unknown *)", "(SizeOfType unknown *)"),
        ("sizeof (a * b)", "(SizeOfExpr (* a b))"),
        ("sizeof a + 1", "(+ (SizeOfExpr a) 1)"),
        ("sizeof (a).b", "(SizeOfExpr a.b)"),
        ("offsetof(struct bio, bi_iter)", "(OffsetOf (StructDecl struct bio -) bi_iter)"),
        ('stringof(a) == "x"', '(== (StringOf a) "x")'),
        ("stringof a.b", "(StringOf a.b)"),
        ("xlate <psinfo_t *> (curthread)", "(XlateOp psinfo_t * curthread)"),
        ("xlate < psinfo_t > (curthread).pr_pid", "(XlateOp psinfo_t curthread).pr_pid"),
    ],
)
def test_expressions(text: str, tree: str) -> None:
    assert expression(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("(int)a + b", "(+ (CastOp int a) b)"),
        ("(unsigned long long)-1", "(CastOp unsigned long long (- 1))"),
        ("(struct bio *)arg0", "(CastOp (StructDecl struct bio -) * arg0)"),
        ("((struct bio *)arg0)->bi_next", "(CastOp (StructDecl struct bio -) * arg0)->bi_next"),
        ("(pid_t)-1", "(CastOp pid_t (- 1))"),
        ("(pid_t) + 1", "(CastOp pid_t (+ 1))"),
        ("(uint64_t)(a)", "(CastOp uint64_t a)"),
        ("(char **)a", "(CastOp char * * a)"),
        ("(string)a", "(CastOp string a)"),
        ("(u32)a", "(CastOp u32 a)"),
        ("(void (*)(int))a", "(CastOp void * func[(Parameter int -)] a)"),
        # A name that is not known as a type is one only where nothing else is possible.
        ("(foo)a", "(CastOp foo a)"),
        ("(foo)1", "(CastOp foo 1)"),
        ("(foo)!a", "(CastOp foo (! a))"),
        ("(foo)(a)", "(CastOp foo a)"),
        ("(foo *)a", "(CastOp foo * a)"),
        ("(foo) + 1", "(+ foo 1)"),
        ("(foo) - 1", "(- foo 1)"),
        ("(foo) * a", "(* foo a)"),
        ("(foo)->a", "foo->a"),
        ("(foo)[1]", "foo[1]"),
        ("(foo)", "foo"),
        ("(foo_t)->a", "foo_t->a"),
        ("(foo_t) == 1", "(== foo_t 1)"),
    ],
)
def test_casts(text: str, tree: str) -> None:
    assert expression(text) == tree


def test_a_typedef_makes_a_cast_of_what_would_be_a_difference() -> None:
    (clause,) = script("BEGIN { a = (num) - 1; }")
    assert "(- num 1)" in clause
    (_, clause) = script("typedef int num; BEGIN { a = (num) - 1; }")
    assert "(CastOp num (- 1))" in clause


@pytest.mark.parametrize(
    ("text", "probes", "predicate"),
    [
        ("BEGIN { }", ["BEGIN"], "-"),
        ("syscall::read:entry, tick-1s,END{ }", ["syscall::read:entry", "tick-1s", "END"], "-"),
        ("syscall:::entry/pid == 1/{ }", ["syscall:::entry"], "(== pid 1)"),
        ("syscall::*read:entry /a / b/ { }", ["syscall::*read:entry"], "(/ a b)"),
        ("a:::b /(a / b) / 2 > 1 / { }", ["a:::b"], "(> (/ (/ a b) 2) 1)"),
        ("a:::b /x[a / b]/ { }", ["a:::b"], "x[(/ a b)]"),
        ("a:::b /a ? b / c : d / e/ { }", ["a:::b"], "(? a (/ b c) (/ d e))"),
        ("a:::b / a /* c */ / { }", ["a:::b"], "a"),
        ("a:::b /a//* c */ { }", ["a:::b"], "a"),
        ("a:::b /a/ // c\n { }", ["a:::b"], "a"),
        ("a:::b /* c */ /a/\n{ }", ["a:::b"], "a"),
        ("a:::b /x / sizeof (int)/ { }", ["a:::b"], "(/ x (SizeOfType int))"),
        ("a:::b /self->x/ { }", ["a:::b"], "self->x"),
        ("pid$target:a.out:main:entry, pid$1::f*: { }", ["pid$target:a.out:main:entry", "pid$1::f*:"], "-"),
        ("17, 18 { }", ["17", "18"], "-"),
        ("* { }", ["*"], "-"),
        ("read { }", ["read"], "-"),
        ("read, write { }", ["read", "write"], "-"),
        ("pid_t /1/ { }", ["pid_t"], "1"),
    ],
)
def test_clauses(text: str, probes: list[str], predicate: str) -> None:
    tree, diagnostics = parsed(text)
    assert diagnostics.found == []
    (clause,) = tree.declarations
    assert isinstance(clause, syntax.ClauseDecl)
    assert [probe.text for probe in clause.probes] == probes
    assert [probe.span.text for probe in clause.probes] == probes
    assert dump(clause.predicate) == predicate


def test_a_clause_without_braces_has_no_body_and_one_with_empty_braces_has_an_empty_one() -> None:
    # Without braces a clause may only end a text of the command line.
    tree, _ = parsed("BEGIN { } END", "<-n>")
    bodies = [clause.body for clause in tree.declarations if isinstance(clause, syntax.ClauseDecl)]
    assert bodies == [(), None]


@pytest.mark.parametrize(
    ("text", "trees"),
    [
        ("a; b", ["a", "b"]),
        (";;a;;", ["a"]),
        ("if (a) b;", ["(IfStmt a b -)"]),
        ("if (a) b; else c;", ["(IfStmt a b c)"]),
        ("if (a) { b; c } else if (d) e; else { }", ["(IfStmt a (BlockStmt [b, c]) (IfStmt d e (BlockStmt [])))"]),
        ("if (a) if (b) c; else d;", ["(IfStmt a (IfStmt b c d) -)"]),
        ("if (a / b) c", ["(IfStmt (/ a b) c -)"]),
        ("while (a) { a--; break; continue }", ["(WhileStmt a (BlockStmt [(a --), (BreakStmt), (ContinueStmt)]))"]),
        ("for (;;) ;", ["(ForStmt - - - (BlockStmt []))"]),
        ("for (i = 0; i < 3; i++) f(i);", ["(ForStmt (= i 0) (< i 3) (i ++) f(i))"]),
        ("for (int i = 0; i < 3; i++) { }", ["(ForStmt (Declaration - int [i] [0]) (< i 3) (i ++) (BlockStmt []))"]),
        ("return; return a + 1;", ["(ReturnStmt -)", "(ReturnStmt (+ a 1))"]),
        ("int i = 0, *p;", ["(DeclStmt (Declaration - int [i, p *] [0, -]))"]),
        ("this int x;", ["(DeclStmt (Declaration this int [x] [-]))"]),
        ("self string s; self->s = a", ["(DeclStmt (Declaration self string [s] [-]))", "(= self->s a)"]),
        ("struct bio *p = a", ["(DeclStmt (Declaration - (StructDecl struct bio -) [p *] [a]))"]),
        ("pid_t a;", ["(DeclStmt (Declaration - pid_t [a] [-]))"]),
        ("foo a = 1;", ["(DeclStmt (Declaration - foo [a] [1]))"]),
        ("foo *a = 1;", ["(DeclStmt (Declaration - foo [a *] [1]))"]),
        ("foo * a + 1;", ["(+ (* foo a) 1)"]),
        ("{ a }", ["(BlockStmt [a])"]),
    ],
)
def test_statements(text: str, trees: list[str]) -> None:
    tree, diagnostics = parsed("BEGIN { " + text + " }")
    assert diagnostics.found == []
    (clause,) = tree.declarations
    assert isinstance(clause, syntax.ClauseDecl)
    assert clause.body is not None
    assert [dump(statement) for statement in clause.body] == trees


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("int a;", "(Declaration - int [a] [-])"),
        ("unsigned long long a, b = 3;", "(Declaration - unsigned long long [a, b] [-, 3])"),
        ("const volatile char *const a;", "(Declaration - char [a *] [-])"),
        ("string a[int, pid_t];", "(Declaration - string [a tuple[int, pid_t]] [-])"),
        ("string a[foo, int];", "(Declaration - string [a tuple[foo, int]] [-])"),
        ("int a[5];", "(Declaration - int [a [5]] [-])"),
        ("int a[N + 1][2];", "(Declaration - int [a [(+ N 1)] [2]] [-])"),
        ("self int a;", "(Declaration self int [a] [-])"),
        ("this struct bio *a;", "(Declaration this (StructDecl struct bio -) [a *] [-])"),
        ("extern int a;", "(Declaration extern int [a] [-])"),
        (
            "typedef int (*f)(int, char *b);",
            "(Declaration typedef int [f * func[(Parameter int -), (Parameter char * b)]] [-])",
        ),
        ("int *a[3];", "(Declaration - int [a [3] *] [-])"),
        ("int (*a)[3];", "(Declaration - int [a * [3]] [-])"),
        ("void f(void);", "(Declaration - void [f func[]] [-])"),
        ("task_t t;", "(Declaration - task_t [t] [-])"),
        ("task *t;", "(Declaration - task [t *] [-])"),
        ("struct s { int a; };", "(Declaration - (StructDecl struct s [(Declaration - int [a] [-])]) [] [])"),
        (
            "struct s { int a:3, :0, b; } c;",
            "(Declaration - (StructDecl struct s [(Declaration - int [a :3,  :0, b] [-, -, -])]) [c] [-])",
        ),
        (
            "union u { struct { int a; }; char b[4]; };",
            "(Declaration - (StructDecl union u ["
            "(Declaration - (StructDecl struct - [(Declaration - int [a] [-])]) [] []), "
            "(Declaration - char [b [4]] [-])]) [] [])",
        ),
        ("enum e { A, B = 2, C, };", "(Declaration - (EnumDecl e [[A, -], [B, 2], [C, -]]) [] [])"),
        ("enum e x;", "(Declaration - (EnumDecl e -) [x] [-])"),
        ("inline int A = 1 + 2;", "(InlineDecl A int [] (+ 1 2))"),
        ("inline foo_t *a = b;", "(InlineDecl a * foo_t [] b)"),
        (
            "inline string s[int k, char *p] = k ? p : 0;",
            "(InlineDecl s string [(Parameter int k), (Parameter char * p)] (? k p 0))",
        ),
        (
            "translator a_t < struct b *p > { x = p->x; y = 1, };".replace(",", ";"),
            "(TranslatorDecl a_t (StructDecl struct b -) * p [[x, p->x], [y, 1]])",
        ),
        (
            "function int *f(int a, struct b *c) { return a; }",
            "(FunctionDecl f int * [(Parameter int a), (Parameter (StructDecl struct b -) * c)] [(ReturnStmt a)])",
        ),
        ("function void f() { }", "(FunctionDecl f void [] [])"),
    ],
)
def test_declarations(text: str, tree: str) -> None:
    assert script(text) == [tree]


def test_user_pointers_are_marked() -> None:
    tree, diagnostics = parsed("char __user *p; char *q;")
    assert diagnostics.found == []
    marks = [found.base.is_user for found in tree.declarations if isinstance(found, syntax.Declaration)]
    assert marks == [True, False]


def test_function_is_a_word_only_where_a_function_is_defined() -> None:
    assert script("function { } BEGIN { function = 1 }") == [
        "(ClauseDecl [function] - [])",
        "(ClauseDecl [BEGIN] - [(= function 1)])",
    ]


def test_pragmas_stand_among_the_declarations_in_the_order_of_the_text() -> None:
    text = "#pragma D option quiet\nint a;\n#pragma D option strsize=64\nBEGIN {\n#pragma D option x\n}\n#pragma D y"
    assert script(text) == [
        "(Pragma [option, quiet])",
        "(Declaration - int [a] [-])",
        "(Pragma [option, strsize=64])",
        "(ClauseDecl [BEGIN] - [])",
        "(Pragma [option, x])",
        "(Pragma [y])",
    ]


def test_spans_cover_what_was_written() -> None:
    text = "BEGIN /a/ { x = (b + c) * f(1)[2]; }"
    tree, _ = parsed(text)
    (clause,) = tree.declarations
    assert isinstance(clause, syntax.ClauseDecl)
    assert clause.span.text == text
    assert clause.body is not None
    (statement,) = clause.body
    assert isinstance(statement, syntax.ExpressionStmt)
    assert statement.span.text == "x = (b + c) * f(1)[2];"
    assign = statement.expression
    assert isinstance(assign, syntax.AssignOp)
    assert assign.span.text == "x = (b + c) * f(1)[2]"
    product = assign.value
    assert isinstance(product, syntax.BinaryOp)
    assert (product.span.text, product.right.span.text) == ("(b + c) * f(1)[2]", "f(1)[2]")


def test_long_rows_of_else_ifs_and_choices_are_not_nesting() -> None:
    text = "if (a) b; " + "else if (a) b; " * 150
    tree, diagnostics = parsed("BEGIN { " + text + "x = " + "a ? b : " * 150 + "c; }")
    assert diagnostics.found == []
    assert len(tree.declarations) == 1


def test_an_empty_text_is_an_empty_script() -> None:
    for text in ("", "  \n", "/* nothing */", "// nothing", "#!/usr/bin/invivo\n", ";"):
        assert script(text) == []
