"""Network devices, addresses and routes of a host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from ipaddress import IPv4Interface, IPv6Interface
from typing import NamedTuple

from wgorch.base.ip import network
from wgorch.base.value import value
from wgorch.facts.grammar import integer, match
from wgorch.facts.part import Answers, Part, Reread
from wgorch.inventory.model import IPAddress, IPNetwork

Address = IPv4Interface | IPv6Interface

PART = Part(
    dict.fromkeys(
        ("links", "local", "addresses", "routes", "routes6", "policy-routes", "nexthops"), Reread.AFTER_CHANGE
    )
)


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
    kind: str = ""
    """``blackhole``, ``unreachable`` …; empty for an ordinary route."""
    nexthop: str = ""
    """Id of its nexthop object; empty for none."""

    def beats(self, metric: int) -> bool:
        """True for a route that takes the packets of another one to the same network, which has a metric."""
        return self.metric <= metric


class PolicyRule(NamedTuple):
    """One line of ``ip rule show``."""

    priority: int
    selector: str
    """``from all``, ``not from all fwmark 0xca6c`` …"""
    table: str
    """Empty where the rule itself ends the lookup."""
    action: str
    """``lookup``, ``unreachable``, ``blackhole``, ``prohibit`` …"""
    suppresses: bool
    """It passes over default routes of its table."""

    def __str__(self) -> str:
        return f"{self.priority}: {self.selector} {self.action}{self.table and ' ' + self.table}"


@value
class Links:
    """Network devices of one host, the addresses on them, and the main routing table."""

    devices: Mapping[str, Device]
    addresses: tuple[tuple[str, Address], ...]
    """Device and address with prefix, in the order of ``ip addr``."""
    routes: tuple[Route, ...]
    local: Mapping[str, frozenset[IPAddress]] = field(default_factory=dict)
    """Addresses that table local has, by device; only of devices that it was read for."""
    rules: tuple[PolicyRule, ...] = field(default=(), compare=False)
    """Rules of others that are asked before the main table."""
    tables: Mapping[str, tuple[Route, ...]] = field(default_factory=dict, compare=False)
    """Routes of the tables that those rules ask."""
    nexthops: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Devices of wgorch's nexthop objects, by id."""
    has_nexthops: bool = field(default=False, compare=False)
    """True where the kernel and `ip` have nexthop objects; of networks with several relays only."""

    def interface_into(self, subnet: IPNetwork) -> str | None:
        """The device into a LAN: the one with an address of it, else the one of its route."""
        for device, address in self.addresses:
            if address.version == subnet.version and address.ip in subnet:
                return device
        route = self.route_to(subnet.network_address, exact=subnet)
        return route.device if route and route.subnet.prefixlen else None

    def networks_of(self, device: str) -> tuple[IPNetwork, ...]:
        """The networks of a device's addresses and routes."""
        addresses = (address.network for name, address in self.addresses if name == device)
        return (*addresses, *(route.subnet for route in self.routes if route.device == device))

    def route_to(self, ip: IPAddress, exact: IPNetwork | None = None) -> Route | None:
        """The route of the main table for an address: longest prefix, then lowest metric; `exact`: one for this net."""
        fitting = [r for r in self.routes if r.subnet.version == ip.version and ip in r.subnet]
        if exact is not None:
            fitting = [r for r in fitting if exact.subnet_of(r.subnet)]  # type: ignore[arg-type]
        return max(fitting, key=lambda r: (r.subnet.prefixlen, -r.metric), default=None)

    def egress_interface(self, version: int, tunnel: str) -> str | None:
        """The device of the default route, other than the tunnel; None where there is none."""
        found = [
            r
            for r in self.routes
            if r.subnet.version == version and not r.subnet.prefixlen and r.device != tunnel and not r.kind
        ]
        return min(found, key=lambda r: r.metric).device if found else None


