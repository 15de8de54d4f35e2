"""-h: a C header of macros that plant the probes of a provider definition, as SystemTap-style notes (.note.stapsdt).

    provider app { probe query__start(char *, int); };

    #define APP_QUERY_START(arg0, arg1)   ...     a nop with a note: provider, name, where the arguments are
    #define APP_QUERY_START_ENABLED()     ...     whether someone traces it: a counter that the tracer raises

The notes need nothing at run time and no object file from -G: tracers find them in the program's ELF file. Their form:
"UserSpaceProbeImplementation" in SystemTap's wiki. Source of the macros' names: dtrace(8), "-h".
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from invivo.errors import InvivoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from invivo.cli.dtrace.arguments import Program

__all__ = ["ProbeDefinition", "ProviderDefinition", "header", "parse_definitions", "write"]

_MOST = 12  # arguments of a note
_PROVIDER = re.compile(r"\bprovider\s+([A-Za-z_]\w*)\s*\{(.*?)\}\s*;", re.S)
_PROBE = re.compile(r"\s*probe\s+([A-Za-z_]\w*)\s*\(([^()]*)\)\s*(?::\s*\([^()]*\)\s*)?(?:;|\Z)")
_PARAMETER = re.compile(r"\s*(?P<type>[A-Za-z_][\w\s*]*?)(?P<name>\b[A-Za-z_]\w*)?\s*\Z")
_UNSIGNED = re.compile(r"\b(?:unsigned|_Bool|bool|u_?(?:int|short|long|char)\w*|size_t|[ug]id_t|id_t)\b")
_TYPE_WORDS = frozenset("void char short int long float double signed unsigned _Bool const volatile".split())


class ProbeDefinition(NamedTuple):
    """`types` are C's, of the arguments that the program gives."""

    name: str
    types: tuple[str, ...]


class ProviderDefinition(NamedTuple):
    name: str
    probes: tuple[ProbeDefinition, ...]


