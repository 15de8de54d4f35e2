"""The words of D that are no plain identifiers.

In: nothing. Out: sets of words that the parser asks.

    "struct" in DECLARATION_WORDS     a top-level text that begins with it is a declaration
    "goto" in RESERVED                refused, with a reason
"""

from __future__ import annotations

__all__ = ["C_TYPE_WORDS", "DECLARATION_WORDS", "KEYWORDS", "KNOWN_TYPES", "QUALIFIERS", "RESERVED", "STORAGE", "TAGS"]

# Words that together name one of C's arithmetic types; `string` stands alone but is used the same way.
C_TYPE_WORDS = frozenset(
    "char double float int long short signed unsigned void _Bool _Complex _Imaginary string".split()
)
TAGS = frozenset(("struct", "union", "enum"))
# `__user` and DTrace's `userland` say where a pointer leads; the others change nothing in D.
QUALIFIERS = frozenset(("const", "volatile", "restrict", "__user", "userland"))
STORAGE = frozenset(("self", "this", "typedef", "extern", "static", "auto", "register"))

_STATEMENTS = frozenset(("if", "else", "while", "for", "break", "continue", "return"))
_OPERATORS = frozenset(("sizeof", "offsetof", "stringof", "xlate"))
_DEFINITIONS = frozenset(("inline", "translator", "provider"))

# Each with what to say of it.
RESERVED = {
    "case": "use if and else, or ?:",
    "counter": "DTrace keeps the word and gives it no meaning",
    "default": "use if and else, or ?:",
    "do": "use while",
    "goto": "use if, while or for",
    "import": "DTrace keeps the word and gives it no meaning",
    "probe": "it belongs into provider { }, which a tracing program does not have",
    "switch": "use if and else, or ?:",
}

KEYWORDS = (
    C_TYPE_WORDS | TAGS | QUALIFIERS | STORAGE | _STATEMENTS | _OPERATORS | _DEFINITIONS | frozenset(RESERVED)
)  # fmt: skip

# What a declaration at top level, or in a body, may begin with.
DECLARATION_WORDS = C_TYPE_WORDS | TAGS | QUALIFIERS | STORAGE | _DEFINITIONS

# Names of types that are known without a declaration, besides those that end in _t.
KNOWN_TYPES = frozenset("bool uint ulong ushort uchar u8 u16 u32 u64 s8 s16 s32 s64".split()) | frozenset(
    f"__{sign}{bits}" for sign in ("u", "s", "le", "be") for bits in (8, 16, 32, 64)
)
