"""Random D programs print the same on the kernel engine and on the reference engine, faults included.

    x op y ? (uint8_t)z++ : ...      in clauses of END, on variables that BEGIN has set, so that no compiler knows them

What both agree on may still be wrong: tests/cases says what is right.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.cases.run import compiled, in_kernel, on_reference

pytestmark = pytest.mark.kernel

# A failure is shown as it was found: to make it smaller would take thousands of loads.
quickly = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Variables by name with their types; ones that start with 'z' are often 0.
TYPES = {
    "c": "char", "uc": "unsigned char", "s": "short", "us": "unsigned short", "i": "int", "ui": "unsigned int",
    "l": "long", "ul": "unsigned long", "z": "int", "zl": "long",
}  # fmt: skip
NAMES = sorted(TYPES)

_edges = [0, 1, -1, 2, 7, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63) + 1]
numbers = st.one_of(st.sampled_from(_edges), st.integers(-(2**63) + 1, 2**63 - 1), st.integers(-300, 300))
small = st.one_of(st.just(0), st.integers(-3, 3))


def literal(value: int, suffix: str) -> str:
    return f"({value}{suffix})"


literals = st.one_of(
    st.builds(literal, st.integers(-(2**31) + 1, 2**31 - 1), st.sampled_from(["", "L"])),
    st.builds(literal, st.integers(0, 2**32 - 1), st.sampled_from(["U", "UL"])),
    st.builds(literal, numbers, st.just("L")),
)
# Members, bit-fields and elements of structures and arrays in every place; the last index may lie outside.
PLACES = [
    "g.c", "g.low", "g.high", "g.v[i & 3]", "this->t.ul", "this->t.low", "this->t.v[us & 3]", "self->u.s",
    "self->u.high",
    "self->u.v[l & 3]", "m[i & 1].c", "m[2].low", "m[z].v[ui & 3]", "four[uc & 3]",
    "this->w[1][c & 1]", "four[z]",
]  # fmt: skip
STRUCTURES = """struct st { char c; unsigned int low : 3; int high : 5; short s; long v[4]; unsigned long ul; };
struct st g; this struct st t; self struct st u; struct st m[int]; int four[4]; this short w[2][2];
"""
copies = st.sampled_from(
    ["(g = m[i & 1], g.low)", "(self->u = this->t, self->u.ul)", "(m[1] = g, m[1].v[2])"]
)
variables = st.sampled_from(NAMES + [f"this->{name}" for name in NAMES] + ["a[i & 3]", "b[c, 1]"] + PLACES)
leaves = st.one_of(variables, variables, literals, copies)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    plain = st.sampled_from(["+", "-", "*", "&", "|", "^", "<<", ">>"])
    compare = st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "&&", "||", "^^"])
    # A divisor has a variable in it, or the compiler might find a 0.
    divisor = st.builds("({} {} {})".format, variables, st.sampled_from(["+", "&", "^"]), inner)
    return st.one_of(
        st.builds("({} {} {})".format, inner, plain, inner),
        st.builds("({} {} {})".format, inner, plain, inner),
        st.builds("({} {} {})".format, inner, compare, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["/", "%"]), divisor),
        st.builds("({}{})".format, st.sampled_from(["-", "~", "!", "+"]), inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("({})({})".format, st.sampled_from([*TYPES.values(), "_Bool", "int8_t", "uint64_t"]), inner),
        st.builds("({}, {})".format, inner, inner),
        st.builds("({} {} {})".format, variables, st.sampled_from(["=", "+=", "-=", "*=", "&=", "|=", "^="]), inner),
        st.builds("({} {} {})".format, variables, st.sampled_from(["<<=", ">>="]), inner),
        st.builds("({} {} {})".format, variables, st.sampled_from(["/=", "%="]), divisor),
        st.builds("({}{})".format, st.sampled_from(["++", "--"]), variables),
        st.builds("({}{})".format, variables, st.sampled_from(["++", "--"])),
    )


expressions = st.recursive(leaves, _larger, max_leaves=10)
values = st.fixed_dictionaries({name: small if name.startswith("z") else numbers for name in NAMES})


def _program(values: dict[str, int], clauses: list[str]) -> str:
    """The clauses at END, with the variables set: global ones in BEGIN, clause-local ones in a clause of END."""
    declared = "".join(f"{type_} {name};\nthis {type_} {name};\n" for name, type_ in TYPES.items())
    declared += "int a[int];\nunsigned char b[int, int];\n" + STRUCTURES
    globals_ = "".join(f"\t{name} = {literal(value, 'L')};\n" for name, value in values.items())
    locals_ = "".join(f"\tthis->{name} = {name} ^ 85;\n" for name in values)
    body = "".join(f"END\n{{\n{clause}\n}}\n" for clause in clauses)
    return (
        f"#pragma D option quiet\n{declared}BEGIN\n{{\n{globals_}\ta[1] = 77;\n\tb[3, 1] = 200;\n"
        "\tg.v[1] = l;\n\tg.high = i;\n\tm[1] = g;\n\texit(0);\n}\n"
        f"END\n{{\n{locals_}}}\n{body}"
    )


def _agree(text: str) -> None:
    program = compiled(text.encode(), "random.d")
    assert in_kernel(program) == on_reference(program), text


@settings(quickly, max_examples=40)  # some 1000 expressions
@given(values, st.lists(expressions, min_size=20, max_size=30))
def test_integer_expressions(values: dict[str, int], chosen: list[str]) -> None:
    _agree(_program(values, [f'\tprintf("{n} %d\\n", {each});' for n, each in enumerate(chosen)]))


@quickly
@given(values, st.lists(st.tuples(expressions, expressions, expressions), min_size=2, max_size=3))
def test_control_flow(values: dict[str, int], chosen: list[tuple[str, str, str]]) -> None:
    clauses = [
        f"\tfor (int k = 0; k < 5; k++) {{\n\t\tif ({a}) {{\n\t\t\tprintf(\"{n} %d\\n\", {b});\n"
        f"\t\t\tcontinue;\n\t\t}} else if (k == 3)\n\t\t\tbreak;\n\t\tz += k;\n\t\tprintf(\"%d\\n\", {c});\n\t}}"
        for n, (a, b, c) in enumerate(chosen)
    ]
    _agree(_program(values, clauses))


# --- strings ----------------------------------------------------------------------------------------------------------

_characters = st.sampled_from("aabbc/./-Z")
texts = st.text(_characters, max_size=20)
string_leaves = st.one_of(st.builds('"{}"'.format, texts), st.sampled_from(["s1", "s2", "s3", "n[1]", 'n[2]']))
positions = st.one_of(st.integers(-25, 25).map(str), st.just("p"), st.just("(p - 4)"))


def _larger_string(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("strjoin({}, {})".format, inner, inner),
        st.builds("substr({}, {})".format, inner, positions),
        st.builds("substr({}, {}, {})".format, inner, positions, positions),
        st.builds("{}({})".format, st.sampled_from(["basename", "dirname", "toupper", "tolower"]), inner),
        st.builds("strstr({}, {})".format, inner, inner),
        st.builds("{}({}, '{}')".format, st.sampled_from(["strchr", "strrchr"]), inner, _characters),
        st.builds("(p > 0 ? {} : {})".format, inner, inner),
        st.builds("lltostr({})".format, positions),
        st.builds("(s3 = {})".format, inner),
    )


strings = st.recursive(string_leaves, _larger_string, max_leaves=5)
of_strings = st.one_of(
    st.builds("strlen({})".format, strings),
    st.builds("{}({}, {}, {})".format, st.sampled_from(["index", "rindex"]), strings, strings, positions),
    st.builds("{}({}, {})".format, st.sampled_from(["index", "rindex"]), strings, strings),
    st.builds("({} {} {})".format, strings, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), strings),
)


@pytest.mark.parametrize("strsize", [16, 256])
@quickly
@given(
    given_=st.tuples(texts, texts, texts, texts),
    position=st.integers(-10, 10),
    chosen=st.lists(st.tuples(strings, of_strings), min_size=5, max_size=8),
)
def test_string_expressions(
    strsize: int, given_: tuple[str, str, str, str], position: int, chosen: list[tuple[str, str]]
) -> None:
    s1, s2, n1, n2 = given_
    clauses = "".join(f'END\n{{\n\tprintf("[%s] %d\\n", {a}, {b});\n}}\n' for a, b in chosen)
    _agree(
        f"#pragma D option quiet\n#pragma D option strsize={strsize}\nstring s3;\nstring n[int];\nBEGIN\n{{\n"
        f'\ts1 = "{s1}";\n\ts2 = "{s2}";\n\tn[1] = "{n1}";\n\tn[2] = "{n2}";\n\tp = {position};\n\texit(0);\n}}\n'
        f"{clauses}"
    )


# --- aggregations -----------------------------------------------------------------------------------------------------

linear = st.tuples(st.integers(-1000, 1000), st.integers(1, 50), st.integers(1, 100)).map(
    lambda row: f"{row[0]}, {row[0] + row[1] * row[2]}, {row[2]}"
)
log_linear = st.sampled_from(["10, 0, 3, 10", "2, 0, 20, 1", "2, 3, 10, 2", "10, 1, 4, 20", "16, 0, 5, 8"])


@quickly
@given(st.lists(numbers, min_size=1, max_size=6), linear, log_linear, st.integers(-5, 5))
def test_aggregations(samples: list[int], linear: str, log_linear: str, increment: int) -> None:
    """Samples come from an array, so that they are not known when the code is made; every function sees all of them."""
    set_ = "".join(f"\tv[{n}] = {literal(sample, 'L')};\n" for n, sample in enumerate(samples))
    functions = ["count()", *(f"{name}(v[k])" for name in ("sum", "avg", "min", "max", "stddev", "quantize"))]
    functions += [f"quantize(v[k], {increment})", f"lquantize(v[k], {linear})", f"llquantize(v[k], {log_linear})"]
    updates = "".join(f"\t@f{n} = {each};\n\t@g{n}[k & 1] = {each};\n" for n, each in enumerate(functions))
    clauses = "".join(f"END\n{{\n{updates}\tk++;\n}}\n" for _ in samples)
    _agree(f"#pragma D option quiet\nlong v[int];\nint k;\nBEGIN\n{{\n{set_}\texit(0);\n}}\n{clauses}")
