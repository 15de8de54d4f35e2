"""What D reads of a program's own structures, beside what the program prints of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support import invivo, trigger

pytestmark = pytest.mark.kernel

# Each line of tests/triggers/fields.c's output, as D says it of visit()'s argument.
_FIELDS = r"""
pid$target:a.out:visit:entry
/args.round == 0/
{
    this->r = args[0];
    printf("i8 %d\nu8 %u\ni16 %d\nu16 %u\ni32 %d\nu32 %u\n", this->r->i8, this->r->u8, this->r->i16, this->r->u16,
        this->r->i32, this->r->u32);
    printf("i64 %d\nu64 %u\nflag %d\n", this->r->i64, this->r->u64, this->r->flag);
    printf("single %f\ntwice %f\nextended %.9f\n", this->r->single, this->r->twice, this->r->extended);
    printf("low %u\nmiddle %d\nhigh %u\nwide %u\ntop %d\n", this->r->low, this->r->middle, this->r->high, this->r->wide,
        this->r->top);
    printf("color %d\nmagnitude %d\n", this->r->color, this->r->magnitude);
    printf("inner.tag %s\ninner.grid %d %d\n", this->r->inner.tag, this->r->inner.grid[0][1],
        this->r->inner.grid[1][2]);
    printf("pointer->tag %s\npointer->next->tag %s\npointer->next->grid %d\n", this->r->pointer->tag,
        this->r->pointer->next->tag, this->r->pointer->next->grid[1][0]);
    printf("number %d %u\n", this->r->number.whole, this->r->number.bytes[2]);
    printf("in_anonymous %d\nword %u\noctets %u\n", this->r->in_anonymous, this->r->word, this->r->octets[3]);
    printf("name %s\nunended %s\nlong_text %s\n", this->r->name, stringof(this->r->unended, this->r->unended_size),
        this->r->long_text);
    printf("callback 0x%x\ntable %d\nflexible %d %d\n", (uintptr_t)this->r->callback, this->r->table[1]->i32,
        this->r->flexible[0], this->r->flexible[2]);
    printf("global %d %d\ngreeting %s\n", `the_record->i32, `hidden_count, stringof(`greeting));
    printf("sizeof %d\n", sizeof (struct record));
}
pid$target:a.out:total:entry
{
    this->sum = 0;
    for (this->n = args[0]; this->n != NULL; this->n = this->n->next)
        this->sum += this->n->value;
    printf("total %d\n", this->sum);
}
"""


def run(program: str, *command: str, options: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    """What the traced command and what the program printed, as lines."""
    shown = Path(command[0] + ".traced")
    try:
        result = invivo("run", "-q", *options, "-o", str(shown), "-e", program, "-c", " ".join(command))
        assert result.returncode == 0, result.stderr
        assert "error" not in result.stderr, result.stderr
        return result.stdout.splitlines(), [line for line in shown.read_text().splitlines() if line]
    finally:
        shown.unlink(missing_ok=True)


@pytest.mark.parametrize("flags", [("-g",), ("-g", "-O0"), ("-g", "-gdwarf-4", "-O2"), ("-g", "-no-pie", "-O2")])
def test_every_field_is_what_the_program_prints(flags: tuple[str, ...]) -> None:
    """Integers, floats, bit-fields, unions, nested structures, strings, a list of 50 nodes, globals."""
    own, traced = run(_FIELDS, trigger("fields", *flags), "1")
    for line in own:
        if not line.startswith("mixed "):
            assert line in traced
    assert len(traced) == len(own) - 1


def test_structures_passed_by_types_of_another_file() -> None:
    """A stripped program keeps its exported functions' names; the types come from the same source, compiled with -g."""
    types = trigger("fields", "-g")
    stripped = trigger("fields", "-rdynamic", "-s")
    program = """
        pid$target:a.out:visit:entry { this->r = (struct record *)arg0; printf("i32 %d\\n", this->r->i32);
            printf("color %d %d\\n", this->r->color == BLUE, sizeof (struct inner)); }
        pid$target:a.out:visit:entry { printf("global %d\\n", `the_record->i32); }
        pid$target:a.out:total:entry { printf("%d\\n", args[0]->next->next->value); }
    """
    _, traced = run(program, stripped, "1", options=("--types", types))
    assert traced == ["i32 -320000", "color 1 32", "global -320000", "4"]


def test_types_of_a_file_with_btf(tmp_path: Path) -> None:
    """GCC writes BTF of the same source into an object file that has no DWARF: all of a stripped program's structures,
    functions and variables are typed by it."""
    types = tmp_path / "types.o"
    source = Path(__file__).parents[1] / "triggers" / "fields.c"
    made = subprocess.run(["cc", "-gbtf", "-O1", "-c", "-o", str(types), str(source)], check=False)
    if made.returncode:
        pytest.skip("this compiler writes no BTF")
    sections = subprocess.run(["readelf", "-SW", str(types)], capture_output=True, text=True, check=True).stdout
    assert ".BTF" in sections
    assert ".debug_info" not in sections
    # Without arrays of arrays, whose bounds GCC 12 writes the wrong way round, and a variable that has no symbol here.
    kept = (part for part in _FIELDS.split(";\n") if "grid" not in part and "hidden_count" not in part)
    program = ";\n".join(kept)
    own, traced = run(program, trigger("fields", "-rdynamic", "-s"), "1", options=("--types", str(types)))
    left_out = {line for line in own if line not in traced}
    names = {"inner.tag", "inner.grid", "pointer->tag", "pointer->next->tag", "pointer->next->grid", "global"}
    # Nor does it write that an enumeration has negative constants.
    assert {line.split()[0] for line in left_out} == names | {"greeting", "color", "mixed"}


def test_print_of_all_arguments() -> None:
    """Each by its name; what lies in a vector register says so; a result too."""
    program = "pid$target:a.out:mixed:entry { print(args); } pid$target:a.out:visit:return { print(args); }"
    _, traced = run(program, trigger("fields", "-g"), "1")
    assert [line for line in traced if not line.startswith("e = 0x")] == [
        "args[0] = 0", "args[1] = -319959",
        "a = -1",
        "b = ? (args[1] (b) of mixed() is a double, which is passed in a vector register)",
        "c = 250",
        "d = ? (args[3] (d) of mixed() is a float, which is passed in a vector register)",
        "f = 60", "g = 70", "h = -80", "i = -9",
    ]  # fmt: skip


def test_print_of_all_variables_at_a_source_line() -> None:
    """At `sum += n->value`, 50 times: the parameter, the sum of the squares so far, the node."""
    source = Path(__file__).parents[1] / "triggers" / "fields.c"
    line = next(i for i, text in enumerate(source.read_text().splitlines(), 1) if "sum += n->value" in text)
    program = f"pid$target:a.out:fields.c@{line}:line {{ print(args); printf(\"%d\\n\", args.n->value); }}"
    _, traced = run(program, trigger("fields", "-g", "-O0"), "1")
    assert traced[0::4] == [traced[0]] * 50
    assert traced[0].startswith("list = 0x")
    assert traced[1::4] == [f"sum = {sum(i * i for i in range(n))}" for n in range(50)]
    assert all(text.startswith("n = 0x") for text in traced[2::4])
    assert traced[3::4] == [str(n * n) for n in range(50)]


def test_print_of_structures_and_enumerations_among_the_variables(tmp_path: Path) -> None:
    (tmp_path / "local.c").write_text(
        "enum colour { RED, GREEN };\nstruct pair { int first; char text[8]; };\n"
        "int main(void) {\n    struct pair p = {23, \"abc\"};\n    enum colour c = GREEN;\n    double d = 2.5;\n"
        "    unsigned char u = 200;\n    return p.first + c + (int)d + u == 0;\n}\n"
    )
    path = tmp_path / "local"
    subprocess.run(["cc", "-g", "-O0", "-o", str(path), str(tmp_path / "local.c")], check=True)
    _, traced = run("pid$target:a.out:local.c@8:line { print(args); }", str(path))
    lines = [line.strip() for line in traced]
    assert {"c = GREEN", "d = 2.5", "u = 200", "(struct pair) {", ".first = (int)23,"} <= set(lines)
    assert any(line.startswith("p =") for line in lines)


def test_enumerations_and_structures_by_name() -> None:
    program = """
        pid$target:a.out:visit:entry { printf("%s %s\\n", args[0]->color, args[0]->magnitude); print(args[0]); }
    """
    _, traced = run(program, trigger("fields", "-g"), "1")
    assert traced[0] == "BLUE LARGE"
    lines = [line.strip() for line in traced]
    wanted = {".i16 = (int16_t)-1600,", ".twice = (double)-2.25,", ".middle = (int)-33,", ".color = (enum color)BLUE,"}
    assert wanted <= set(lines)


def test_results_have_the_function_s_type() -> None:
    """visit() returns i32 + round + 41, as an int: -319959, -319958, -319957."""
    _, traced = run(
        'pid$target:a.out:visit:return { printf("%d\\n", args[1]); }', trigger("fields", "-g"), "3"
    )
    assert traced == ["-319959", "-319958", "-319957"]


def test_parameters_in_registers_and_on_the_stack() -> None:
    """mixed(-1, 2.5, 250, 0.5f, &last, 60, 70, -80, -9): seven integers, of which the last goes on the stack."""
    program = (
        'pid$target:a.out:mixed:entry { printf("%d %d %d %d %d %d %s\\n", '
        "args.a, args.c, args.f, args.g, args.h, args.i, args.e->tag); }"
    )
    _, traced = run(program, trigger("fields", "-g"), "1")
    assert traced == ["-1 250 60 70 -80 -9 last"]


@pytest.mark.parametrize("flags", [("-g",), ("-g", "-O0"), ("-g", "-O0", "-fomit-frame-pointer")])
def test_variables_at_a_source_line(flags: tuple[str, ...]) -> None:
    """At `sum += n->value`, 50 times, sum is that of the squares so far, and n->value the next square."""
    source = Path(__file__).parents[1] / "triggers" / "fields.c"
    line = next(i for i, text in enumerate(source.read_text().splitlines(), 1) if "sum += n->value" in text)
    program = f'pid$target:a.out:fields.c@{line}:line {{ printf("%d %d\\n", args.sum, args.n->value); }}'
    _, traced = run(program, trigger("fields", *flags), "1")
    assert traced == [f"{sum(i * i for i in range(n))} {n * n}" for n in range(50)]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("visit:entry { trace(args[0]->nonsense); }", "struct record has no member 'nonsense'"),
        ("visit:entry { trace(args[0]->i23); }", "did you mean i32?"),
        ("visit:entry { trace(args.turn); }", "no args.turn"),
        ("visit:entry { trace(args[2]); }", "it has args[0] struct record * r, args[1] int round"),
        ("mixed:entry { trace(args.b); }", "passed in a vector register"),
        ("mixed:return { trace(args[1]); }", "in a vector register"),
        ("visit:entry { trace(args[0]->single + 1); }", "float"),
        ("visit:entry { trace(sizeof (struct recrod)); }", "has a 'struct recrod'"),
        ("visit:entry { trace(`the_recrod); }", "no variable 'the_recrod'"),
        ("visit:entry { trace(`visit); }", "no variable 'visit'"),
        ("fields.c@1:line { trace(1); }", "belongs to line 1 of fields.c"),
        ("field.c@70:line { trace(1); }", "did you mean fields.c?"),
    ],
)
def test_mistakes_are_told(program: str, message: str) -> None:
    result = invivo("run", "-q", "-e", f"pid$target:a.out:{program}", "-c", trigger("fields", "-g"))
    assert result.returncode == 1
    assert message in result.stderr
    assert "internal error" not in result.stderr


def test_a_program_without_debug_information_says_what_to_do() -> None:
    result = invivo("run", "-q", "-e", "pid$target:a.out:visit:entry { trace(args[0]); }", "-c", trigger("fields"))
    assert result.returncode == 1
    assert "has no debug information" in result.stderr


def test_a_file_of_types_that_has_none_is_refused(tmp_path: Path) -> None:
    for path, message in (("/no/such/file", "No such file"), ("/etc/passwd", "no ELF file")):
        result = invivo(
            "run", "-q", "--types", path, "-e", "pid$target:a.out:visit:entry { trace((struct xyz *)arg0); }",
            "-c", trigger("fields"),
        )  # fmt: skip
        assert result.returncode == 1
        assert path in result.stderr
        assert message in result.stderr


def test_a_global_of_a_library(tmp_path: Path) -> None:
    """The module before the backquote is the library's name; its own types come first."""
    (tmp_path / "lib.c").write_text("struct s { long n; } deep = {23}; void step(void) { deep.n++; }\n")
    (tmp_path / "main.c").write_text("void step(void); int main(void) { step(); step(); return 0; }\n")
    flags = ["cc", "-g", "-O1"]
    library = tmp_path / "libdeep.so"
    subprocess.run([*flags, "-shared", "-fPIC", "-o", library, tmp_path / "lib.c"], check=True)
    subprocess.run([*flags, "-o", tmp_path / "main", tmp_path / "main.c", library], check=True)
    program = "pid$target:libdeep:step:entry { printf(\"%d %d\\n\", libdeep`deep.n, `deep.n); }"
    _, traced = run(program, str(tmp_path / "main"))
    assert traced == ["23 23", "24 24"]
