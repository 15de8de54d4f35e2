"""Options of a program: `-x NAME[=VALUE]`, `#pragma D option NAME=VALUE`, INVIVO_OPT_NAME or DTRACE_OPT_NAME in the
environment, and, for dynamic ones, setopt("NAME", "VALUE") while it runs.

One row each. Sizes take k, m, g, t; times take ns us ms s m h d (or hz, for rates; a number alone is in
nanoseconds); numbers are decimal or 0x.

    parse_option("bufsize", "4m")       4194304
    parse_option("switchrate", "10hz")  100000000 ns
    parse_option("quiet", None)         True
    parse_option("ctypes", "x.h")       OptionError: it would write a file of C types that invivo does not keep

Options of DTrace that have nothing to act on here are rows too: those that tune a mechanism which invivo does without
are accepted and change nothing, those that ask for something which could not be given are refused. Each has its reason.
Sources: dtrace(8), "Options and Tunables" of the DTrace manual; illumos for aggpack, agghist, aggzoom and encoding.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from invivo.errors import OptionError

__all__ = ["OPTIONS", "Effect", "Option", "OptionKind", "Use", "defaults", "in_units", "parse_dynamic", "parse_option"]


class OptionKind(enum.Enum):
    SIZE = "size"  # bytes
    TIME = "time"  # ns
    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"


class Use(enum.Enum):
    """When an option is read, as DTrace's manual divides them."""

    COMPILE = "compile time"
    RUN = "run time"
    DYNAMIC = "dynamic"  # setopt() may change it while the program runs


class Effect(enum.Enum):
    """What an option does here."""

    WORKS = "works"
    NONE = "accepted, without effect"
    COMMAND = "on the command line of invivo dtrace only"
    REFUSED = "refused"


class Option(NamedTuple):
    """One option. `meaning` says what it does, or why it does nothing or is refused.

    `choices` are the words a TEXT may be,
    where not any. `dtrace` is DTrace's own default where that shows in the output and
    differs; `-x defaults=dtrace` takes it. `most` is the largest value.
    """

    name: str
    kind: OptionKind
    default: int | str | bool
    meaning: str
    use: Use = Use.RUN
    effect: Effect = Effect.WORKS
    choices: tuple[str, ...] = ()
    dtrace: int | None = None
    most: int = (1 << 63) - 1


_SIZE, _TIME, _NUMBER, _FLAG, _TEXT = OptionKind
_COMPILE, _RUN, _DYNAMIC = Use
_WORKS, _NONE, _COMMAND, _REFUSED = Effect


def _off(name: str, meaning: str, use: Use = _RUN) -> Option:
    return Option(name, _FLAG, False, meaning, use)


def _idle(use: Use, reason: str, *names: str, kind: OptionKind = _TEXT) -> tuple[Option, ...]:
    """Options that are accepted and change nothing."""
    default: bool | str | int = False if kind is _FLAG else "" if kind is _TEXT else 0
    return tuple(Option(name, kind, default, reason, use, _NONE) for name in names)


def _refused(use: Use, reason: str, *names: str) -> tuple[Option, ...]:
    return tuple(Option(name, _TEXT, "", reason, use, _REFUSED) for name in names)


def _command(name: str, meaning: str) -> Option:
    return Option(name, _TEXT, "", meaning, _COMPILE, _COMMAND)


