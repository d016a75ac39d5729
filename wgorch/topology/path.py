"""A packet's path through the desired network, hop by hop, as each host's routes and allowed-ips send it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import NamedTuple

from wgorch.base.ip import innermost
from wgorch.inventory.flow import Flow
from wgorch.inventory.model import IPAddress, IPNetwork
from wgorch.inventory.policy import PING, UDP, PolicyRule, Service
from wgorch.topology.desired import ACTIVE, WHOLE, Cut, Desired, Link
from wgorch.topology.topology import Topology

InterfaceOf = Callable[[str, IPNetwork], str]
"""The LAN interface of a gateway: host and LAN to name."""


class Walk(NamedTuple):
    """How far a packet gets."""

    hosts: tuple[str, ...]
    """Hosts passed, the source first."""
    hops: tuple[str, ...]
    """The same hop by hop, as text: ``home.wg0``, ``(tunnel)``, ``bcc.wg0``, ``(forward)`` …"""
    dropped: str = ""
    """Why the packet is dropped; empty if it arrives."""
    tunnels: tuple[tuple[str, str], ...] = ()
    """Between each two of the hosts: the interface that it leaves by, and the one that it comes in by."""

    @property
    def arrives(self) -> bool:
        """True if the packet reaches its destination."""
        return not self.dropped

    def __str__(self) -> str:
        return " -> ".join(self.hops) + (f" -x {self.dropped}" if self.dropped else "")


class _Dropped(Exception):
    """Raised where a packet is dropped, with the reason."""


def walk(
    topology: Topology,
    source: str,
    destination: IPAddress,
    *,
    origin: IPAddress | None = None,
    desired: Callable[[str], Desired] | None = None,
    interface_of: InterfaceOf = lambda _host, lan: f"[{lan}]",
    cut: Cut = WHOLE,
) -> Walk:
    """Follow a packet from a host to an address by routes and allowed-ips alone.

    `origin` is the packet's source address, by default the host's own. Pass `desired` to follow a network that differs
    from the inventory, `interface_of` to name the LAN interfaces in the hops, and `cut` for sessions that are down.
    """
    look = desired or topology.desired
    here = look(source)
    hosts, hops, first = [source], list[str](), f"{source}.{here.network.interface}"
    origin = origin or here.host.address_of(destination.version)
    came_by, tunnels = "", []
    try:
        if origin is None:
            raise _Dropped(f"{source} has no IPv{destination.version} address")
        while (last := _last_hops(here, source, origin, destination, interface_of)) is None:
            if len(hosts) > 1 and not here.forwards_between_peers:
                raise _Dropped(f"{here.name} does not forward between peers")
            out, link = _leave(topology, here, destination, came_by, cut)
            hops += ["(forward)", f"{here.name}.{out}"] if len(hosts) > 1 else [f"{source}.{out}"]
            here, came_by = _enter(topology, look, here, link, origin)
            tunnels.append((out, came_by))
            hops += ["(tunnel)", f"{here.name}.{came_by}"]
            if here.name in hosts:
                raise _Dropped(f"routing loop: {here.name} is passed twice")
            hosts.append(here.name)
    except _Dropped as dropped:
        return Walk(tuple(hosts), tuple(hops or [first]), str(dropped), tuple(tunnels))
    return Walk(tuple(hosts), (*(hops or [first]), *last), "", tuple(tunnels))


def _last_hops(
    here: Desired, source: str, origin: IPAddress, destination: IPAddress, interface_of: InterfaceOf
) -> tuple[str, ...] | None:
    """Return the hops from a host to the destination; None if the packet goes on through the tunnel."""
    if destination in here.host.addresses:
        return ()
    lan = innermost(here.lans, destination)
    beyond = here.tunnel_prefixes.of(destination)  # a LAN inside this one, behind another host
    if lan is not None and (beyond is None or beyond.prefixlen < lan.prefixlen):
        real = here.host.real_address(destination)
        target = str(destination) if real == destination else f"{real} (as {destination})"
        out = (f"{here.name}.{interface_of(here.name, here.host.real(lan))}", target)
        if here.name == source:
            return out
        masked = any(origin in m.source and m.into == lan for m in here.masquerade)
        return ("(forward, masquerade)" if masked else "(forward)", *out)
    if here.tunnel_prefixes.of(destination) is None and any(origin in net for net in here.exit_sources):
        return ("(forward, masquerade)", str(destination))
    return None


def _leave(topology: Topology, here: Desired, destination: IPAddress, came_by: str, cut: Cut) -> tuple[str, Link]:
    """Return the interface that a packet leaves a host by, and the entry of the next one. Raises _Dropped.

    `came_by`: the interface that it came in by; empty at its source.
    """
    if here.tunnel_prefixes.of(destination) is None and not here.host.exit:
        raise _Dropped(f"{here.name}: no route to {destination} via {here.network.interface}")
    out = _interface_to(here, destination, cut)
    link = here.crypto_routes[out].of(destination)
    if link is None:
        raise _Dropped(_missing_entry(topology, here, destination))
    if (here.name, link.peer) in cut:
        detour = next((d for d in here.detours if d.spoke == link.peer), None)
        # What another relay sent goes to the spoke or nowhere: two relays would send it to and fro.
        by_spoke = came_by in ("", here.network.interface)
        for relay, interface in detour.relays if detour and by_spoke else ():
            if (relay, link.peer) not in cut and (found := here.crypto_routes[interface].of(destination)):
                return interface, found
    if (here.name, link.peer) in cut or (link.peer, here.name) in cut:
        raise _Dropped(f"{here.name}: the session with {link.peer} is down")
    return out, link


def _interface_to(here: Desired, destination: IPAddress, cut: Cut) -> str:
    if here.host.exit and here.tunnel_prefixes.of(destination) is None:
        link = here.link(here.host.exit)
        return here.interface_of(link) if link else here.network.interface
    found = here.interface_routes.of(destination)
    if found is None:
        return here.network.interface
    if found != ACTIVE:
        return found
    working = (choice.interface for choice in here.choices if (choice.relay, here.name) not in cut)
    return next(working, here.choices[0].interface)


def _enter(
    topology: Topology, look: Callable[[str], Desired], here: Desired, link: Link, origin: IPAddress
) -> tuple[Desired, str]:
    """Return the host that a packet comes to, and the interface that it comes in by. Raises _Dropped."""
    there = look(link.peer)
    back = there.link(here.name)
    if back is None or there.crypto_routes[there.interface_of(back)].of(origin) is not back:
        raise _Dropped(f"{there.name}: peer {here.name} lacks {_network_of(topology, origin)}")
    return there, there.interface_of(back)


def _missing_entry(topology: Topology, here: Desired, destination: IPAddress) -> str:
    network = _network_of(topology, destination)
    owners = ((net.prefixlen, n) for n in topology.hosts for net in topology.own_networks(n) if destination in net)
    owner = max(owners, default=(0, None))[1]
    hop = topology.next_hop(here.name, owner) if owner and owner != here.name else None
    return f"{here.name}: peer {hop} lacks {network}" if hop else f"{here.name}: no peer has {network}"


def _network_of(topology: Topology, address: IPAddress) -> IPNetwork:
    return topology.network_of(address) or ipaddress.ip_network(address)


def round_trip(topology: Topology, source: str, destination: IPAddress, cut: Cut = WHOLE) -> tuple[Walk, Walk]:
    """Follow a packet to an address, and the reply back; `cut`: sessions that are down.

    If the forward path is dropped, or ends where it begins, there is no reply; the forward path is returned twice.
    """
    there = walk(topology, source, destination, cut=cut)
    own = topology.hosts[source].address_of(destination.version)
    if there.dropped or own is None or len(there.hosts) < 2:
        return there, there
    # The kernel reverses a masquerade before it routes the reply, so the reply's source is the destination itself.
    return there, walk(topology, there.hosts[-1], own, origin=destination, cut=cut)


class Unreachable(NamedTuple):
    """A line of the inventory that the rest of it contradicts."""

    path: str
    """Of its field in the file."""
    text: str

    def __str__(self) -> str:
        return self.text


def unreachable_flows(topology: Topology) -> list[Unreachable]:
    """Return the lines of `verify:` that contradict the rest of the inventory whatever the hosts' state, with the reason."""
    found = []
    for name, host in topology.hosts.items():
        if host.exit and host.exit not in topology.peers(name):
            found.append(Unreachable(f"hosts.{name}.exit", f"{name}: exit node {host.exit} is not a peer"))
    for flow in topology.inventory.verify:
        if problem := _contradiction(topology, flow):
            found.append(Unreachable(f"verify {flow}", f"{flow}: {problem}"))
    return found


