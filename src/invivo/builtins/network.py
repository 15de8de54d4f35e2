"""Addresses of the network as text, where the library cannot say it alone.

inet_ntoa6(p)        __inet6(p, 0): "2001:db8::1", and "10.0.0.1" for an IPv4 address that is kept in one of IPv6
inet_ntoa6(p, 1)     __inet6(p, 1): "::ffff:10.0.0.1"
"""

from __future__ import annotations

from invivo.builtins.registry import Builder, Builtin, Kind, register
from invivo.program.nodes import Expr, IntLit
from invivo.program.types import INT

__all__: list[str] = []


def _inet_ntoa6(b: Builder, args: list[Expr]) -> Expr:
    is_strict = args[1] if len(args) > 1 else IntLit(0, INT, b.span)
    return b.library("__inet6", [args[0], is_strict])


register(
    Builtin(
        "inet_ntoa6",
        Kind.SUBROUTINE,
        "string inet_ntoa6(void *address [, int is_strict])",
        "an IPv6 address as text; an IPv4 address kept in one as such, or with is_strict like ::ffff:10.0.0.1",
        subroutine=_inet_ntoa6,
    ),
)