def write(programs: Sequence[Program], output: str | None) -> None:
    """Write the header of all provider definitions in the scripts, to `output` or beside the first as FILE.h.

    Raises:
        InvivoError: No script, a script that cannot be read, no definition, or one that is wrong.
    """
    scripts = [program.text for program in programs if program.kind == "s"]
    if not scripts:
        raise InvivoError("-h needs the provider definitions of a script", "invivo dtrace -h -s FILE.d")
    definitions: list[ProviderDefinition] = []
    for path in scripts:
        try:
            with open(path, encoding="utf-8") as stream:
                definitions += parse_definitions(stream.read(), path)
        except OSError as error:
            raise InvivoError(f"failed to open {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise InvivoError(f"{path} is not UTF-8, which program text must be") from None
    target = output or os.path.splitext(os.path.basename(scripts[0]))[0] + ".h"
    try:
        with open(target, "w", encoding="utf-8") as stream:
            stream.write(header(definitions, os.path.basename(target)))
    except OSError as error:
        raise InvivoError(f"cannot write to '{target}': {error.strerror}") from None


def parse_definitions(text: str, name: str) -> list[ProviderDefinition]:
    """The provider definitions of a D text.

    Raises:
        InvivoError: There is none, or one is wrong; the message says where.
    """
    text = re.sub(r"/\*.*?\*/|^[ \t]*#[^\n]*", lambda match: "\n" * match[0].count("\n"), text, flags=re.S | re.M)
    found = []
    for match in _PROVIDER.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        where = f"{name}: line {line}: provider {match[1]}"
        if match[1][-1].isdigit():
            raise _refused("D_PROV_BADNAME", f"{where}: a provider's name ends in no digit: a process's number follows")
        found.append(ProviderDefinition(match[1], _probes(match[2], where)))
    if not found:
        raise InvivoError(f"{name}: no provider is defined", "provider NAME { probe PROBE(TYPE, ...); };")
    return found


def _probes(text: str, where: str) -> tuple[ProbeDefinition, ...]:
    probes, position = [], 0
    while text[position:].strip():
        match = _PROBE.match(text, position)
        if match is None:
            shown = " ".join(text[position:].split())[:40]
            raise InvivoError(f"{where}: not a probe definition: '{shown}'", "probe NAME(TYPE, ...);")
        parameters = [part for part in match[2].split(",") if part.strip() not in ("", "void")]
        if len(parameters) > _MOST:
            message = f"{where}: probe {match[1]} has {len(parameters)} arguments; a note holds {_MOST}"
            raise _refused("D_PROV_PRARGLEN", message)
        types = tuple(_type(part, f"{where}: probe {match[1]}") for part in parameters)
        probes.append(ProbeDefinition(match[1], types))
        position = match.end()
    names = [probe.name for probe in probes]
    if twice := next((probe for probe in names if names.count(probe) > 1), None):
        raise _refused("D_PROV_PRDUP", f"{where}: probe {twice} is defined twice")
    return tuple(probes)


def _refused(code: str, message: str) -> InvivoError:
    error = InvivoError(message)
    error.code = code
    return error


def _type(parameter: str, where: str) -> str:
    """The C type of a parameter, whose name may be left out."""
    match = _PARAMETER.match(parameter)
    if match is None:
        raise InvivoError(f"{where}: '{parameter.strip()}' is not a type")
    type_, name = " ".join(match["type"].split()), match["name"] or ""
    last = type_.split()[-1:] if type_ else []
    if not type_ or name in _TYPE_WORDS or last in (["struct"], ["union"], ["enum"]):
        type_ = f"{type_} {name}".strip()
    return re.sub(r"\bstring\b", "const char *", type_)


def header(definitions: Sequence[ProviderDefinition], name: str) -> str:
    """The text of the header file called `name`."""
    guard = "_" + re.sub(r"\W", "_", name.upper())
    parts = [_PREAMBLE.format(guard=guard)]
    for provider in definitions:
        for probe in provider.probes:
            parts.append(_macros(provider.name, probe))
    return "\n".join([*parts, _END.format(guard=guard)])


def _macros(provider: str, probe: ProbeDefinition) -> str:
    macro = f"{provider}_{probe.name}".upper().replace("__", "_")
    semaphore = f"{provider}_{probe.name}_semaphore"
    names = [f"arg{index}" for index in range(len(probe.types))]
    where = " ".join(f"%n[size{index}]@%[value{index}]" for index in range(len(probe.types)))
    inputs = ", ".join(
        f'[size{index}] "n" ({"" if _is_signed(type_) else "-"}(int) sizeof ({_passed(type_)})), '
        f'[value{index}] "nor" (({_passed(type_)}) (arg{index}))'
        for index, type_ in enumerate(probe.types)
    )
    lines = [
        f"__extension__ unsigned short {semaphore}",
        '\t__attribute__ ((weak, visibility ("hidden"), section (".probes")));',
        f"#define {macro}_ENABLED() __builtin_expect (*(volatile unsigned short *) &{semaphore}, 0)",
        f"#define {macro}({', '.join(names)}) \\",
        f'\t__asm__ __volatile__ (_INVIVO_NOTE ("{provider}", "{probe.name}", "{semaphore}", "{where}") \\',
        f"\t\t:: {inputs})" if inputs else "\t\t::)",
        "",
    ]
    return "\n".join(lines)


def _is_signed(type_: str) -> bool:
    return "*" not in type_ and not _UNSIGNED.search(type_)


def _passed(type_: str) -> str:
    """Pointers are passed as void *, so that no declaration of what they point to is needed."""
    return "const void *" if "*" in type_ else type_


_PREAMBLE = """\
/* Written by invivo dtrace -h. */
#ifndef {guard}
#define {guard}

#ifndef _INVIVO_NOTE
#define _INVIVO_NOTE(provider, name, semaphore, arguments) \\
\t"990:\\tnop\\n" \\
\t"\\t.pushsection .note.stapsdt, \\"\\", \\"note\\"\\n" \\
\t"\\t.balign 4\\n" \\
\t"\\t.4byte 992f - 991f, 994f - 993f, 3\\n" \\
\t"991:\\t.asciz \\"stapsdt\\"\\n" \\
\t"992:\\t.balign 4\\n" \\
\t"993:\\t.8byte 990b\\n" \\
\t"\\t.8byte _.stapsdt.base\\n" \\
\t"\\t.8byte " semaphore "\\n" \\
\t"\\t.asciz \\"" provider "\\"\\n" \\
\t"\\t.asciz \\"" name "\\"\\n" \\
\t"\\t.asciz \\"" arguments "\\"\\n" \\
\t"994:\\t.balign 4\\n" \\
\t"\\t.popsection\\n" \\
\t"\\t.ifndef _.stapsdt.base\\n" \\
\t"\\t.pushsection .stapsdt.base, \\"aG\\", \\"progbits\\", .stapsdt.base, comdat\\n" \\
\t"\\t.weak _.stapsdt.base\\n" \\
\t"\\t.hidden _.stapsdt.base\\n" \\
\t"_.stapsdt.base:\\t.space 1\\n" \\
\t"\\t.size _.stapsdt.base, 1\\n" \\
\t"\\t.popsection\\n" \\
\t"\\t.endif\\n"
#endif
"""
_END = "#endif /* {guard} */\n"
