"""Packets, and addresses as text where the library cannot say it alone.

inet_ntoa6(p)        __inet6(p, 0): "2001:db8::1", and "10.0.0.1" for an IPv4 address that is kept in one of IPv6
inet_ntoa6(p, 1)     __inet6(p, 1): "::ffff:10.0.0.1"
pcap(skb, PCAP_IP)   what lies at skb->data, copied to memory of the firing's own, and five fields
"""

from __future__ import annotations

from collections.abc import Sequence

from invivo.builtins.registry import BUILTINS, Builder, Builtin, Kind, Operand, register
from invivo.program.actions import Pcap
from invivo.program.nodes import Binary, Call, Compare, Conditional, Convert, Expr, IntLit, Memory
from invivo.program.statements import ExprStmt
from invivo.program.types import INT, INT64, UCHAR, ULONG, Array, Pointer, Space, a_type, is_scalar

__all__: list[str] = []

_MOST_BYTES = 16384  # of one packet


def _inet_ntoa6(b: Builder, args: list[Expr]) -> Expr:
    is_strict = args[1] if len(args) > 1 else IntLit(0, INT, b.span)
    return b.library("__inet6", [args[0], is_strict])


def _pcap(b: Builder, operands: Sequence[Operand]) -> None:
    packet = b.raw(operands[0])
    if not is_scalar(packet.type):
        b.error("D_PCAP_ADDR", packet.span, f"pcap() takes a struct sk_buff *, not {a_type(packet.type)}")
    link = b.integer(operands[1], "D_PCAP_PROTO")
    most = b.option("pcapsize")
    if not 0 < most <= _MOST_BYTES:
        b.error("D_PCAP_SIZE", b.span, f"pcap() copies from 1 to {_MOST_BYTES} bytes, not {most}", "see -x pcapsize")
    span = b.span
    buffer = Convert(packet, Pointer(b.struct("sk_buff"), Space.KERNEL), span)
    length = Convert(b.member(buffer, "len"), ULONG, span)
    # What the first fragment holds: the rest lies elsewhere.
    linear = Binary("-", length, Convert(b.member(buffer, "data_len"), ULONG, span), ULONG, span)
    limit = IntLit(most, ULONG, span)
    size = Conditional(Compare("<", linear, limit, INT, span), linear, limit, ULONG, span)
    copy = b.buffer(most)
    data = Convert(b.member(buffer, "data"), ULONG, span)
    b.add(ExprStmt(Call("bcopy", (data, copy, Convert(size, INT64, span)), INT64, span)))
    wall = BUILTINS["walltimestamp"].variable
    assert wall is not None
    fields = (wall(b), length, size, link, Memory(Convert(copy, ULONG, span), Space.SCRATCH, Array(UCHAR, most), span))
    b.act(Pcap(*map(b.field, fields)))


register(
    Builtin(
        "pcap",
        Kind.ACTION,
        "void pcap(void *packet, int link)",
        "the packet of a struct sk_buff: to a file that freopen() opened, in the format of pcap(3); else as a dump",
        action=_pcap,
    ),
    Builtin(
        "inet_ntoa6",
        Kind.SUBROUTINE,
        "string inet_ntoa6(void *address [, int is_strict])",
        "an IPv6 address as text; an IPv4 address kept in one as such, or with is_strict like ::ffff:10.0.0.1",
        subroutine=_inet_ntoa6,
    ),
)
