"""The names of DTrace for Linux 2.x, and what becomes of each here: the table in the manual is made of this.

    state_of("variable", "curthread")    State.WORKS
    state_of("action", "panic")          State.CANNOT, and builtins.absent says why

In: the registries (builtins, D's library, options, pragmas). Out: a state for each name; one that nothing here tells of
has none, which is an error and a failing test. The lists hold names only, by kind, as DTrace's manual and its compiler
have them.
"""

from __future__ import annotations

import enum
import functools
import re

from invivo.builtins import BUILTINS
from invivo.builtins.absent import ABSENT
from invivo.lang.d.library import library_texts
from invivo.lang.d.pragmas import PRAGMAS
from invivo.program.consumer_ids import consumer_ids
from invivo.program.options import OPTIONS, Effect

__all__ = ["NAMES", "State", "note_of", "state_of"]


class State(enum.Enum):
    WORKS = "works"
    DIFFERENT = "works differently"
    CANNOT = "cannot on Linux"


NAMES: dict[str, tuple[str, ...]] = {
    "variable": tuple(
        "arg0 arg1 arg2 arg3 arg4 arg5 arg6 arg7 arg8 arg9 args caller chip cpu curcpu curlwpsinfo curpsinfo "
        "curthread cwd epid errno execname fds gid id ipl lgrp pid ppid probefunc probemod probename probeprov "
        "pset root self stackdepth this tid timestamp ucaller uid uregs ustackdepth vtimestamp walltimestamp".split()
    ),
    "action": tuple(
        "breakpoint chill clear commit copyout copyoutstr denormalize discard exit freopen ftruncate func jstack "
        "mod normalize panic pcap print printa printf raise setopt speculate stack stop sym system trace tracemem "
        "trunc uaddr ufunc umod ustack usym".split()
    ),
    "subroutine": tuple(
        "alloca basename bcopy cleanpath copyin copyinstr copyinto d_path ddi_pathname dirname getmajor getminor "
        "htonl htonll htons index inet_ntoa inet_ntoa6 inet_ntop link_ntop lltostr msgdsize msgsize mutex_owned "
        "mutex_owner mutex_type_adaptive mutex_type_spin ntohl ntohll ntohs progenyof rand rindex rw_iswriter "
        "rw_read_held rw_write_held speculation strchr strjoin strlen strrchr strstr strtok substr".split()
    ),
    "aggregating function": tuple("avg count llquantize lquantize max min quantize stddev sum".split()),
    "macro variable": tuple("egid euid gid pgid pid ppid sid target uid".split()),
    "option": tuple(
        "aggpercpu aggrate aggsize aggsortkey aggsortkeypos aggsortpos aggsortrev amin argref bpflog bpflogsize "
        "bufpolicy bufresize bufsize cleanrate core cpp cppargs cpphdrs cpppath cpu ctfpath ctypes debug "
        "debugassert defaultargs define destructive disasm dofstashpath droptags dtypes dynvarsize empty errtags "
        "evaltime flowindent grabanon incdir iregs jstackframes jstackstrsize kdefs knodefs late lazyload ldpath "
        "libdir linkmode linknommap linktype lockmem maxframes modpath nolibs noresolve nspec pcapsize pgmax "
        "preallocate printsize procfspath pspec quiet quietresize rawbytes scratchsize specsize stackframes "
        "stackindent statusrate stdc strip strsize switchrate syslibdir sysslice tree tregs udefs undef unodefs "
        "ustackframes useruid verbose version zdefs".split()
    ),
    "pragma": tuple("attributes binding depends_on error ident line option".split()),
}

# What is not as in DTrace, though it works.
_DIFFERENT = {
    "variable": {
        "caller": "the second address of stack(), which is where the probe's function was called from",
        "chip": "from sysfs, as it was when the program was compiled",
        "cwd": "at most 32 components, as any path here",
        "epid": "counts clauses, not pairs of clause and probe",
        "lgrp": "from sysfs, as it was when the program was compiled",
        "pset": "always 0: Linux has no processor sets",
    },
    "action": {
        "chill": "at most 100 ms a firing; more is an error at run time",
        "copyout": "where the kernel is locked down it is refused, with the reason",
        "copyoutstr": "where the kernel is locked down it is refused, with the reason",
        "print": "an address in memory from alloca() is shown as its distance there",
        "setopt": "takes effect with the next record, and only for options that may change while tracing",
        "stop": "invivo tells which process was stopped and how it goes on; it does not stop itself",
        "system": "what was traced is passed to the shell as one word, whatever it holds",
    },
    "subroutine": {
        "inet_ntop": "a family that is neither AF_INET nor AF_INET6 gives a text that says so",
        "mutex_type_adaptive": "always 1: all mutexes of Linux are",
        "mutex_type_spin": "always 0: see mutex_type_adaptive",
        "strtok": "where no part is left it yields the empty string, which equals NULL",
    },
}
# Words of the language rather than names in a registry.
_WORDS = {"variable": ("args", "self", "this"), "macro variable": ("target", "pid")}


@functools.cache
def _library() -> frozenset[str]:
    """Functions and inlines that D's library declares."""
    text = "\n".join(source.text for source in library_texts())
    return frozenset(re.findall(r"^(?:inline|function) [^=;{]*?(\w+)(?:\[[^\]]*\]|\([^)]*\))?(?: =|$)", text, re.M))


def _is_here(kind: str, name: str) -> bool:
    match kind:
        case "option":
            return name in OPTIONS and OPTIONS[name].effect is not Effect.REFUSED
        case "pragma":
            return name in PRAGMAS
        case "macro variable":
            return name in _WORDS[kind] or name in consumer_ids()
        case _:
            return name in BUILTINS or name in _library() or name in _WORDS.get(kind, ())


def state_of(kind: str, name: str) -> State:
    """What becomes of a name.

    Raises:
        KeyError: Nothing here tells of it.
    """
    if _is_here(kind, name):
        is_other = kind == "option" and OPTIONS[name].effect is not Effect.WORKS
        return State.DIFFERENT if is_other or name in _DIFFERENT.get(kind, {}) else State.WORKS
    if name in ABSENT or (kind == "option" and name in OPTIONS):
        return State.CANNOT
    raise KeyError(f"{kind} {name}")


def note_of(kind: str, name: str) -> str:
    """In which way it differs, or why it cannot be; empty for what works."""
    match state_of(kind, name):
        case State.WORKS:
            return ""
        case State.DIFFERENT:
            text = _DIFFERENT.get(kind, {}).get(name)
            return text if text is not None else f"{OPTIONS[name].effect.value}: {OPTIONS[name].meaning}"
        case State.CANNOT:
            return OPTIONS[name].meaning if kind == "option" else ABSENT[name]
