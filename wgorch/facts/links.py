"""Network devices, addresses and routes of a host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface, IPv6Interface
from typing import NamedTuple

from wgorch.base.ip import network
from wgorch.base.value import value
from wgorch.facts.grammar import MAX_LINES, integer, match
from wgorch.facts.part import Answers, Part, Reread
from wgorch.inventory.model import IPAddress, IPNetwork

Address = IPv4Interface | IPv6Interface

PART = Part(dict.fromkeys(("links", "addresses", "routes", "routes6"), Reread.AFTER_CHANGE))


@value
class Device:
    """A network device of any kind, as ``ip link`` lists it."""

    name: str
    mtu: int
    up: bool
    alias: str = ""


class Route(NamedTuple):
    """One line of ``ip route show``."""

    subnet: IPNetwork
    device: str
    gateway: str
    proto: str
    """A number, or one of iproute2's names."""
    metric: int
    plain: bool = True
    """The line says nothing else."""


@value
class Links:
    """Network devices of one host, the addresses on them, and the main routing table."""

    devices: Mapping[str, Device]
    addresses: tuple[tuple[str, Address], ...]
    """Device and address with prefix, in the order of ``ip addr``."""
    routes: tuple[Route, ...]

    def interface_into(self, subnet: IPNetwork) -> str | None:
        """The device into a LAN: the one with an address of it, else the one of its route."""
        for device, address in self.addresses:
            if address.version == subnet.version and address.ip in subnet:
                return device
        route = self.route_to(subnet.network_address, exact=subnet)
        return route.device if route and route.subnet.prefixlen else None

    def route_to(self, ip: IPAddress, exact: IPNetwork | None = None) -> Route | None:
        """The route of the main table for an address: longest prefix, then lowest metric; `exact`: one for this net."""
        fitting = [r for r in self.routes if r.subnet.version == ip.version and ip in r.subnet]
        if exact is not None:
            fitting = [r for r in fitting if exact.subnet_of(r.subnet)]  # type: ignore[arg-type]
        return max(fitting, key=lambda r: (r.subnet.prefixlen, -r.metric), default=None)

    def egress_interface(self, version: int, tunnel: str) -> str | None:
        """The device of the default route, other than the tunnel; None where there is none."""
        found = [
            r for r in self.routes if r.subnet.version == version and not r.subnet.prefixlen and r.device != tunnel
        ]
        return min(found, key=lambda r: r.metric).device if found else None


def read(answers: Answers) -> Links:
    """The Links in a host's answers. Raises NotAnAnswer or ValueError."""
    lines = answers["addresses"]
    routes = [line for line in lines if not _ADDRESS_LINE.match(line)] + answers.get("routes", [])
    return Links(
        devices={device.name: device for device in map(_device, answers["links"])},
        addresses=tuple(_addresses([line for line in lines if _ADDRESS_LINE.match(line)])),
        routes=(*_routes(routes, "0.0.0.0/0"), *_routes(answers.get("routes6", []), "::/0")),
    )


def is_global(address: Address) -> bool:
    """False for a link-local address of IPv6."""
    return not (address.version == 6 and address.ip.is_link_local)


def _device(line: str) -> Device:
    name, mtu, flags, *alias = line.split(" ", 3)
    return Device(match(r"[^\s/]{1,15}", name), integer(mtu), bool(int(flags, 16) & 1), alias[0] if alias else "")


def _addresses(lines: list[str]) -> Iterator[tuple[str, Address]]:
    for line in lines[:MAX_LINES]:
        words = line.split()
        family = next((i for i, word in enumerate(words[:4]) if word in ("inet", "inet6")), None)
        if family is None:
            continue
        local = words[family + 1]
        prefix = f"/{words[family + 3].split('/')[1]}" if words[family + 2] == "peer" and "/" not in local else ""
        yield words[1].split("@")[0].rstrip(":"), ipaddress.ip_interface(local + prefix)


_ADDRESS_LINE = re.compile(r"\d+: ")
"""How a line of ``ip -o addr show`` begins, and none of ``ip route show``."""


ROUTE_KINDS = ("unreachable", "blackhole", "prohibit", "throw", "local", "broadcast", "multicast", "anycast")


def _routes(lines: list[str], everything: str) -> Iterator[Route]:
    for line in lines[:MAX_LINES]:
        words = line.split()
        if line[0].isspace() or not words:
            continue  # the next hops of a multipath route
        if words[0] in ROUTE_KINDS:
            words = words[1:]
        subnet = network(everything if words[0] == "default" else words[0])
        after = dict(zip(words[1:], words[2:], strict=False))
        metric = int(after.get("metric", "0"))
        plain = not set(words[1::2]) - {"dev", "proto", "scope", "metric", "pref", "via"} and "scope host" not in line
        yield Route(subnet, after.get("dev", ""), after.get("via", ""), after.get("proto", ""), metric, plain)
