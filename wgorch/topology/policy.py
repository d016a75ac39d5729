"""Policy: the inventory's lines as networks, and the line that lets a packet pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import ip_network
from typing import NamedTuple

from wgorch.base.ip import Prefixes
from wgorch.inventory.model import Inventory, IPAddress, IPNetwork
from wgorch.inventory.policy import ANY, INTERNET, LAN, PolicyRule, Service
from wgorch.topology.prefixes import EVERYTHING, merged


class Side(NamedTuple):
    """Addresses on one side of a line."""

    networks: tuple[IPNetwork, ...]
    """Merged; as the tunnel has them."""
    outside: bool = False
    """True if every address outside of the tunnel and of all LANs belongs to it, too."""

    @property
    def is_everything(self) -> bool:
        return set(EVERYTHING) <= set(self.networks)


class Line(NamedTuple):
    """A line with the addresses of its sides."""

    number: int
    """Its place in the file, from 0."""
    rule: PolicyRule
    source: Side
    target: Side


class Policy:
    """The policy of an inventory: what no line allows is refused."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        rules = enumerate(inventory.policy)
        self.lines = tuple(Line(n, rule, self.side(rule.source), self.side(rule.target)) for n, rule in rules)

    def __bool__(self) -> bool:
        return bool(self.lines)

    @cached_property
    def inside(self) -> tuple[IPNetwork, ...]:
        """The tunnel and all LANs."""
        lans = (lan for member in self._inventory.members.values() for lan in member.subnets)
        return tuple(merged((*self._inventory.network.subnets, *lans)))

    @cached_property
    def _inside(self) -> Prefixes[IPNetwork]:
        return Prefixes((net, net) for net in self.inside)

    def is_inside(self, address: IPAddress) -> bool:
        """True for an address in the tunnel or in a LAN."""
        return self._inside.of(address) is not None

    def allowing(self, source: IPAddress, target: IPAddress, service: Service) -> Line | None:
        """The first line that lets a packet pass; None where none does."""
        for line in self.lines:
            if self.is_over(line):
                continue
            allowed = any(each.covers(service) for each in line.rule.services)
            if allowed and self._has(line.source, source) and self._has(line.target, target):
                return line
        return None

    def is_over(self, line: Line) -> bool:
        """True for a line that had ended when the inventory was loaded."""
        return 0 < line.rule.until <= self._inventory.loaded_at

    def allows(self, source: IPAddress, target: IPAddress, service: Service) -> bool:
        """True if a packet may pass, as all may without a policy."""
        return not self.lines or self.allowing(source, target, service) is not None

    def _has(self, side: Side, address: IPAddress) -> bool:
        if any(address in net for net in side.networks if net.version == address.version):
            return True
        return side.outside and not self.is_inside(address)

    def side(self, name: str) -> Side:
        """The addresses of a side, as a line names it."""
        elements = self._inventory.groups.get(name, (name,))
        networks = merged(net for element in elements for net in self._networks(element))
        return Side(tuple(networks), INTERNET in elements)

    def _networks(self, element: str) -> Iterable[IPNetwork]:
        members = self._inventory.members
        if element == ANY:
            return EVERYTHING
        if element == INTERNET:
            return ()
        if element.endswith(LAN):
            return members[element.removesuffix(LAN)].subnets
        if element in members:
            return [ip_network(address) for address in members[element].addresses]
        return [ip_network(element)]


def shared(networks: Iterable[IPNetwork], others: Iterable[IPNetwork]) -> Iterator[IPNetwork]:
    """The networks of addresses that two lists have in common."""
    others = tuple(others)
    for net in networks:
        for other in others:
            if net.version == other.version:
                narrow, wide = (net, other) if net.prefixlen >= other.prefixlen else (other, net)
                if narrow.network_address in wide:
                    yield narrow


def is_within(net: IPNetwork, others: Iterable[IPNetwork]) -> bool:
    """True if a network lies in one of some others."""
    return any(net.version == o.version and o.prefixlen <= net.prefixlen and net.network_address in o for o in others)
