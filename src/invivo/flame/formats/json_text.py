"""JSON of others, which may hold anything: what is not as it should be reads as empty, text loses control characters.

    number("12")  -> 0        text(None) -> ""        sequence({"a": 1}) -> []
"""

from __future__ import annotations

import json

from invivo.errors import InvivoError
from invivo.flame.naming import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, BinaryIO

__all__ = ["load", "mapping", "number", "sequence", "text"]


def load(stream: BinaryIO, name: str) -> Mapping[str, Any]:
    """The object that a stream's JSON is; an array stands under the key "".

    Raises:
        InvivoError: If it is no JSON.
    """
    try:
        value = json.loads(stream.read())
    except (ValueError, RecursionError) as error:
        raise InvivoError(f"{name}: it is no JSON: {error}", "was the file cut?") from None
    return value if isinstance(value, dict) else {"": value}


def mapping(value: object) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[Any]:
    """The array, or an empty one."""
    return value if isinstance(value, list) else []


def number(value: object) -> int:
    """The number as an integer, or 0."""
    return int(value) if isinstance(value, int | float) and value == value and abs(value) < 1 << 62 else 0


def text(value: object) -> str:
    """The text, cleaned, or ""."""
    return clean(value) if isinstance(value, str) else ""
