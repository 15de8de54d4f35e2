"""pcap(): packets that a process sends, as it knows them itself; the file is read by the format's description,
pcap-savefile(5), and by file(1) where that is installed."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import invivo

pytestmark = pytest.mark.kernel

SENDER = """
import socket
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 5)
for number in range(7):
    sender.sendto(b"%06d" % number + b"." * (13 * number), receiver.getsockname())
"""
# An interrupt may send a packet of someone else's, in the name of whom it interrupts: so the priority is asked for.
OWN = "pid == $target && ((struct sk_buff *)arg0)->priority == 5"
HEADERS = 14 + 20 + 8  # Ethernet, IPv4, UDP
SENT = [b"%06d" % number + b"." * (13 * number) for number in range(7)]


@pytest.fixture
def sender(tmp_path: Path) -> str:
    path = tmp_path / "sender.py"
    path.write_text(SENDER)
    return f"{sys.executable} {path}"


def packets(data: bytes) -> list[tuple[float, int, bytes]]:
    """(seconds since 1970, length on the wire, bytes) of each; the header says little-endian, nanoseconds, Ethernet."""
    magic, major, minor, _, _, _, link = struct.unpack_from("<IHHiIII", data)
    assert (magic, major, minor, link) == (0xA1B23C4D, 2, 4, 1)
    found, at = [], 24
    while at < len(data):
        seconds, rest, kept, length = struct.unpack_from("<IIII", data, at)
        found.append((seconds + rest / 1e9, length, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    assert at == len(data)
    return found


def test_packets_go_to_a_file(tmp_path: Path, sender: str) -> None:
    file = tmp_path / "sent.pcap"
    program = (
        f'BEGIN {{ freopen("{file}"); }} '
        f"rawtp:net::net_dev_queue /{OWN}/ {{ pcap((struct sk_buff *)arg0, PCAP_ETHERNET); }} "
        "END { freopen(\"\"); printf(\"done\\n\"); }"
    )
    before = time.time()
    result = invivo("run", "-qw", "-e", program, "-c", sender)
    assert (result.stderr, result.returncode) == ("", 0)
    assert "done" in result.stdout
    found = packets(file.read_bytes())
    assert [data[HEADERS:] for _, _, data in found] == SENT
    assert [length for _, length, _ in found] == [HEADERS + len(text) for text in SENT]
    assert all(before <= moment <= time.time() for moment, _, _ in found)
    if shutil.which("file"):
        told = subprocess.run(["file", "-b", str(file)], capture_output=True, text=True, check=True).stdout
        assert "pcap capture file" in told
        assert "Ethernet" in told


def test_no_more_than_pcapsize_is_kept_and_a_file_is_added_to(tmp_path: Path, sender: str) -> None:
    file = tmp_path / "sent.pcap"
    program = f'rawtp:net::net_dev_queue /{OWN}/ {{ freopen("{file}"); pcap(arg0, PCAP_ETHERNET); }}'
    for runs in (1, 2):
        result = invivo("run", "-qw", "-x", "pcapsize=48", "-e", program, "-c", sender)
        assert (result.stderr, result.returncode) == ("", 0)
        found = packets(file.read_bytes())
        assert [data[HEADERS:] for _, _, data in found] == [text[:6] for text in SENT] * runs
        assert [length for _, length, _ in found] == [HEADERS + len(text) for text in SENT] * runs


def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, sender: str) -> None:
    file = tmp_path / "notes"
    file.write_text("my notes, which are longer than the header of a capture")
    program = f'rawtp:net::net_dev_queue /{OWN}/ {{ freopen("{file}"); pcap(arg0, PCAP_ETHERNET); }}'
    result = invivo("run", "-qw", "-e", program, "-c", sender)
    assert "holds something else than packets" in result.stderr
    assert file.read_text() == "my notes, which are longer than the header of a capture"


def test_without_a_file_they_are_shown_as_tracemem_does(sender: str) -> None:
    rest = "tracemem(((struct sk_buff *)arg0)->data, 48);"
    program = f"rawtp:net::net_dev_queue /{OWN} && n++ == 0/ {{ pcap(arg0, PCAP_ETHERNET); {rest} }}"
    result = invivo("run", "-q", "-x", "pcapsize=48", "-e", program, "-c", sender)
    assert (result.stderr, result.returncode) == ("", 0)
    first, second = result.stdout.strip().split("\n\n")
    assert first.strip() == second.strip()
    assert "000000" in first