_ROWS = (
    # Aggregations as they are printed.
    _off("agghist", "print the values of count() and sum() as bars of one histogram of the keys", _DYNAMIC),
    _off("aggpack", "print each quantize() and lquantize() picture on one line", _DYNAMIC),
    Option("aggrate", _TIME, 0, "how often aggregations are read while tracing; 0: when they are half full", _DYNAMIC),
    _off("aggsortkey", "sort aggregations by key instead of value; negative keys come last, as in DTrace", _DYNAMIC),
    Option("aggsortkeypos", _NUMBER, 0, "the key that aggregations are sorted by first, from 0", _DYNAMIC),
    Option("aggsortpos", _NUMBER, 0, "the aggregation that a printa() of several is sorted by, from 0", _DYNAMIC),
    _off("aggsortrev", "sort aggregations in descending order", _DYNAMIC),
    _off("aggzoom", "scale the bars of a distribution to its largest count instead of the sum", _DYNAMIC),
    Option("encoding", _TEXT, "", "characters of bars; without it utf8 in aggpack's, ascii in others", _DYNAMIC,
           choices=("ascii", "utf8")),
    # Output.
    _off("droptags", "print DTrace's tag of each kind of loss, as in [DTRACEDROP_PRINCIPAL]", _COMPILE),
    _off("errtags", "print the tag of an error of the program, as in [D_SYNTAX], where that is not always done",
         _COMPILE),
    _off("flowindent", "indent by entries and returns, as invivo dtrace -F does", _DYNAMIC),
    _off("noresolve", "print addresses as numbers, without names"),
    Option("pcapsize", _SIZE, 1024, "bytes of a packet that pcap() copies at most", _RUN),
    Option("printsize", _SIZE, 8192, "bytes of a structure that print() shows at most", _DYNAMIC),
    _off("quiet", "print only what the program prints", _DYNAMIC),
    _off("rawbytes", "print traced arrays as a dump even if they hold text", _DYNAMIC),
    _off("srcline", "show the source's file:line in user stacks, %A and uaddr(), and the functions inlined there"),
    Option("stackindent", _NUMBER, 14, "columns before a stack's frames", _DYNAMIC),
    # Buffers, and when they are read.
    Option("aggsize", _SIZE, 4 << 20, "bytes of aggregation keys and values a CPU and aggregation"),
    Option("bufpolicy", _TEXT, "switch", "switch: records are read as they come; fill: they are kept, and tracing "
                                         "ends when "
           "the buffer is full; ring: the newest are kept, and printed at the end", choices=("switch", "fill", "ring")),
    Option("bufresize", _TEXT, "auto", "auto: a buffer that there is no memory for is halved until there is; manual: "
                                       "it is "
           "an error", choices=("auto", "manual")),
    Option("bufsize", _SIZE, 64 << 20, "bytes of the ring buffer that carries records", most=2 << 30),
    Option("dynvarsize", _SIZE, 1 << 20, "bytes of each associative array or thread-local variable"),
    _off("quietresize", "do not tell that a buffer was halved", _DYNAMIC),
    Option("nspec", _NUMBER, 1, "speculations that can be under way at a time"),
    Option("scratchsize", _SIZE, 4096, "bytes of scratch memory of a firing (alloca, copyin)"),
    Option("specsize", _SIZE, 4 << 20, "bytes that one speculation can hold back"),
    Option("stacksize", _NUMBER, 16384, "distinct stacks that can be kept"),
    Option("statusrate", _TIME, 1_000_000_000, "how often losses are looked at and told"),
    Option("switchrate", _TIME, 100_000_000, "how often records are read while tracing", _DYNAMIC),
    # The language.
    Option("amin", _TEXT, "", "the least stability that a program may have: name/data/class", _COMPILE),
    _off("argref", "macro arguments need not all be used", _COMPILE),
    Option("cpu", _NUMBER, -1, "trace on this CPU only"),
    _off("defaultargs", "macro arguments that are not given read 0 or the empty string", _COMPILE),
    Option("defaults", _TEXT, "invivo", "whose defaults hold: dtrace has fewer frames in a stack", _COMPILE,
           choices=("invivo", "dtrace")),
    _off("destructive", "allow actions that change what is traced: raise, stop, system ..."),
    _off("empty", "a text without clauses is a program", _COMPILE),
    _off("follow", "probes of a process fire in its descendants too, and in the programs that those execute", _COMPILE),
    Option("libdir", _TEXT, "", "a folder whose *.d files are read before the program; several are separated by :",
           _COMPILE),
    Option("maxframes", _NUMBER, 127, "frames of a stack at most, whatever it asks for"),
    Option("maxloop", _NUMBER, 65536, "iterations after which a loop is stopped, where the kernel asks"),
    _off("nolibs", "do not read D's library", _COMPILE),
    Option("stackframes", _NUMBER, 127, "frames of a stack", dtrace=20),
    Option("strsize", _SIZE, 256, "bytes of a string, its NUL included"),
    Option("unwindsize", _SIZE, 64 << 20, "bytes of unwind rules of all programs and libraries at most"),
    Option("ustackframes", _NUMBER, 127, "frames of a user stack", dtrace=100),
    Option("version", _TEXT, "", "the version of D that the program is written in; later ones than 2.0.7 are refused",
           _COMPILE),
    _off("zdefs", "a probe description may match nothing", _COMPILE),
    # The kernel's verifier.
    _off("bpflog", "show the whole log of the kernel's verifier if it refuses a program"),
    Option("bpflogsize", _SIZE, 16 << 20, "bytes of that log at most"),
    Option("disasm", _NUMBER, 0, "show the generated program, as invivo dtrace -S does", _COMPILE),
    _off("verbose", "the same", _COMPILE),
    # Accepted, without effect.
    *_idle(_RUN, "variables need no cleaning here: elements are gone when they are deleted", "cleanrate", kind=_TIME),
    *_idle(_RUN, "records of all CPUs go through one buffer, in the order of their time, always", "temporal",
           kind=_FLAG),
    *_idle(_RUN, "memory of BPF is charged to the control group, not limited by RLIMIT_MEMLOCK", "lockmem"),
    *_idle(_RUN, "there is no jstack()", "jstackframes", "jstackstrsize", kind=_NUMBER),
    *_idle(_COMPILE, "a command is held before its first instruction, which is earlier than any of its values",
           "evaltime"),
    *_idle(_COMPILE, "programs are compiled to BPF: there is no DIF, and no DOF", "aggpercpu", "core", "debugassert",
           "iregs",
           "tregs", "pgmax", "preallocate", "dofstashpath", "strip", "sysslice", "useruid"),
    *_idle(_COMPILE, "types and symbols are those of the running kernel", "kdefs", "knodefs", "ctfpath", "modpath",
           "procfspath", "udefs", "unodefs"),
    *_idle(_COMPILE, "nothing is linked", "ldpath", "linkmode", "linknommap", "linktype", "late", "lazyload"),
    *_idle(_COMPILE, "the library lies inside of invivo; see libdir", "syslibdir"),
    *_idle(_COMPILE, "a word between clauses is a probe if it can be one, always", "pspec", kind=_FLAG),
    *_idle(_COMPILE, "INVIVO_DEBUG=1 in the environment shows where an internal error happened", "debug", kind=_FLAG),
    # Of the command line.
    _command("cpp", "run the C preprocessor first, as -C does"),
    _command("cppargs", "more words for the preprocessor: -D, -U and -I with their values"),
    _command("cpphdrs", "print the files that are included, as -H does"),
    _command("define", "define a macro of the preprocessor, as -D does"),
    _command("incdir", "a folder for #include, as -I does"),
    _command("stdc", "what __STDC__ is, as -X does"),
    _command("tree", "show the typed program"),
    _command("undef", "undefine a macro of the preprocessor, as -U does"),
    # Refused.
    *_refused(_COMPILE, "the C preprocessor is the Python package pcpp, which is no program", "cpppath"),
    *_refused(_COMPILE, "it would write a file of types that invivo does not keep", "ctypes", "dtypes"),
    *_refused(_RUN, "there is no anonymous tracing", "grabanon"),
)  # fmt: skip