def read(answers: Answers) -> Links:
    """The Links in a host's answers. Raises NotAnAnswer or ValueError."""
    lines = answers["addresses"]
    rules = [hit for line in lines if (hit := _RULE_LINE.fullmatch(line))]
    lines = [line for line in lines if not _RULE_LINE.fullmatch(line)]
    routes = [line for line in lines if not _ADDRESS_LINE.match(line)] + answers.get("routes", [])
    routes6 = answers.get("routes6", [])
    asked = [] if "poor-ip" in answers else answers.get("local", [])
    local: dict[str, set[IPAddress]] = {name: set() for name in asked}
    for line in (*routes, *routes6) if asked else ():
        hit = _LOCAL_LINE.match(line)
        if hit and hit[2] in local:
            local[hit[2]].add(ipaddress.ip_address(hit[1]))
    return Links(
        devices={device.name: device for device in map(_device, answers["links"])},
        addresses=tuple(_addresses([line for line in lines if _ADDRESS_LINE.match(line)])),
        routes=(*_routes(_main(routes, asked), "0.0.0.0/0"), *_routes(_main(routes6, asked), "::/0")),
        local={name: frozenset(found) for name, found in local.items()},
        rules=tuple(_rule(hit) for hit in rules if int(hit[1]) < MAIN and not _is_detour(hit)),
        tables=_tables(answers.get("policy-routes", [])),
        nexthops={hit[1]: hit[2] for line in answers.get("nexthops", []) if (hit := _NEXTHOP.match(line))},
        has_nexthops="supported" in answers.get("nexthops", []),
    )


_NEXTHOP = re.compile(r"id ([0-9]{1,10}) dev (\S{1,15}) .*proto 119\b")


def _is_detour(hit: re.Match[str]) -> bool:
    """True for wgorch's own rule about packets that come in by a tunnel."""
    return " iif " in hit[2] and "proto 119" in (hit[5] or "")


MAIN = 32766
"""Priority of the rule that asks the main table."""
_RULE_LINE = re.compile(
    r"(\d{1,10}):\t?\s*((?:not )?from .*?)(?: (lookup) (\S+)(.*)| (unreachable|blackhole|prohibit|nop|goto.*))"
)


def _rule(hit: re.Match[str]) -> PolicyRule:
    return PolicyRule(int(hit[1]), hit[2], hit[4] or "", hit[3] or hit[6], "suppress_prefixlength 0" in (hit[5] or ""))


def _tables(lines: list[str]) -> dict[str, tuple[Route, ...]]:
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line.startswith("table "):
            name = line[6:46]
            found[name] = []
        elif name:
            found[name].append(line)
    return {name: tuple(_routes(routes, "0.0.0.0/0")) for name, routes in found.items()}


def _main(routes: list[str], asked: list[str]) -> list[str]:
    """The routes of the main table."""
    return [line for line in routes if not line.startswith("local ")] if asked else routes


def is_global(address: Address) -> bool:
    """False for a link-local address of IPv6."""
    return not (address.version == 6 and address.ip.is_link_local)


def _device(line: str) -> Device:
    name, mtu, flags, *alias = line.split(" ", 3)
    return Device(match(r"[^\s/]{1,15}", name), integer(mtu), bool(int(flags, 16) & 1), alias[0] if alias else "")


def _addresses(lines: list[str]) -> Iterator[tuple[str, Address]]:
    for line in lines:
        words = line.split()
        family = next((i for i, word in enumerate(words[:4]) if word in ("inet", "inet6")), None)
        if family is None:
            continue
        local = words[family + 1]
        prefix = f"/{words[family + 3].split('/')[1]}" if words[family + 2] == "peer" and "/" not in local else ""
        yield words[1].split("@")[0].rstrip(":"), ipaddress.ip_interface(local + prefix)


_ADDRESS_LINE = re.compile(r"\d+: ")
"""How a line of ``ip -o addr show`` begins, and none of ``ip route show``."""


_LOCAL_LINE = re.compile(r"local ([0-9a-f.:]+) dev (\S+)")
"""A route of table local."""

ROUTE_KINDS = ("unreachable", "blackhole", "prohibit", "throw", "local", "broadcast", "multicast", "anycast")


def _routes(lines: list[str], everything: str) -> Iterator[Route]:
    for line in lines:
        words = line.split()
        if line[0].isspace() or not words:
            continue  # the next hops of a multipath route
        kind = words.pop(0) if words[0] in ROUTE_KINDS else ""
        subnet = network(everything if words[0] == "default" else words[0])
        after = dict(zip(words[1:], words[2:], strict=False))
        metric = integer(after.get("metric", "0"))
        plain = not set(words[1::2]) - {"dev", "proto", "scope", "metric", "pref", "via"} and "scope host" not in line
        device, gateway, proto = after.get("dev", ""), after.get("via", ""), after.get("proto", "")
        yield Route(subnet, device, gateway, proto, metric, plain, kind, after.get("nhid", ""))
