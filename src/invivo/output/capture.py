"""Packets in the file format of pcap(3), with nanoseconds: see pcap-savefile(5).

header(1)                                    24 bytes: packets that begin with an Ethernet header
packet_bytes(Packet(ns, 98, 1, data))        16 bytes and the data
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.consumer.output import Packet

__all__ = ["HEADER_BYTES", "header", "link_of", "packet_bytes"]

_MAGIC = 0xA1B23C4D  # with nanoseconds
_LONGEST = 262144
_HEADER = struct.Struct("<IHHiIII")
_PACKET = struct.Struct("<IIII")
_NS = 1_000_000_000

HEADER_BYTES = _HEADER.size


def header(link: int) -> bytes:
    """What a file begins with."""
    return _HEADER.pack(_MAGIC, 2, 4, 0, 0, _LONGEST, link & 0xFFFFFFFF)


def link_of(data: bytes) -> int | None:
    """The type of a file's packets by its first bytes; None if packets cannot be added to it."""
    if len(data) < HEADER_BYTES:
        return None
    magic, *_, link = _HEADER.unpack_from(data)
    return link if magic == _MAGIC else None


def packet_bytes(packet: Packet) -> bytes:
    """One packet with what stands before it."""
    seconds, rest = divmod(max(packet.time_ns, 0), _NS)
    length = max(packet.length, len(packet.data))
    return _PACKET.pack(seconds & 0xFFFFFFFF, rest, len(packet.data), length & 0xFFFFFFFF) + packet.data
