"""A firewall tried with packets: three tun interfaces in a network namespace of its own, and rules between them.

Run as a program (``unshare -n python -m tests.lab.firewall``) it reads jobs from its input, a line of JSON each, and answers
each with a line: for every packet the interface that it came out of, ``local`` if the host itself got it, or nothing.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

INTERFACES = ("wg0", "lan0", "wan0")
PROTOCOLS = {"tcp": 6, "udp": 17, "gre": 47}
SYN, ACK, SYN_ACK = 2, 16, 18

SEEN = """
table inet seen {
    set ids { typeof ip id; flags dynamic; size 65535; }
    set ids6 { typeof ip6 flowlabel; flags dynamic; size 65535; }
    chain input {
        type filter hook input priority 300; policy accept;
        meta nfproto ipv4 update @ids { ip id }
        meta nfproto ipv6 update @ids6 { ip6 flowlabel }
    }
}
"""


class Packet(NamedTuple):
    """A packet, by the interface that it comes in by; ``local`` for one that the host itself sends."""

    by: str
    source: str
    target: str
    protocol: str
    """tcp, udp, gre, echo-request, echo-reply or unreachable."""
    sport: int = 40000
    dport: int = 0
    flags: int = SYN
    payload: bytes = b""

    @property
    def answer(self) -> Packet:
        """What its receiver sends back."""
        back = self._replace(by="wg0", source=self.target, target=self.source, flags=SYN_ACK)
        if self.protocol == "echo-request":
            return back._replace(protocol="echo-reply")
        return back._replace(sport=self.dport, dport=self.sport)

    def error(self, router: str, number: int) -> Packet:
        """An ICMP error about it, sent by a router."""
        quoted = self.bytes(number)[: 60 if ":" in self.source else 28]
        return Packet("wg0", router, self.source, "unreachable", payload=quoted)

    def bytes(self, number: int) -> bytes:
        """The packet, with a number in its header to tell it by."""
        source, target = ipaddress.ip_address(self.source), ipaddress.ip_address(self.target)
        protocol, body = self._body(source.version)
        if source.version == 4:
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number, 0, 64, protocol, 0)
            head += source.packed + target.packed
            head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
            pseudo = source.packed + target.packed + struct.pack("!BBH", 0, protocol, len(body))
        else:
            head = struct.pack("!IHBB", 0x60000000 | number, len(body), protocol, 64) + source.packed + target.packed
            pseudo = source.packed + target.packed + struct.pack("!II", len(body), protocol)
        at = {6: 16, 17: 6, 1: 2, 58: 2}.get(protocol)
        if at is not None:
            summed = _checksum((b"" if protocol == 1 else pseudo) + body)
            body = body[:at] + struct.pack("!H", summed) + body[at + 2 :]
        return head + body

    def _body(self, version: int) -> tuple[int, bytes]:
        if self.protocol == "tcp":
            return 6, struct.pack("!HHIIBBHHH", self.sport, self.dport, 1, 1, 0x50, self.flags, 1000, 0, 0)
        if self.protocol == "udp":
            return 17, struct.pack("!HHHH", self.sport, self.dport, 12, 0) + b"ping"
        if self.protocol == "gre":
            return 47, struct.pack("!HH", 0, 0x0800) + b"\0" * 20
        kinds = {"echo-request": (8, 128), "echo-reply": (0, 129), "unreachable": (3, 1)}
        kind, code = kinds[self.protocol][version == 6], 3 if self.protocol == "unreachable" else 0
        return (1 if version == 4 else 58), struct.pack("!BBHHH", kind, code, 0, self.sport & 0xFFFF, 1) + self.payload


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Firewall:
    """A namespace with a host's addresses, routes and rules in it."""

    def __init__(self) -> None:
        argv = ["unshare", "-n", sys.executable, "-m", "tests.lab.firewall"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=20)

    def ask(self, setup: dict[str, list[str]], rules: dict[str, str], packets: Iterable[Packet]) -> list[str]:
        """What becomes of packets, sent in this order.

        `setup`: addresses and networks by interface; each is an address of the host, or a route; `rules`: what the commands
        that load them read, each of them in the place of what it loaded before.
        """
        job = {"setup": setup, "rules": rules, "packets": [[*p[:-1], p.payload.hex()] for p in packets]}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        assert isinstance(found, list), found
        return found