OPTIONS: dict[str, Option] = {row.name: row for row in _ROWS}

_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TIMES = {
    "": 1, "ns": 1, "nsec": 1, "us": 1_000, "usec": 1_000, "ms": 1_000_000, "msec": 1_000_000,
    "s": 1_000_000_000, "sec": 1_000_000_000, "m": 60_000_000_000, "min": 60_000_000_000,
    "h": 3_600_000_000_000, "hour": 3_600_000_000_000, "d": 86_400_000_000_000, "day": 86_400_000_000_000,
}  # fmt: skip
_NEWEST = (2, 0, 7)  # of the versions of D


def defaults(flavour: str = "invivo") -> dict[str, int | str | bool]:
    """All options with their default values: invivo's, or where they differ in what is printed, DTrace's ("dtrace")."""
    is_theirs = flavour == "dtrace"
    return {row.name: row.dtrace if is_theirs and row.dtrace is not None else row.default for row in _ROWS}


def parse_dynamic(name: str, text: str | None) -> int | str | bool:
    """The value of an option that setopt() changes while the program runs.

    Raises:
        OptionError: As `parse_option`; or the option is read before tracing starts.
    """
    value = parse_option(name, text)
    if OPTIONS[name].use is not Use.DYNAMIC:
        raise OptionError(f"option '{name}' cannot change while tracing", f"-x or #pragma D option {name} sets it "
                                                                          f"before")
    return value


