"""Facts of one host: what was read of it, by noun; nothing of the text it came from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace

from wgorch.base.ip import as_ip
from wgorch.base.value import value
from wgorch.facts import failover, files, firewall, keys, links, next_start, path_mtu, sysctls, system, wireguard
from wgorch.facts.failover import Failover
from wgorch.facts.files import Files
from wgorch.facts.firewall import Firewall
from wgorch.facts.grammar import integer, moment
from wgorch.facts.keys import Keys
from wgorch.facts.links import Links
from wgorch.facts.next_start import Writer
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import System
from wgorch.facts.wireguard import WireGuard
from wgorch.inventory.model import MARK, Network
from wgorch.state.rules import our_chains

CLOCK = Part({"moment": Reread.ALWAYS, "failed": Reread.ALWAYS})

PARTS: Mapping[str, Part] = {
    "system": system.PART,
    "links": links.PART,
    "wireguard": wireguard.PART,
    "firewall": firewall.PART,
    "sysctls": sysctls.PART,
    "keys": keys.PART,
    "files": files.PART,
    "paths": path_mtu.PART,
    "failover": failover.PART,
    "next_start": next_start.PART,
    "clock": CLOCK,
}
"""The declaration of each noun of the facts, by the field of Facts."""


@value
class Clock:
    """Time on a host at the moment of the answer."""

    uptime: int = 0
    """Seconds."""
    time: int = 0
    """UNIX time by the host's own clock, rounded up."""


@value
class Facts:
    """Facts of one host. Two readings are equal where nothing changed: counters and clocks are not compared."""

    host: str
    system: System
    links: Links
    wireguard: Mapping[str, WireGuard]
    """By interface."""
    firewall: Firewall
    sysctls: Mapping[str, str]
    """Values by path below /proc/sys."""
    keys: Keys
    files: Files
    paths: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Tunnel MTU that the path MTU to an endpoint leaves, by endpoint; of those that were measured."""
    clock: Clock = field(default_factory=Clock, compare=False)
    failover: Failover = field(default_factory=Failover, compare=False)
    """Which relay it uses, where it chooses."""
    next_start: tuple[Writer, ...] = field(default=(), compare=False)
    """Lines of other programs' files that will matter at the next start."""
    adopted: bool = field(default=False, compare=False)
    """Its unmanaged interface is to be adopted."""

    def wg(self, network: Network) -> WireGuard:
        """The network's interface as WireGuard shows it, with the peers of all of its interfaces; empty where there is none."""
        found = self.wireguard.get(network.interface) or NO_WIREGUARD
        if len(self.wireguard) < 2:
            return found
        names = (name for name in self.interfaces(network) if name != network.interface)
        more = [self.wireguard[name] for name in names if name in self.wireguard]
        if not more:
            return found
        parts = (found, *more)
        peers = {key: peer for part in parts for key, peer in part.peers.items()}
        return replace(found, peers=peers, traffic={k: t for part in parts for k, t in part.traffic.items()})

    def interfaces(self, network: Network) -> tuple[str, ...]:
        """The network's interfaces on the host, as far as they are there; its own is the first."""
        others = (name for name in self.marked(network) if name != network.interface and network.may_have(name))
        return ((network.interface,) if self.is_managed(network) else ()) + tuple(others)

    def active_interface(self, network: Network) -> str:
        """The interface of the relay that the host uses just now; empty where it does not choose."""
        ids = (str(network.detour_table), str(network.nexthop6))
        return next((device for number, device in self.links.nexthops.items() if number in ids), "")

    def is_managed(self, network: Network) -> bool:
        """True where the network's interface exists and carries its mark, or is to be adopted."""
        device = self.links.devices.get(network.interface)
        return device is not None and (device.alias == network.mark or self.adopted)

    def marked(self, network: Network) -> tuple[str, ...]:
        """The interfaces that carry the network's mark, whatever the inventory calls its interface."""
        return tuple(sorted(name for name, device in self.links.devices.items() if device.alias == network.mark))

    def other_networks(self, network: Network) -> tuple[str, ...]:
        """The names of wgorch's other networks that run on the host."""
        aliases = {device.alias for device in self.links.devices.values() if device.alias.startswith(MARK)}
        return tuple(sorted(alias.removeprefix(MARK) for alias in aliases - {network.mark}))

    def is_unmanaged(self, network: Network) -> bool:
        """True where a WireGuard interface of that name exists that no network of wgorch has marked."""
        device = self.links.devices.get(network.interface)
        return device is not None and not device.alias.startswith(MARK) and bool(self.wg(network).public_key)

    @property
    def ssh_interface(self) -> str:
        """The interface that the SSH session comes in by; empty where that is not known."""
        client = as_ip(self.system.ssh_client.partition("%")[0])
        route = self.links.route_to(client) if client else None
        return route.device if route else ""

    @property
    def is_locked(self) -> bool:
        """True where a run of wgorch had the host when it was read: what is there may be half of its change."""
        lock = self.files.lock
        return lock is not None and lock.boot_id == self.system.boot_id and lock.until > self.clock.uptime

    @property
    def uses_nft(self) -> bool:
        """True where rules go into an nft table: there is no iptables, or a reload of firewalld would flush it."""
        tools = self.system.tools
        return "nft" in tools and ("iptables" not in tools or self.firewall.has_firewalld)

    @property
    def filters_by_iptables(self) -> bool:
        """True where the policy goes into iptables: there is no nft, and nothing flushes its chains."""
        tools = self.system.tools
        return "nft" not in tools and "iptables" in tools and not self.firewall.has_firewalld

    @property
    def has_ipv6(self) -> bool:
        return self.sysctls.get(sysctls.IPV6_OFF) == "0"

    def removable_tables(self, network: Network) -> frozenset[str]:
        """Empty iptables tables that exist because of wgorch; none where no nft could delete them."""
        return self.empty_own_tables(network) if "nft" in self.system.tools else frozenset()

    def empty_own_tables(self, network: Network) -> frozenset[str]:
        """Empty iptables tables that exist because of wgorch."""
        managed = {chain.name for chain in our_chains(network)}
        found = set()
        for table in self.files.created_tables & self.firewall.rules.keys():
            chains = self.firewall.rules[table]
            foreign = [r for rules in chains.values() for r in rules if r.mark != network.mark]
            strange = [c for c in chains if c not in managed and self.firewall.policies.get((table, c)) != "ACCEPT"]
            if not foreign and not strange:
                found.add(table)
        return frozenset(found)


NO_WIREGUARD = WireGuard()


def read(host: str, answers: Answers) -> Facts:
    """The Facts in a host's answers. Raises NotAnAnswer, ValueError, LookupError or TypeError."""
    return Facts(
        host=host,
        system=system.read(answers),
        links=links.read(answers),
        wireguard=wireguard.read(answers),
        firewall=firewall.read(answers),
        sysctls=sysctls.read(answers),
        keys=keys.read(answers),
        files=files.read(answers),
        paths=path_mtu.read(answers),
        failover=failover.read(answers),
        clock=read_clock(answers),
        next_start=next_start.read(answers),
    )


def read_clock(answers: Answers) -> Clock:
    """The Clock in a host's answers: the time was read once, and goes on with the uptime."""
    uptime = moment(answers["moment"][0].split()[1])
    clock, _, at = system.facts_of(answers)["clock"].partition(" ")
    return Clock(int(uptime), math.ceil(integer(clock) + uptime - moment(at)))
