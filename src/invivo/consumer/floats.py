"""Floating-point numbers from their bytes: float, double, and x87's long double.

    number_of(b"\\0\\0\\xc0\\x3f")    1.5
"""

from __future__ import annotations

import math
import struct

__all__ = ["number_of"]

_U64 = (1 << 64) - 1


def number_of(value: object) -> float:
    """A float, double or long double from its bytes."""
    if not isinstance(value, bytes):
        return 0.0
    if len(value) == 16:  # x87's: 63 bits behind an explicit leading one, exponent biased by 16383
        mantissa, rest = struct.unpack_from("<QH", value)
        exponent = rest & 0x7FFF
        if exponent == 0x7FFF:
            number = math.inf if mantissa << 1 & _U64 == 0 else math.nan
        else:
            try:
                number = math.ldexp(mantissa, exponent - 16383 - 63)
            except OverflowError:
                number = math.inf
        return -number if rest >> 15 else number
    number, = struct.unpack("<f" if len(value) == 4 else "<d", value)
    return float(number)
