"""Texts that are almost D: what the front end must take without a traceback or a hang.

    near_d(random.Random(1), seeds)     "syscall::read:entry { @[pid = count(); }"

Five ways to make one: a seed with pieces taken out, doubled, exchanged or put in; two seeds crossed; words of the
language in any order; the grammar followed, with names of every kind; bytes. Seeds are the case files.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

__all__ = ["near_d", "seeds"]

_CASES = Path(__file__).parent.parent / "cases"

# Words and signs; a few are wrong on purpose.
_WORDS = """
BEGIN END ERROR tick-1s profile:::tick-10ms syscall::read:entry syscall:::return proc:::exec dtrace:::BEGIN :::: :
{ } ( ) [ ] ; , / // /* */ ? : . -> ++ -- + - * % & | ^ ~ ! && || ^^ << >> < <= > >= == != = += -= *= /= %= <<= >>=
@ @a @b $1 $$1 $target $pid $nothing $ $$ # #pragma #line " ' \\ ` `jiffies vmlinux`jiffies 9p`x
int char long short unsigned signed void float double string struct union enum typedef self-> this-> self this inline
translator xlate sizeof offsetof stringof if else while for break continue return function const volatile extern static
psinfo_t task_struct curpsinfo curthread pid tid execname arg0 args args[0] probefunc timestamp errno cpu NULL x y z s
0 1 -1 07 08 0x 0xff 0xffffffffffffffff 18446744073709551616 1u 2L 'a' 'abcde' '' "str" "%d %s\\n" "%" "\\" 1.5 1e9
count() sum( avg min max quantize lquantize(1,0,10,1) llquantize printf( printa( trace( tracemem( stack() ustack(5)
clear trunc normalize denormalize exit(0) speculate commit discard speculation() strlen substr strjoin strtok copyin
copyinstr alloca bcopy basename index rand() print( setopt( raise system( freopen( nosuch(
""".split()

_PRAGMAS = """quiet|bufsize=4k|aggsortkey|strsize=0|strsize=999999999999|nspec=x|nothing|aggsortpos=-1|switchrate=10hz
|switchrate=0hz|dynvarsize=1t|stackframes=0|bufpolicy=ring|=|bufsize=|quiet quiet""".replace("\n", "").split("|")


def seeds() -> list[str]:
    """The texts of all case files."""
    return [path.read_text("utf-8", "surrogateescape") for path in sorted(_CASES.rglob("*.d"))]


def near_d(random: Random, seeds: list[str]) -> str:
    """A text that may or may not be a D program."""
    match random.randrange(10):
        case 0 | 1 | 2 | 3:
            return _mutated(random, random.choice(seeds))
        case 4 | 5:
            return _crossed(random, random.choice(seeds), random.choice(seeds))
        case 6:
            return _words(random)
        case 7 | 8:
            return _grammatical(random)
        case _:
            return _bytes(random)


def _mutated(random: Random, text: str) -> str:
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.choice((0, 1, 1, 2, 5, 20)))
        match random.randrange(7):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:end] + text[start:]
            case 2:
                text = text[:start] + random.choice(_WORDS) + text[end:]
            case 3:
                text = text[:start] + " " + random.choice(_WORDS) + " " + text[start:]
            case 4:
                other = random.randrange(len(text) + 1)
                text = text[:start] + text[other : other + 30] + text[end:]
            case 5:
                text = text[:start] + chr(random.choice((0, 10, 34, 39, 92, 127, 160, 0x2028, 0x1F600))) + text[end:]
            case _:
                text = text[:start]
        if len(text) > 20_000:
            return text[:20_000]
    return text


def _crossed(random: Random, one: str, other: str) -> str:
    """The first lines of one, the last of another: clauses meet declarations that were not made for them."""
    mine, its = one.splitlines(keepends=True), other.splitlines(keepends=True)
    return "".join(mine[: random.randrange(len(mine) + 1)] + its[random.randrange(len(its) + 1) :])


def _words(random: Random) -> str:
    glue = random.choice((" ", " ", "", "\n"))
    return glue.join(random.choice(_WORDS) for _ in range(random.randrange(1, 60)))


def _bytes(random: Random) -> str:
    data = bytes(random.randrange(256) for _ in range(random.randrange(200)))
    return data.decode("utf-8", "surrogateescape")


# --- by the grammar ---------------------------------------------------------------------------------------------------

_TYPES = ["int", "char", "unsigned long", "string", "struct s", "union u", "enum e", "s_t", "int *", "void", "void *",
          "struct task_struct *", "psinfo_t", "float", "uint8_t", "struct s *", "_Bool", "pid_t"]  # fmt: skip
_NAMES = ["x", "y", "this->x", "this->y", "self->x", "self->s", "a[1]", "a[x, \"k\"]", "self->a[pid]", "this->p->m",
          "this->st.m", "st.m", "p->n[2]", "pid", "execname", "curthread", "arg0", "args[0]", "probefunc", "LIMIT",
          "RED", "timestamp", "`jiffies", "`nosuch", "$1", "$$1", "curpsinfo->pr_fname", "*p", "&x",
          "t[0]"]  # fmt: skip
_BINARY = "+ - * / % & | ^ << >> < <= > >= == != && || ^^ = += -= <<= ,".split()
_CALLS = ["strlen", "substr", "strjoin", "index", "strtok", "alloca", "copyin", "copyinstr", "basename", "lltostr",
          "rand", "speculation", "stringof", "sizeof", "f", "progenyof", "htons", "inet_ntoa", "toupper"]  # fmt: skip
_ACTIONS = ["printf", "trace", "printa", "tracemem", "exit", "clear", "trunc", "normalize", "stack", "ustack", "commit",
            "speculate", "discard", "setopt", "print", "sym", "func", "system", "raise", "freopen"]  # fmt: skip
_AGGREGATIONS = ["count()", "sum({})", "avg({})", "min({})", "max({})", "quantize({})", "lquantize({}, 0, 10, 1)",
                 "llquantize({}, 10, 0, 3, 10)", "stddev({})", "lquantize({}, {}, {})"]  # fmt: skip
_DECLARATIONS = [
    "struct s {{ int m; char n[4]; struct s *next; int b : 3; {} q; }};", "union u {{ int m; long l; {} q; }};",
    "enum e {{ RED = {}, BLUE }};", "typedef struct s s_t;", "{} x;", "self {} s;", "this {} st;", "{} a[int, string];",
    "{} t[4];", "inline int LIMIT = {};", "inline {} LIMIT[int k] = k + {};", "typedef int (*fn_t)({});", "extern "
                                                                                                          "int e;",
    "translator s_t < {} v > {{ m = {}; }};", "function {} f(int k) {{ return k + 1; }}", "{} *p, x, t[3][2];",
]  # fmt: skip


def _expression(random: Random, depth: int) -> str:
    if depth <= 0 or random.random() < 0.2:
        return random.choice((random.choice(_NAMES), random.choice(_NAMES), str(random.randrange(-3, 300)), '"text"'))
    inner = _expression(random, depth - 1)
    match random.randrange(12):
        case 0 | 1 | 2 | 3:
            return f"({inner} {random.choice(_BINARY)} {_expression(random, depth - 1)})"
        case 4:
            return f"{random.choice('-~!+*&')}{inner}"
        case 5:
            return f"({random.choice(_TYPES)}){inner}"
        case 6:
            return f"({inner} ? {_expression(random, depth - 1)} : {_expression(random, depth - 1)})"
        case 7:
            arguments = ", ".join(_expression(random, depth - 1) for _ in range(random.randrange(4)))
            return f"{random.choice(_CALLS)}({arguments})"
        case 8:
            return f"{inner}{random.choice(('++', '--', '->m', '.m', '[0]', '[1, 2]'))}"
        case 9:
            return f"sizeof ({random.choice(_TYPES)})"
        case 10:
            return f"xlate <{random.choice(_TYPES)}> ({inner})"
        case _:
            return f"offsetof({random.choice(_TYPES)}, m)"


def _statement(random: Random, depth: int) -> str:
    def inner() -> str:
        return _expression(random, 2)

    match random.randrange(9):
        case 0 | 1:
            return f"{random.choice(_NAMES)} = {inner()};"
        case 2:
            keys = ", ".join(inner() for _ in range(random.randrange(3)))
            name = random.choice(("@", "@a", "@b"))
            function = random.choice(_AGGREGATIONS).replace("{}", inner())
            return f"{name}{f'[{keys}]' if keys else ''} = {function};"
        case 3 | 4:
            first = random.choice(['"%d %s\\n"', '"%x"', "@a", "@", inner(), '"%@d"', ""])
            return f"{random.choice(_ACTIONS)}({', '.join(filter(None, [first, *[inner()] * random.randrange(3)]))});"
        case 5:
            return f"if ({inner()}) {_block(random, depth - 1)}"
        case 6:
            return f"for (int k = 0; {inner()}; k++) {_block(random, depth - 1)}"
        case 7:
            return f"{random.choice(_TYPES)} k{random.randrange(3)} = {inner()};"
        case _:
            return f"{inner()};"


def _block(random: Random, depth: int) -> str:
    if depth <= 0:
        return "{ }"
    return "{ " + " ".join(_statement(random, depth) for _ in range(random.randrange(4))) + " }"


def _grammatical(random: Random) -> str:
    lines = [f"#pragma D option {random.choice(_PRAGMAS)}" for _ in range(random.randrange(2))]
    for _ in range(random.randrange(5)):
        text = random.choice(_DECLARATIONS)
        lines.append(text.replace("{{", "\0").replace("}}", "\1").replace("{}", random.choice([*_TYPES, "3", "x + 1"])))
        lines[-1] = lines[-1].replace("\0", "{").replace("\1", "}")
    for _ in range(random.randrange(1, 4)):
        probe = random.choice(("BEGIN", "END", "ERROR", "tick-1s", "syscall::read:entry", "syscall::openat:return",
                               "proc:::exec-success", "sched:::on-cpu", "no:such:probe:here",
                               "profile-97"))  # fmt: skip
        predicate = f" /{_expression(random, 2)}/" if random.random() < 0.3 else ""
        lines.append(f"{probe}{predicate}\n{_block(random, 3)}")
    text = "\n".join(lines) + "\n"
    return _mutated(random, text) if random.random() < 0.3 else text
