"""What a frame's text says: function, module, kind. Every tool writes it in its own way.

    vfs_read_[k]                Frame("vfs_read", "", KERNEL)          folded, as stackcollapse-perf annotates
    vmlinux`vfs_read+0x1c       Frame("vfs_read", "vmlinux", KERNEL)   dtrace, invivo
    libc.so.6`read              Frame("read", "libc.so.6")
    LInterpreter;_[j]           JIT   _[i] inlined

Names are traced strings and may be anything: bytes that are no UTF-8 are shown as \\xNN, control characters too.
"""

from __future__ import annotations

import re

from invivo.flame.profile import Frame, Kind

__all__ = ["KERNEL_START", "clean", "decode", "frame_of", "is_kernel_module", "label"]

KERNEL_START = 1 << 63  # the kernel's half of the address space, on every 64-bit architecture that Linux runs on

_SUFFIXES = {"_[k]": Kind.KERNEL, "_[i]": Kind.INLINED, "_[j]": Kind.JIT, "_[w]": Kind.WAKER}
_KERNEL_MODULES = frozenset(("vmlinux", "[kernel.kallsyms]", "[kernel]", "[guest.kernel.kallsyms]", "kernel", "bpf"))
_OFFSET = re.compile(r"\+0x[0-9a-f]+$")
# Control characters, lone surrogates, and what reorders the text around it.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def decode(raw: bytes) -> str:
    """A traced name as text that can be shown, kept as JSON, and read back."""
    text = raw.decode("utf-8", "backslashreplace")
    return clean(text)


def clean(text: str) -> str:
    """The text without control characters and lone surrogates: each as \\xNN."""
    if text.isprintable():
        return text
    return _CONTROL.sub(lambda match: _visible(match[0]), text)


def _visible(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def is_kernel_module(module: str) -> bool:
    """True for the kernel itself and for its modules as perf names them, `[nf_tables]`."""
    if module in _KERNEL_MODULES or module.endswith((".ko", ".ko.xz", ".ko.zst")) or module.startswith("[kernel"):
        return True
    return module[:1] == "[" and module[-1:] == "]" and module not in (
        "[unknown]", "[vdso]", "[vsyscall]", "[heap]", "[stack]", "[anon]"
    )  # fmt: skip


def frame_of(text: str, *, kind: Kind | None = None) -> Frame:
    """The frame that a text names; `kind`, if the source knows better than the text."""
    for suffix, meant in _SUFFIXES.items():
        if text.endswith(suffix) and len(text) > len(suffix):
            text, kind = text[: -len(suffix)], meant
            break
    module, tick, name = text.partition("`")
    if not tick or not module or not name or "(" in module or " " in module:
        module, name = "", text
    else:
        name = _OFFSET.sub("", name)
    if kind is None:
        kind = Kind.KERNEL if module and is_kernel_module(module) else Kind.USER
    return Frame(name, module, kind)


def label(frame: Frame) -> str:
    """The frame as one piece of folded text, which frame_of() reads back."""
    name = frame.name.replace(";", ":").replace("\n", " ")
    if frame.module and "`" not in name and name[:1] != "[":
        name = f"{frame.module.replace(';', ':')}`{name}"
    for suffix, kind in _SUFFIXES.items():
        if kind is frame.kind and not (kind is Kind.KERNEL and is_kernel_module(frame.module)):
            return name + suffix
    return name