def _contradiction(topology: Topology, flow: Flow) -> str:
    """Why a line of `verify:` cannot hold; empty if it can."""
    there, back = round_trip(topology, flow.source, flow.address)
    source = topology.hosts[flow.source].address_of(flow.address.version)
    allowing = decision(topology, there.hosts, source, flow.address, flow.service)
    if flow.refused:
        passes = there.arrives and back.arrives and allowing != REFUSED
        return f"it gets through: {allowing}" if passes else ""
    if there.dropped:
        return there.dropped
    if back.dropped:
        return f"reply: {back.dropped}"
    if allowing == REFUSED:
        return f'no line of policy: allows it; add "- {PolicyRule(flow.source, flow.target, (flow.service,))}"'
    return ""


def lost_without(topology: Topology) -> Iterator[Unreachable]:
    """Yield the lines of `verify:` that would not hold if a relay, or one of its sessions, failed.

    Only where both ends have another relay: what depends on one alone is lost with it.
    """
    for flow in topology.inventory.verify if len(topology.relays) > 1 else ():
        for what, cut in _failures(topology, flow) if not flow.refused else ():
            there, back = round_trip(topology, flow.source, flow.address, cut)
            if problem := there.dropped or back.dropped:
                yield Unreachable(f"verify {flow}", f"{flow}: without {what}: {problem}")