def tun(name: str) -> int:
    """A new tun interface; what is written to its file comes in by it."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH", name.encode(), 0x1001))
    return device


def run(argv: list[str], text: str = "") -> None:
    """Run a command that must succeed."""
    subprocess.run(argv, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def set_up(setup: dict[str, list[str]]) -> None:
    """Give the interfaces their addresses and routes, and take away those of before."""
    lines = []
    for name in INTERFACES:
        lines += [f"addr flush dev {name}", f"route flush dev {name}", f"-6 route flush dev {name}"]
        for net in setup.get(name, []):
            alone = ipaddress.ip_interface(net)
            own = "/" not in net
            family = "-6 " if alone.version == 6 else ""
            lines += [f"{family}addr replace {alone} dev {name}" + (" nodad" if family else "")] if own else []
            lines += [] if own else [f"{family}route replace {net} dev {name}"]
    # `ip -batch` takes the family of all its lines as one option.
    for family in ("", "-6 "):
        some = [line.removeprefix("-6 ") for line in lines if line.startswith("-6 ") == bool(family)]
        run(["ip", *family.split(), "-batch", "-"], "\n".join(some) + "\n")


def _ids() -> set[int]:
    found: set[int] = set()
    for name in ("ids", "ids6"):
        said = subprocess.run(
            ["nft", "-j", "list", "set", "inet", "seen", name], capture_output=True, check=True
        ).stdout
        for entry in json.loads(said)["nftables"]:
            for element in entry.get("set", {}).get("elem", []):
                found.add(int(element["elem"]["val"] if isinstance(element, dict) else element))
    return found


def _send(packet: Packet, raw: bytes, devices: dict[str, int]) -> None:
    if packet.by != "local":
        os.write(devices[packet.by], raw)
        return
    version = socket.AF_INET6 if ":" in packet.source else socket.AF_INET
    with socket.socket(version, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        sender.sendto(raw, (packet.target, 0))


def _came_out(devices: dict[str, int]) -> Iterator[tuple[list[bytes], str]]:
    """What the host sent, as far as there is any; it is not waited for: a packet crosses the host at once."""
    for name, device in devices.items():
        while select.select([device], [], [], 0)[0]:
            yield _names(os.read(device, 65536)), name


def _names(raw: bytes) -> list[bytes]:
    """What tells a packet on its whole way: its number with one of its addresses, as a NAT changes only one of them.

    The host's own packets, resets and the like, may have the same number.
    """
    if raw[0] >> 4 == 4:
        return [raw[4:6] + raw[12:16] + b"s", raw[4:6] + raw[16:20] + b"d"]
    return [raw[:4] + raw[8:24] + b"s", raw[:4] + raw[24:40] + b"d"]


def _job(job: dict[str, Any], devices: dict[str, int]) -> list[str]:
    set_up(job["setup"])
    run(["nft", "-f", "-"], f"flush ruleset\n{SEEN}\n{job['rules'].pop('nft', '')}")
    for tool, text in job["rules"].items():
        run([tool], text)
    subprocess.run(["conntrack", "-F"], capture_output=True, check=False)
    packets = [Packet(*its[:-1], payload=bytes.fromhex(its[-1])) for its in job["packets"]]
    found: dict[int, str] = {}
    numbers = {}
    for number, packet in enumerate(packets, 1):
        raw = packet.bytes(number)
        numbers |= dict.fromkeys(_names(raw), number)
        _send(packet, raw, devices)
        for came, name in _came_out(devices):
            found |= {numbers[each]: name for each in came if each in numbers}
    found |= dict.fromkeys(_ids(), "local")
    return [found.get(number, "") for number in range(1, len(packets) + 1)]


def main() -> None:
    """Answer jobs until the input ends."""
    devices = {name: tun(name) for name in INTERFACES}
    run(["ip", "-batch", "-"], "".join(f"link set {name} up\n" for name in ("lo", *INTERFACES)))
    for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        Path("/proc/sys/net", path).write_text("1")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_job(json.loads(line), devices)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
