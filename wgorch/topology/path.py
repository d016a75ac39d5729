"""A packet's way through the desired network, hop by hop, as each host's own tables would send it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from wgorch.base.value import value
from wgorch.inventory.model import IPAddress, IPNetwork
from wgorch.topology.desired import Desired
from wgorch.topology.topology import Topology


@value
class Walk:
    """How far a packet gets: `hops` in the words of the documents, and the reason where it is dropped."""

    hosts: tuple[str, ...]
    hops: tuple[str, ...]
    dropped: str = ""

    @property
    def arrives(self) -> bool:
        return not self.dropped

    def __str__(self) -> str:
        return " -> ".join(self.hops) + (f" -x {self.dropped}" if self.dropped else "")


def walk(
    topology: Topology,
    source: str,
    destination: IPAddress,
    *,
    origin: IPAddress | None = None,
    desired: Callable[[str], Desired] | None = None,
    card: Callable[[str, IPNetwork], str] = lambda _host, lan: f"[{lan}]",
) -> Walk:
    """Follow a packet from a host to an address by routes and allowed-ips alone.

    `origin` is the packet's source address (the host's own where left out). `desired` may be replaced to follow a
    network that is not as it should be; `card` names the LAN card of a gateway for the text.
    """
    look = desired or topology.desired
    names = topology.hosts
    interface = topology.inventory.network.interface
    here = look(source)
    origin = origin or here.host.address_of(destination.version)
    if origin is None:
        return Walk((source,), (f"{source}.{interface}",), f"{source} has no IPv{destination.version} address")
    hosts, hops = [source], [f"{source}.{interface}"]
    for _ in range(len(names) + 1):
        if destination in here.host.addresses:
            return Walk(tuple(hosts), tuple(hops))
        lan = next((lan for lan in here.lans if destination in lan), None)
        if lan is not None:
            masked = any(origin in m.source and m.into == lan for m in here.masquerade)
            doing = "(forward, masquerade)" if masked else "(forward)"
            real = here.host.real_address(destination)
            there_it_is = str(destination) if real == destination else f"{real} (as {destination})"
            out = [doing, f"{here.name}.{card(here.name, here.host.real(lan))}", there_it_is]
            return Walk(tuple(hosts), (*hops, *(out if here.name != source else out[1:])))
        outside = here.inside.of(destination) is None
        if outside and here.leaving and any(origin in net for net in here.leaving):
            return Walk(tuple(hosts), (*hops, "(forward, masquerade)", str(destination)))
        if len(hosts) > 1:
            if not here.forwards_between_peers:
                return Walk(tuple(hosts), tuple(hops), f"{here.name} does not forward between peers")
            hops += ["(forward)", f"{here.name}.{interface}"]
        if outside and not here.host.exit:
            return Walk(tuple(hosts), tuple(hops), f"{here.name}: no route to {destination}")
        link = here.ways.of(destination)
        if link is None:
            return Walk(tuple(hosts), tuple(hops), _lacking(topology, here, destination))
        there = look(link.peer)
        back = there.link(here.name)
        if back is None or there.ways.of(origin) is not back:
            lacks = f"{there.name}: peer {here.name} lacks {_network_of(topology, origin)}"
            return Walk(tuple(hosts), tuple(hops), lacks)
        hops += ["(tunnel)", f"{there.name}.{interface}"]
        if there.name in hosts:
            return Walk(tuple(hosts), tuple(hops), f"{there.name} has seen it before: a loop")
        hosts.append(there.name)
        here = there
    return Walk(tuple(hosts), tuple(hops), "no end after every host")


def both_ways(topology: Topology, source: str, destination: IPAddress) -> tuple[Walk, Walk]:
    """A packet's way to an address, and its answer's way back; an answer that has no beginning is the way there."""
    there = walk(topology, source, destination)
    own = topology.hosts[source].address_of(destination.version)
    if there.dropped or own is None or len(there.hosts) < 2:
        return there, there
    # The kernel undoes a masquerade before it routes the answer, so its source is the machine that was asked.
    return there, walk(topology, there.hosts[-1], own, origin=destination)


def unreachable_flows(topology: Topology) -> list[str]:
    """The flows of the inventory that cannot work, whatever the hosts are like, each with the place and the reason."""
    found = []
    for name, host in topology.hosts.items():
        if host.exit and host.exit not in topology.peers(name):
            found.append(f"{name}: it should leave through {host.exit}, which is no peer of it")
    for flow in topology.inventory.verify:
        there, back = both_ways(topology, flow.source, flow.address)
        if there.dropped:
            found.append(f"{flow.source} -> {flow.target}: {there.dropped}")
        elif back.dropped:
            found.append(f"{flow.source} -> {flow.target}: the answer: {back.dropped}")
    return found


def _lacking(topology: Topology, here: Desired, destination: IPAddress) -> str:
    network = _network_of(topology, destination)
    owner = next((n for n in topology.hosts if any(destination in net for net in topology.own_networks(n))), None)
    hop = topology.next_hop(here.name, owner) if owner and owner != here.name else None
    return f"{here.name}: peer {hop} lacks {network}" if hop else f"{here.name}: no peer has {network}"


def _network_of(topology: Topology, address: IPAddress) -> IPNetwork:
    nets = (net for name in topology.hosts for net in topology.own_networks(name) if address in net)
    return next(nets, ipaddress.ip_network(address))