def _failures(topology: Topology, flow: Flow) -> Iterator[tuple[str, Cut]]:
    """What of the relays may fail on the way of a flow, in words, and the sessions that are down then."""
    ends = list(dict.fromkeys((flow.source, round_trip(topology, flow.source, flow.address)[0].hosts[-1])))
    for relay in topology.relays:
        spokes = [name for name in ends if relay in topology.relays_of(name)]
        if any(len(topology.relays_of(name)) < 2 for name in spokes) or relay in ends:
            continue
        if spokes:
            yield f"relay {relay}", frozenset((relay, name) for name in (*topology.spokes, *topology.relays))
        yield from ((f"the session of {name} with {relay}", frozenset([(relay, name)])) for name in spokes)


DNS = Service(UDP, ((53, 53),))


def refused_name_servers(topology: Topology) -> Iterator[Unreachable]:
    """Yield the name servers of `dns:` that the policy refuses to the member that is to use them."""
    for name, member in topology.hosts.items() if topology.policy else ():
        for server in member.dns:
            source, there = member.address_of(server.version), walk(topology, name, server)
            if source and there.arrives and decision(topology, there.hosts, source, server, DNS) == REFUSED:
                line = PolicyRule(name, str(server), (DNS,))
                problem = f'{name}: the policy refuses its name server {server}; add "- {line}"'
                yield Unreachable(f"{'devices' if member.is_device else 'hosts'}.{name}.dns", problem)


REFUSED = ""


def decision(
    topology: Topology, hosts: tuple[str, ...], source: IPAddress | None, target: IPAddress, service: Service
) -> str:
    """Why a packet passes the policy, in words; REFUSED where it does not. `hosts`: its way, the sender's first."""
    policy = topology.policy
    if not policy or source is None:
        return "there is no policy: that refuses it"
    if len(hosts) < 2:
        return "it does not come through the tunnel"
    line = policy.allowing(source, target, service)
    if line:
        return f"policy[{line.number}] allows it: {line.rule}"
    last = topology.hosts[hosts[-1]]
    own = source in topology.hosts[hosts[0]].addresses and target in last.addresses
    if service.protocol == PING and own and last.name in topology.peers(hosts[0]):
        return f"wgorch itself pings {last.name} from {hosts[0]}: they are peers"
    if all(topology.hosts[name].is_device for name in hosts[1:]):
        return f"no host on the way to {last.name} filters: it is a device that {hosts[0]} connects to"
    return REFUSED
