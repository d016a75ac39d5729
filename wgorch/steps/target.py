"""What a target State rests on: the Desired of a host, its facts, and what is known of the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from wgorch.errors import Unfit
from wgorch.facts.facts import Facts
from wgorch.inventory.model import IPNetwork, Network
from wgorch.state.state import Run
from wgorch.state.wireguard import PendingKey
from wgorch.topology.desired import Desired


class Target:
    """Inputs of one host's target State.

    A host's facts decide only about that host. Of another host nothing is used but its public key; the MTU, which is the
    network's, is given.
    """

    def __init__(
        self,
        desired: Desired,
        facts: Facts,
        keys: Mapping[str, str],
        runs: Mapping[str, Run] | None = None,
        secrets: Mapping[str, str] | None = None,
        mtu: int | None = None,
        absent: Mapping[str, str] | None = None,
        record: tuple[str, str] = ("", ""),
        drains: Mapping[str, str] | None = None,
    ) -> None:
        """`keys`: public keys by host; `secrets`: files of preshared keys by peer; `mtu`: of the tunnel, in bytes.

        `absent`: hosts that are not reached in this run, and the key that this host has for each, empty for none;
        `record`: of the network's members, and its first line, where this host keeps it; `drains`: by relay, since when it is
        drained and by whom, empty to end it, where that is to change.
        """
        self.desired, self.facts = desired, facts
        self.keys, self.runs, self.secrets, self.mtu = keys, runs or {}, secrets or {}, mtu
        self.absent = absent or {}
        self.members, self.revision = record
        self.drains = drains or {}

    @property
    def network(self) -> Network:
        return self.desired.network

    @property
    def tunnel(self) -> str:
        """Name of the network's interface."""
        return self.desired.network.interface

    @property
    def tunnels(self) -> tuple[str, ...]:
        """Names of the host's interfaces; the network's own is the first."""
        return self.desired.interfaces

    @property
    def addresses(self) -> Iterator[str]:
        """The host's addresses in the tunnel, with the prefix that its interfaces get."""
        for ip in self.desired.host.addresses:
            alone = self.desired.has_single_address
            yield f"{ip}/{ip.max_prefixlen if alone else self.network.prefix_of(ip)}"

    @property
    def drained(self) -> str:
        """Of a relay that hosts are to leave: since when, and by whom."""
        if not self.desired.host.relay or len(self.tunnels) < 2:
            return ""
        return self.drains.get(self.desired.name, self.facts.failover.drained)

    @property
    def left(self) -> frozenset[str]:
        """Interfaces of the relays that this host alone is to leave."""
        choices, was = self.desired.choices, self.facts.failover.left
        found = (c.interface for c in choices if self.drains.get(c.relay, "x" if c.interface in was else ""))
        return frozenset(found)

    def key(self, host: str) -> str:
        """Public key of a host, or what stands for it until it is generated."""
        return self.absent.get(host) or self.keys.get(host) or PendingKey.of(host)

    def is_left_out(self, peer: str) -> bool:
        """True for an absent host that this one has no entry for."""
        return self.absent.get(peer) == ""

    @cached_property
    def lan_interfaces(self) -> dict[IPNetwork, str]:
        """Interface into each LAN that the host is the gateway of. Raises Unfit."""
        return {lan: lan_interface(self.desired, self.facts, lan) for lan in self.desired.lans}

    def egress(self, version: int) -> str | None:
        """Interface of the default route. Raises Unfit."""
        found = self.facts.links.egress_interface(version, self.tunnel)
        return in_rules(self.desired.name, found, "act as an exit node") if found else None


def in_rules(host: str, interface: str, action: str) -> str:
    """An interface's name, where rules with it can be read back: iptables-save shows its quotes as its own. Raises Unfit."""
    if '"' in interface:
        problem = f"the interface {interface} has a quote in its name, which rules of iptables cannot be read with"
        raise Unfit(host, action, problem, "rename the interface")
    return interface


def lan_interface(desired: Desired, facts: Facts, lan: IPNetwork) -> str:
    """The interface into a LAN, declared or found. Raises Unfit."""
    action = f"act as the gateway of {desired.host.real(lan)}"
    return in_rules(desired.name, _lan_interface(desired, facts, lan), action)


def _lan_interface(desired: Desired, facts: Facts, lan: IPNetwork) -> str:
    declared, links = desired.host.lan_interface, facts.links
    lan = desired.host.real(lan)
    found = links.interface_into(lan)
    action = f"act as the gateway of {lan}"
    if declared is None:
        if found is None or found == desired.network.interface:
            problem = f"no interface has an address in {lan}, and no route leads there"
            raise Unfit(desired.name, action, problem, "correct subnets")
        return found
    if declared not in links.devices:
        names = ", ".join(sorted(name for name in links.devices if name != "lo"))
        raise Unfit(
            desired.name, action, f"interface {declared} not found (available: {names})", "correct lan_interface"
        )
    if found is not None and found != declared:
        problem = f"{lan} lies behind {found}, not behind {declared}"
        raise Unfit(desired.name, action, problem, f"set lan_interface: {found}, or delete it")
    return declared
