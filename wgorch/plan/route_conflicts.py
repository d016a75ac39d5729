"""Blockers in addresses and routes: networks of the tunnel that the host reaches by another interface."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from wgorch.base.ip import Prefixes, as_ip, network
from wgorch.errors import HostError, Unfit
from wgorch.facts.links import Address, PolicyRule, Route
from wgorch.facts.owners import owner_of
from wgorch.gather.observed import Observed
from wgorch.inventory.model import IPNetwork
from wgorch.topology.desired import Desired


def _tunnels(desired: Desired, seen: Observed) -> frozenset[str]:
    """The network's interfaces: those that the host is to have, and those that it has."""
    return frozenset((*desired.interfaces, *seen.interfaces(desired.network)))


def route_blockers(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """Addresses, routes and the SSH session that a route into the tunnel would cut off."""
    subnets = (*desired.network.subnets, *desired.routes)
    addresses, routes, ssh = _overlaps(desired, seen, subnets), _routes(desired, seen), _ssh_subnet(desired, seen)
    for subnet in subnets:
        action = f"route {subnet} into the tunnel"
        for device, address in dict.fromkeys(addresses.get(subnet, ())):
            if _is_nested(desired, subnet, address.network):
                continue
            owner = owner_of(device)
            problem = f"{device}{owner and f' ({owner})'} has {address}, which overlaps {subnet}"
            hint = "renumber one of them; or, if the host is in that LAN itself: behind: GATEWAY in the inventory"
            yield Unfit(desired.name, action, problem, hint)
        for route in routes.get(subnet, ()):
            problem = f"a {shown(route)} exists already"
            yield Unfit(desired.name, action, problem, "remove that route, or the subnet from the inventory")
        if subnet == ssh:
            problem = f"the SSH session comes from {seen.system.ssh_client}, which lies in {subnet}"
            yield Unfit(desired.name, action, problem, "reach the host by another route, or narrow the subnet")


def _is_nested(desired: Desired, subnet: IPNetwork, own: IPNetwork) -> bool:
    """True where an interface is in the host's own LAN, and a network of the tunnel inside or around it: longest prefix."""
    lans = [desired.host.real(lan) for lan in desired.lans]
    return (
        subnet != own
        and subnet in desired.routes
        and any(lan.version == own.version and lan.overlaps(own) for lan in lans)
    )


Overlaps = dict[IPNetwork, list[tuple[str, Address]]]


def _overlaps(desired: Desired, seen: Observed, subnets: tuple[IPNetwork, ...]) -> Overlaps:
    """Addresses on other interfaces that overlap a network of the tunnel, by that network."""
    tunnels = _tunnels(desired, seen)
    others = [(device, address) for device, address in seen.links.addresses if device not in tunnels]
    nets = Prefixes((address.network, (device, address)) for device, address in others)
    found: Overlaps = {s: [hit] for s in subnets if (hit := nets.of(s.network_address))}
    for device, address in others:
        if larger := desired.tunnel_prefixes.of(address.network.network_address):
            found.setdefault(larger, []).append((device, address))
    return found


def _routes(desired: Desired, seen: Observed) -> dict[IPNetwork, list[Route]]:
    """Routes by other interfaces that beat those into the tunnel, by their network."""
    found: dict[IPNetwork, list[Route]] = defaultdict(list)
    tunnels = _tunnels(desired, seen)
    for route in seen.links.routes:
        if route.device not in tunnels and route.beats(METRICS[route.subnet.version]):
            found[route.subnet].append(route)
    return found


METRICS = {4: 0, 6: 1024}
"""Metric of a route into the tunnel, by IP version."""


def shown(route: Route) -> str:
    """A route for people."""
    via = f" via {route.gateway}" if route.gateway else ""
    out = f" dev {route.device}" if route.device else ""
    return f"{route.kind + ' ' if route.kind else ''}route to {route.subnet}{via}{out}"


def more_specific(desired: Desired, seen: Observed) -> Iterator[tuple[IPNetwork, Route]]:
    """Routes by other interfaces that take a part of a network from the tunnel."""
    tunnels = _tunnels(desired, seen)
    own = {address.network for device, address in seen.links.addresses if device not in tunnels}
    for route in seen.links.routes:
        if route.device in tunnels or route.subnet in own:
            continue
        larger = desired.tunnel_prefixes.of(route.subnet.network_address)
        if larger and larger.prefixlen < route.subnet.prefixlen:
            yield larger, route


def policy_takes(desired: Desired, seen: Observed) -> Iterator[tuple[IPNetwork, PolicyRule, Route | None]]:
    """Rules of others that take a network from the tunnel before the main table is asked; and the route that does it."""
    open_nets = [net for net in (*desired.network.subnets, *desired.routes) if net.version == 4]
    tunnels = _tunnels(desired, seen)
    own = [network(str(address)) for address in desired.host.addresses if address.version == 4]
    for rule in sorted(seen.links.rules, key=lambda rule: rule.priority):
        if rule.table in ("main", "local"):
            if rule.table == "main" and _matches_all(rule):
                return  # the tunnel's routes are found there
            continue
        for net in [net for net in open_nets if _may_match(rule, (*own, *desired.network.subnets), net)]:
            routes = [r for r in seen.links.tables.get(rule.table, ()) if net.subnet_of(r.subnet)]  # type: ignore[arg-type]
            if rule.suppresses:
                routes = [route for route in routes if route.subnet.prefixlen]
            taken = max(routes, key=lambda route: route.subnet.prefixlen, default=None)
            ends = rule.action in ("unreachable", "blackhole", "prohibit")
            if ends or (taken is not None and taken.device not in tunnels and taken.kind != "throw"):
                open_nets.remove(net)
                yield net, rule, taken


def _matches_all(rule: PolicyRule) -> bool:
    return rule.selector == "from all"


def _may_match(rule: PolicyRule, sources: Sequence[IPNetwork], destination: IPNetwork) -> bool:
    """True where a rule may be about packets of the network: they carry no mark, and come in by any interface."""
    words = rule.selector.split()
    after = dict(zip(words, words[1:], strict=False))
    negated = words[0] == "not"
    if "fwmark" in after:
        return negated
    source, target = _as_net(after.get("from", "all")), _as_net(after.get("to", "all"))
    if negated:
        return True
    from_us = source is None or any(source.overlaps(own) for own in sources if own.version == source.version)
    to_them = target is None or (target.version == destination.version and destination.overlaps(target))
    return from_us and to_them


def _as_net(text: str) -> IPNetwork | None:
    """A network; None for ``all`` and what is none."""
    try:
        return network(text)
    except ValueError:
        return None


def _ssh_subnet(desired: Desired, seen: Observed) -> IPNetwork | None:
    """The network of the tunnel that would take the SSH session from its route; None where that stays the longest prefix."""
    client = as_ip(seen.system.ssh_client)
    route = seen.links.route_to(client) if client else None
    found = desired.tunnel_prefixes.of(client) if client else None
    if found is None or route is None or route.device in _tunnels(desired, seen):
        return None
    return found if found.prefixlen >= route.subnet.prefixlen else None