def parse_option(name: str, text: str | None) -> int | str | bool:
    """The value of option `name` from its text (None: given without a value).

    Raises:
        OptionError: No such option, one that is refused, or not a value of its kind.
    """
    row = OPTIONS.get(name)
    if row is None:
        import difflib

        close = difflib.get_close_matches(name, OPTIONS, 1)
        hint = f"did you mean {close[0]}?" if close else "see: invivo help options"
        raise OptionError(f"unknown option '{name}'", hint)
    if row.effect is Effect.REFUSED:
        raise OptionError(f"option '{name}' of DTrace is not available here", row.meaning)
    if row.effect is Effect.COMMAND:
        hint = f"{row.meaning}: invivo dtrace -x {name}"
        raise OptionError(f"option '{name}' belongs to the command line of invivo dtrace", hint)
    if row.kind is OptionKind.FLAG:
        return _flag(row, text)
    if text is None or text == "":
        if row.effect is Effect.NONE:
            return row.default
        raise OptionError(f"option '{name}' needs a value: {row.meaning}", f"for instance -x {name}={_example(row)}")
    return _text(row, text) if row.kind is OptionKind.TEXT else _number(row, text)


def in_units(kind: OptionKind, value: int | str | bool) -> str:
    """A value as one would write it: 4194304 bytes as 4m, 100000000 ns as 100ms."""
    number = value if isinstance(value, int) else 0
    if kind is OptionKind.SIZE:
        scales = (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10))
    elif kind is OptionKind.TIME:
        scales = (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000))
    else:
        return str(value)
    for unit, scale in scales:
        if number and number % scale == 0:
            return f"{number // scale}{unit}"
    return str(number)


def _example(row: Option) -> str:
    if row.kind is OptionKind.TEXT:
        return row.choices[-1] if row.choices else "TEXT"
    return in_units(row.kind, row.default)


def _flag(row: Option, text: str | None) -> bool:
    if text not in (None, "0", "1", "on", "off", "yes", "no", "true", "false", "unset", "disable", "enable"):
        raise OptionError(f"option '{row.name}' is a flag: '{text}' is not yes or no")
    return text in (None, "1", "on", "yes", "true", "enable")


def _text(row: Option, text: str) -> str:
    if row.choices and text not in row.choices:
        raise OptionError(f"option '{row.name}': '{text}' is not one of {', '.join(row.choices)}")
    if row.name == "amin":
        from invivo.program.stability import parse

        if parse(text) is None:
            raise OptionError(f"option 'amin': '{text}' are no attributes", "for instance -x "
                                                                            "amin=Evolving/Evolving/Common")
    if row.name == "version":
        numbers = [int(part) for part in text.split(".")] if all(part.isdecimal() for part in text.split(".")) else []
        if not 1 <= len(numbers) <= 3 or tuple(numbers) > _NEWEST:
            raise OptionError(f"option 'version': D {text} is not known", "the newest is 2.0.7")
    return text


def _number(row: Option, text: str) -> int:
    digits = text.lower().rstrip("abcdefghijklmnopqrstuvwxyz") if not text.lower().startswith("0x") else text
    unit = text[len(digits) :].lower()
    try:
        number = int(digits, 0) if digits.startswith("0x") else int(digits, 10)
    except ValueError:
        raise OptionError(f"option '{row.name}': '{text}' is not a number") from None
    if number < 0:
        raise OptionError(f"option '{row.name}': '{text}' is negative")
    if row.kind is OptionKind.TIME and unit == "hz":
        return 1_000_000_000 // number if number else 0
    units = {OptionKind.SIZE: _SIZES, OptionKind.TIME: _TIMES, OptionKind.NUMBER: {"": 1}}[row.kind]
    if unit not in units:
        hint = f"units: {' '.join(filter(None, units))}" + (" hz" if row.kind is OptionKind.TIME else "")
        raise OptionError(f"option '{row.name}': unknown unit '{unit}' in '{text}'", hint)
    value = number * units[unit]
    if value >> 63:
        raise OptionError(f"option '{row.name}': '{text}' does not fit in 64 bits")
    if value > row.most:
        raise OptionError(f"option '{row.name}': '{text}' is too much: at most {in_units(row.kind, row.most)}")
    return value
