"""Addresses that each host pings; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wgorch.base.value import value
from wgorch.inventory.flow import Flow
from wgorch.inventory.model import Inventory, IPAddress
from wgorch.inventory.policy import PINGS
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology

MATRIX = 12
"""Number of hosts up to which every host pings every other one."""


@value
class Skipped:
    """Hosts that take no part in a run, so that paths to them or through them prove nothing."""

    ends: frozenset[str] = frozenset()
    """Nothing in them or behind them is measured."""
    transit: frozenset[str] = frozenset()
    """Nor is what lies on a path through these."""

    def covers(self, topology: Topology, host: str, address: IPAddress) -> bool:
        """True for an address that a host should not measure."""
        if not (self.ends or self.transit):
            return False
        path = walk(topology, host, address).hosts
        has_it = any(address in topology.hosts[name].addresses for name in self.ends)
        return has_it or path[-1] in self.ends - {host} or not self.transit.isdisjoint(path)


NONE = Skipped()


def targets(
    topology: Topology,
    host: str,
    checks: frozenset[str],
    skipped: Skipped = NONE,
    measures: Callable[[str], bool] = lambda _peer: True,
) -> list[IPAddress]:
    """Addresses that a host pings, by `checks`.

    `tunnel`: every host with a path to it; `full_size`: its peers at least; `flows`: the `verify:` lines of this host,
    LAN machines of other lines, and machines in its own LANs. In a network of more than MATRIX hosts only the next host
    of the inventory, the peers that it `measures`, and its own lines: the number must not grow with the square of the
    hosts. What `skipped` names is left out.
    """
    found = dict.fromkeys(_tunnel_addresses(topology, host, checks, measures))
    if "flows" in checks:
        found |= dict.fromkeys(_flow_addresses(topology, host))
    own = topology.inventory.hosts[host].addresses
    return [a for a in found if a not in own and not skipped.covers(topology, host, a) and _may_ping(topology, host, a)]


def flows(topology: Topology, host: str, skipped: Skipped = NONE) -> list[Flow]:
    """The `verify:` lines of a host that are no pings to be answered."""
    own = (flow for flow in topology.inventory.verify if flow.source == host and not flow.is_ping)
    return [flow for flow in own if not skipped.covers(topology, host, flow.address)]


def _may_ping(topology: Topology, host: str, address: IPAddress) -> bool:
    """False where the policy refuses a ping. A machine in the host's own LAN is pinged without the tunnel, and peers may be."""
    if not topology.policy or topology.inventory.is_in_lan(host, address):
        return True
    if any(address in topology.hosts[peer].addresses for peer in topology.peers(host)):
        return True
    source = topology.hosts[host].address_of(address.version)
    return source is None or topology.policy.allows(source, address, PINGS)


def is_matrix(topology: Topology) -> bool:
    """True where every host pings every other one."""
    return len(topology.inventory.hosts) <= MATRIX


def measures_pair(topology: Topology, host: str, peer: str) -> bool:
    """True if `host` should measure the pair: the peer with fewer sessions does."""
    return (topology.peer_count(host), host) < (topology.peer_count(peer), peer)


def _tunnel_addresses(
    topology: Topology, host: str, checks: frozenset[str], measures: Callable[[str], bool]
) -> Iterator[IPAddress]:
    """Tunnel addresses of other hosts."""
    hosts, matrix = topology.inventory.hosts, is_matrix(topology)
    names = list(hosts)
    neighbour = names[(names.index(host) + 1) % len(names)]
    peers = topology.peers(host) if "full_size" in checks else ()
    measured = {peer for peer in peers if matrix or measures(peer)}
    for other in hosts.values():
        in_reach = "tunnel" in checks and (matrix or other.name == neighbour) and topology.next_hop(host, other.name)
        if other.name != host and (other.name in measured or in_reach):
            yield from (address for address in other.addresses if hosts[host].address_of(address.version))


def _flow_addresses(topology: Topology, host: str) -> Iterator[IPAddress]:
    """Targets of `verify:` lines."""
    inventory = topology.inventory
    for flow in (flow for flow in inventory.verify if flow.is_ping):
        # The gateway's own ping tells a dead machine from a broken tunnel.
        own = inventory.is_in_lan(host, flow.address)
        if flow.source == host or own or (is_matrix(topology) and _in_other_lan(inventory, host, flow.address)):
            yield flow.address


def _in_other_lan(inventory: Inventory, host: str, address: IPAddress) -> bool:
    """True for an address in another host's LAN, which every host should reach."""
    found = inventory.lan_of(address)
    return found is not None and found[0] != host
