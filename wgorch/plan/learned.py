"""What a plan keeps as the hosts have it: addresses that the inventory leaves open, and direct peers that work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_network

from wgorch.base.wgkey import names_by_key
from wgorch.errors import HostError, Unfit
from wgorch.gather.observed import Observed
from wgorch.inventory.assign import assign
from wgorch.inventory.model import Inventory, IPAddress
from wgorch.plan.absent import keys_held
from wgorch.topology.desired import DirectPeer
from wgorch.topology.peering import Versions
from wgorch.topology.topology import Topology


def addresses_are_given(inventory: Inventory) -> bool:
    """True where the file names every address, so that no host needs to be asked for its own."""
    return all(len(host.given) == len(inventory.network.subnets) for host in inventory.members.values())


def versions_of(topology: Topology, seen: Mapping[str, Observed]) -> Versions:
    """By which versions of IP each host that was read reaches the internet: it has a default route beside the tunnel.

    Only where a host has several endpoints to choose from.
    """
    tunnel = topology.inventory.network.interface
    return {
        name: frozenset(version for version in (4, 6) if there.links.egress_interface(version, tunnel))
        for name, there in (seen.items() if topology.has_ways else ())
    }


def keep_addresses(inventory: Inventory, seen: Mapping[str, Observed]) -> Inventory:
    """Let hosts without an address in the file keep the one they have; the others get a free one.

    Of two that have the same one, which no plan is made for, the first in the file keeps it.
    """
    if addresses_are_given(inventory):
        return inventory
    network = inventory.network
    managed = {name: there for name, there in seen.items() if there.is_managed(network)}
    real = _addresses_of_devices(inventory, managed)
    real |= {
        n: tuple(a.ip for device, a in s.links.addresses if device == network.interface) for n, s in managed.items()
    }
    # An address assumed for a host that was not read gives way to one that another host really has.
    sure = {address for own in real.values() for address in own}
    others = {n: m.addresses for n, m in inventory.members.items() if n not in seen and n not in real}
    had = {name: tuple(a for a in own if a not in sure) for name, own in others.items()} | real
    nets = (
        ip_network(text) for s in managed.values() for peer in s.wg(network).peers.values() for text in peer.allowed_ips
    )
    taken = {net.network_address for net in nets if net.prefixlen == net.max_prefixlen}
    return assign(inventory, had, taken - {a for own in had.values() for a in own})


def double_claims(inventory: Inventory, seen: Mapping[str, Observed]) -> Iterator[HostError]:
    """Hosts that have the same tunnel address, which the file leaves open: either may have taken it from the other."""
    claims: dict[IPAddress, list[str]] = defaultdict(list)
    for name, there in seen.items() if not addresses_are_given(inventory) else ():
        given = {address.version for address in inventory.hosts[name].given}
        for device, address in there.links.addresses if there.is_managed(inventory.network) else ():
            own = device == inventory.network.interface and address.version not in given
            if own and any(address.ip in subnet for subnet in inventory.network.subnets):
                claims[address.ip].append(name)
    hint = "write address: under both in the inventory, as it should be; or delete it on the one that it is not of"
    for ip, names in claims.items():
        for name in names if len(names) > 1 else ():
            yield Unfit(name, "keep its tunnel address", f"{ip} is on {' and '.join(names)}", hint)


def _addresses_of_devices(inventory: Inventory, managed: Mapping[str, Observed]) -> dict[str, tuple[IPAddress, ...]]:
    """The addresses that the peers of devices allow them."""
    names = {device.public_key: name for name, device in inventory.devices.items() if device.public_key}
    found = {}
    for seen in managed.values():
        for key, peer in seen.wg(inventory.network).peers.items():
            if key in names:
                found[names[key]] = tuple(ip_network(text).network_address for text in peer.allowed_ips)
    return found


def working_direct_peers(
    topology: Topology, seen: Mapping[str, Observed], keys: Mapping[str, str], absent: Collection[str] = ()
) -> dict[str, dict[str, DirectPeer]]:
    """Pairs of spokes that both send to each other without their relay, each under both names.

    Of a pair with an absent host, the other one's word is taken.
    """
    network = topology.inventory.network
    active: dict[str, dict[str, DirectPeer]] = defaultdict(dict)
    for name, there in seen.items():
        held = keys_held(topology, there, absent, keys.values())
        names = names_by_key(keys) | {key: other for other, key in held.items() if key}
        for key, peer in there.wg(network).peers.items() if there.is_managed(network) else ():
            other = names.get(key)
            if other and peer.allowed_ips and topology.can_peer_directly(name, other):
                active[name][other] = DirectPeer(active=True)
                if other in absent:
                    active[other][name] = DirectPeer(active=True)
    return {n: {o: s for o, s in others.items() if n in active.get(o, {})} for n, others in active.items()}
