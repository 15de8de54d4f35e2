"""Arguments of calls about sockets: options by name and value, addresses, messages.

    option_name(2).early(frame)     "SO_REUSEADDR", for the level in the argument before it

Sources: socket(7), tcp(7), netlink(7).
"""

from __future__ import annotations

import struct

from invivo.strace.flags import Names
from invivo.strace.frame import Frame
from invivo.strace.pieces import Capture, Piece
from invivo.strace.structures import message, quoted, structure, vectors

__all__ = ["LEVELS", "address_out", "message_out", "option_in", "option_name", "option_out", "protocol", "vectors_out"]

LEVELS = {
    "SOL_IP": 0, "SOL_SOCKET": 1, "SOL_TCP": 6, "SOL_UDP": 17, "SOL_IPV6": 41, "SOL_PACKET": 263, "SOL_NETLINK": 270,
}  # fmt: skip


def option_name(index: int) -> Piece:
    """The name of a socket's option depends on its level, the argument before it."""
    import socket

    def table(*prefixes: str) -> Names:
        return Names({}, {n: int(v) for n, v in vars(socket).items() if n.startswith(prefixes) and isinstance(v, int)})

    # include/uapi/asm-generic/socket.h, include/uapi/linux/netlink.h: what Python lacks
    more = {
        "SO_SNDBUFFORCE": 32, "SO_RCVBUFFORCE": 33, "SO_NO_CHECK": 11, "SO_TIMESTAMP_OLD": 29, "SO_PEERCRED": 17,
        "SO_PEERSEC": 31, "SO_PASSCRED": 16, "SO_ACCEPTCONN": 30, "SO_PROTOCOL": 38, "SO_DOMAIN": 39,
        "SO_ATTACH_FILTER": 26, "SO_REUSEPORT": 15, "SO_PEERPIDFD": 77, "SO_PEERGROUPS": 59,
    }  # fmt: skip
    base = {
        name: int(value) for name, value in vars(socket).items()
        if name.startswith("SO_") and not name.startswith("SO_VM_") and isinstance(value, int)
    }  # fmt: skip
    base.update({"SO_RCVTIMEO_OLD": base.pop("SO_RCVTIMEO", 20), "SO_SNDTIMEO_OLD": base.pop("SO_SNDTIMEO", 21)})
    tables = {
        1: Names({}, {**base, **more}), 6: table("TCP_"), 0: table("IP_"), 41: table("IPV6_"), 17: table("UDP_"),
        270: Names({}, {"NETLINK_ADD_MEMBERSHIP": 1, "NETLINK_DROP_MEMBERSHIP": 2, "NETLINK_PKTINFO": 3,
                        "NETLINK_EXT_ACK": 11, "NETLINK_GET_STRICT_CHK": 12}),
    }  # fmt: skip

    def early(frame: Frame) -> str:
        value = frame.words[index] & 0xFFFFFFFF
        names = tables.get(frame.words[index - 1] & 0xFFFFFFFF)
        return f"{value:#x} /* SOL_??? */" if names is None else names.text(value)

    return Piece(early)


def _option_value(frame: Frame, index: int, size: int) -> str:
    at = frame.words[index]
    data = frame.read(at, min(size, 256)) if at and size > 0 else b""
    if not at:
        return "NULL"
    if not data:
        return '""' if size == 0 else f"{at:#x}"
    level, name = frame.words[index - 2] & 0xFFFFFFFF, frame.words[index - 1] & 0xFFFFFFFF
    if level == 1 and name == 13 and len(data) == 8:  # SO_LINGER
        on, seconds = struct.unpack("<ii", data)
        return f"{{l_onoff={on}, l_linger={seconds}}}"
    if level == 1 and name in (20, 21) and len(data) == 16:
        return "{{tv_sec={}, tv_usec={}}}".format(*struct.unpack("<qq", data))
    if level == 1 and name == 17 and len(data) == 12:  # SO_PEERCRED
        return "{{pid={}, uid={}, gid={}}}".format(*struct.unpack("<iII", data))
    if level == 1 and name == 4 and len(data) == 4:  # SO_ERROR
        import errno

        number = int.from_bytes(data, "little")
        return f"[{errno.errorcode.get(number, number)}]"
    if len(data) == 4:
        return f"[{int.from_bytes(data, 'little', signed=True)}]"
    return quoted(data, frame.limit)


def option_in(index: int) -> Piece:
    return Piece(
        lambda frame: _option_value(frame, index, frame.signed(index + 1)),
        captures=(Capture(index, 256, times=index + 1),),
    )


def option_out(index: int) -> Piece:
    def late(frame: Frame) -> str:
        if frame.has_failed:
            return f"{frame.words[index]:#x}"
        return _option_value(frame, index, frame.number(frame.words[index + 1]) or 0)

    return Piece(lambda frame: None, late, captures=(Capture(index, 256, at_return=True),))


def address_out(index: int) -> Piece:
    """A socket's address; how long it is the next argument tells, by address."""

    def late(frame: Frame) -> str:
        at = frame.words[index]
        if frame.has_failed or not at:
            return f"{at:#x}" if at else "NULL"
        count = frame.number(frame.words[index + 1])
        return structure("struct sockaddr *", at, frame, count or 0) or f"{at:#x}"

    return Piece(
        lambda frame: None if frame.words[index] else "NULL", late, captures=(Capture(index, 128, at_return=True),)
    )


def message_out(index: int) -> Piece:
    def note(frame: Frame) -> None:
        frame.notes[index] = frame.number(frame.words[index] + 8)

    def late(frame: Frame) -> str:
        at, room = frame.words[index], frame.notes.get(index)
        if frame.has_failed:
            return f"{at:#x}"
        return message(at, frame, frame.result, room if isinstance(room, int) else None) or f"{at:#x}"

    return Piece(lambda frame: None if frame.words[index] else "NULL", late, note, None)


def vectors_out(index: int) -> Piece:
    def late(frame: Frame) -> str:
        at = frame.words[index]
        filled = 0 if frame.has_failed else frame.result
        return vectors(at, frame, frame.signed(index + 1), filled) or f"{at:#x}"

    return Piece(lambda frame: None if frame.words[index] else "NULL", late, captures=None)


def protocol(index: int) -> Piece:
    import socket

    protocols = Names({}, {n: int(v) for n, v in vars(socket).items() if n.startswith("IPPROTO_")})
    netlink = Names({}, {  # include/uapi/linux/netlink.h
        "NETLINK_ROUTE": 0, "NETLINK_USERSOCK": 2, "NETLINK_FIREWALL": 3, "NETLINK_SOCK_DIAG": 4, "NETLINK_NFLOG": 5,
        "NETLINK_XFRM": 6, "NETLINK_SELINUX": 7, "NETLINK_AUDIT": 9, "NETLINK_CONNECTOR": 11, "NETLINK_NETFILTER": 12,
        "NETLINK_KOBJECT_UEVENT": 15, "NETLINK_GENERIC": 16, "NETLINK_CRYPTO": 21,
    })  # fmt: skip

    def early(frame: Frame) -> str:
        family, value = frame.words[0] & 0xFFFFFFFF, frame.words[index] & 0xFFFFFFFF
        if family in (2, 10):
            return protocols.text(value)
        return netlink.text(value) if family == 16 else str(value)

    return Piece(early)
