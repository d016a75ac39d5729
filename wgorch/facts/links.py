"""Network devices, addresses and routes of a host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface
from typing import NamedTuple

from wgorch.base.ip import network
from wgorch.base.value import value
from wgorch.facts.grammar import MAX_LINES, integer, match
from wgorch.inventory.model import IPNetwork
from wgorch.state.state import ROUTE_PROTO


@value
class Device:
    """A network interface of any kind."""

    name: str
    mtu: int
    up: bool
    alias: str = ""


class Route(NamedTuple):
    """One line of ``ip route show``; `proto` is a number or one of iproute2's names; `plain`: nothing else stands in it."""

    subnet: IPNetwork
    card: str
    gateway: str
    proto: str
    metric: int
    plain: bool = True


def is_global(address: IPv4Interface | IPv6Interface) -> bool:
    return not (address.version == 6 and address.ip.is_link_local)


def device(line: str) -> Device:
    name, mtu, flags, *alias = line.split(" ", 3)
    return Device(match(r"[^\s/]{1,15}", name), integer(mtu), bool(int(flags, 16) & 1), alias[0] if alias else "")


def addresses(lines: list[str]) -> Iterator[tuple[str, ipaddress.IPv4Interface | ipaddress.IPv6Interface]]:
    for line in lines[:MAX_LINES]:
        words = line.split()
        family = next((i for i, word in enumerate(words[:4]) if word in ("inet", "inet6")), None)
        if family is None:
            continue
        local = words[family + 1]
        prefix = f"/{words[family + 3].split('/')[1]}" if words[family + 2] == "peer" and "/" not in local else ""
        yield words[1].split("@")[0].rstrip(":"), ipaddress.ip_interface(local + prefix)


ADDRESS_LINE = re.compile(r"\d+: ")
"""How a line of ``ip -o addr show`` begins, and none of ``ip route show``."""


_ROUTE_KINDS = ("unreachable", "blackhole", "prohibit", "throw", "local", "broadcast", "multicast", "anycast")


def routes(lines: list[str], everything: str) -> Iterator[Route]:
    for line in lines[:MAX_LINES]:
        words = line.split()
        if line[0].isspace() or not words:
            continue  # the next hops of a multipath route
        if words[0] in _ROUTE_KINDS:
            words = words[1:]
        subnet = network(everything if words[0] == "default" else words[0])
        after = dict(zip(words[1:], words[2:], strict=False))
        metric = int(after.get("metric", "0"))
        plain = not set(words[1::2]) - {"dev", "proto", "scope", "metric", "pref", "via"} and "scope host" not in line
        yield Route(subnet, after.get("dev", ""), after.get("via", ""), after.get("proto", ""), metric, plain)


def policy_rules(lines: list[str]) -> Iterator[str]:
    """The rules of the routing policy that carry our protocol number, as iproute2 prints them."""
    for line in lines[:MAX_LINES]:
        priority, _, words = line.partition(":")
        rule = " ".join(words.split())
        if rule.endswith(f"proto {ROUTE_PROTO}"):
            yield f"{integer(priority)} {match(r'[a-z0-9:./_ -]{1,200}', rule)}"


def exit_routes(lines: list[str], facts: dict[str, str]) -> Iterator[str]:
    """The routes of our own table, as ``ip route`` takes them."""
    for line in lines[:MAX_LINES]:
        words = line.split()
        kind = [words.pop(0)] if words[0] in _ROUTE_KINDS else []
        after = dict(zip(words[1:], words[2:], strict=False))
        if after.get("proto") != str(ROUTE_PROTO):
            continue
        dev = ["dev", after["dev"]] if "dev" in after and not kind else []
        metric = ["metric", after["metric"]] if kind and "metric" in after else []
        yield " ".join([*kind, match(r"default|[0-9a-f:./]{2,50}", words[0]), *dev, *metric, "table", facts["table"]])
