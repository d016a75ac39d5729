"""Routes to LANs behind other hosts: into the tunnel, under wgorch's own protocol number."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from wgorch.base.ip import network_text
from wgorch.base.sh import Sh, sh
from wgorch.facts.facts import Facts
from wgorch.facts.links import Route, is_global
from wgorch.inventory.model import Network
from wgorch.state.change import Change, Command, change
from wgorch.state.state import ROUTE_PROTO, State, TunnelRoute
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.peers import FEW
from wgorch.steps.target import Target

ANOTHER_PROTO = "another protocol number"
"""Why a route changes whose mark alone is not wgorch's."""


def routes(want: State, have: State) -> Iterator[Change]:
    """Route LANs behind other hosts into the tunnel."""
    for name in want.interfaces:
        new, old = want.routes.get(name, frozenset()), have.routes.get(name, frozenset())
        there, wanted = {route.subnet for route in old}, {route.subnet for route in new}
        for sign, found, why in (
            ("~", [r for r in sorted(new - old) if r.subnet in there], ANOTHER_PROTO),
            ("+", [r for r in sorted(new - old) if r.subnet not in there], "not routed into the tunnel"),
            ("-", [r for r in sorted(old - new) if r.subnet not in wanted], "should not lead into the tunnel"),
        ):
            verb = "delete" if sign == "-" else "replace"
            for some in _grouped(found):
                made = [_command(verb, route, name) for route in some]
                what = f"route {some[0].subnet}"
                if len(some) > 1:
                    what = f"{len(some)} routes {some[0].subnet} ... {some[-1].subnet}"
                yield change(sign, what, why, *made, disruptive=sign == "-")


def _grouped(routes: list[TunnelRoute]) -> Iterator[list[TunnelRoute]]:
    """A few routes make a Change each, many make one together."""
    if len(routes) > FEW:
        yield routes
    else:
        yield from ([route] for route in routes)


@lru_cache(maxsize=1 << 14)
def _command(verb: str, route: TunnelRoute, device: str) -> Command:
    """A route as ``ip route`` takes it, the same for all hosts."""
    words = ("ip", "route", verb, route.subnet, "dev", device, "proto", route.proto)
    return Command(words, may_be_absent=verb == "delete")


@lru_cache(maxsize=1 << 14)
def _managed(subnet: str) -> TunnelRoute:
    return TunnelRoute(subnet)


def _have(facts: Facts, network: Network) -> Slice:
    if not facts.is_managed(network):
        return {"routes": {}}
    found = frozenset(
        TunnelRoute(network_text(r.subnet), r.proto or "boot")
        for r in facts.links.routes
        if r.device == network.interface and (r.proto == str(ROUTE_PROTO) or _adoptable(r, facts, network))
    )
    return {"routes": {network.interface: found}}


def _adoptable(route: Route, facts: Facts, network: Network) -> bool:
    """True for a route of a live interface as wgorch makes them.

    One inside the tunnel repeats what the address gives, and stays; but for that of the subnet, where the interface has
    the address alone.
    """
    inside = any(route.subnet.version == net.version and route.subnet.subnet_of(net) for net in network.subnets)  # type: ignore[arg-type]
    if inside and not (route.subnet in network.subnets and _is_alone(facts, network, route.subnet.version)):
        return False
    usual = 1024 if route.subnet.version == 6 else 0
    by_hand = route.proto in ("", "boot", "static")  # a routing daemon's are its own
    return facts.adopted and route.plain and by_hand and route.metric == usual and not route.gateway


def _is_alone(facts: Facts, network: Network, version: int) -> bool:
    """True where the interface's address of an IP version comes without a subnet."""
    own = [a for device, a in facts.links.addresses if device == network.interface and a.version == version]
    return any(is_global(a) for a in own) and all(a.network.prefixlen == a.max_prefixlen for a in own if is_global(a))


def _target(target: Target) -> Slice:
    subnets = target.network.subnets if target.desired.host.single_address else ()
    nets = (*subnets, *target.desired.routes)
    return {"routes": {target.tunnel: frozenset(_managed(network_text(net)) for net in nets)}}


def _probe(interface: Sh) -> Iterator[Sh]:
    yield sh(
        "show ip route show dev {interface}; show6 ip -6 route show dev {interface} | grep -v 'proto kernel'",
        interface=interface,
    )


NOUN = Noun(state=("routes",), steps=(step(routes),), have=_have, target=_target, probe_interface=_probe)
