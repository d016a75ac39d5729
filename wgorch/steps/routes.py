"""Routes to LANs behind other hosts: into the tunnel, under wgorch's own protocol number.

A host with several relays routes into the interface of the one that it uses just now: by a nexthop object, so that all
routes move at once; or, where the kernel or `ip` has none, by a route each. Below them lies a route into each of its
interfaces, for the moment in which the active one disappears.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from wgorch.base.ip import network_text
from wgorch.base.sh import Sh, quote, sh
from wgorch.facts.facts import Facts
from wgorch.facts.links import Route, is_global
from wgorch.inventory.model import IPNetwork, Network
from wgorch.state.change import Change, Command, change
from wgorch.state.state import ROUTE_PROTO, State, TunnelRoute
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.peers import FEW
from wgorch.steps.target import Target
from wgorch.topology.desired import ACTIVE

ANOTHER_PROTO = "another protocol number"
"""Why a route changes whose mark alone is not wgorch's."""

FLOORS = {4: 500, 6: 1524}
"""Metric of the routes below those of the active relay, by IP version; that of the preferred one."""


def routes(want: State, have: State) -> Iterator[Change]:
    """Route LANs behind other hosts into the tunnel, or into the interface of the relay that is used."""
    for family, number in want.nexthops.items() if want.interfaces else ():
        if have.nexthops.get(family) != number:
            setting = Command(("set_nexthop", family, number, *_choices(want)))
            yield change("+", f"nexthop {number}", "leads into the relay that is used", setting)
    names = (*want.interfaces, ACTIVE) if want.interfaces else ()
    for name in names:
        yield from _set(name, want, have)
    for name in names:
        yield from _gone(name, want, have)
    for family, number in have.nexthops.items() if want.interfaces else ():
        if want.nexthops.get(family) != number:
            yield change(
                "-",
                f"nexthop {number}",
                "there is one relay",
                Command(("ip", "nexthop", "delete", "id", number), may_be_absent=True),
            )


def _choices(state: State) -> list[str]:
    """The interfaces between which a host chooses, the preferred one first."""
    floors = {
        name: min(r.metric for r in its if r.metric) for name, its in state.routes.items() if any(r.metric for r in its)
    }
    return sorted(floors, key=floors.__getitem__)


def _set(name: str, want: State, have: State) -> Iterator[Change]:
    new, old = want.routes.get(name, frozenset()), have.routes.get(name, frozenset())
    there = {(route.subnet, route.metric) for route in old}
    missing = sorted(new - old)
    kept = [r for r in sorted(new & old) if _nexthop(r, name, want) != _nexthop(r, name, have)]
    for sign, found, why in (
        ("~", [r for r in missing if (r.subnet, r.metric) in there], ANOTHER_PROTO),
        ("+", [r for r in missing if (r.subnet, r.metric) not in there], "not routed into the tunnel"),
        ("~", kept, "the kernel has nexthop objects" if want.nexthops else "no nexthop objects"),
    ):
        yield from _changes(sign, "replace", found, why, name, want)


def _gone(name: str, want: State, have: State) -> Iterator[Change]:
    new, old = want.routes.get(name, frozenset()), have.routes.get(name, frozenset())
    wanted = {(route.subnet, route.metric) for route in new}
    # One that leads into another interface now took its place.
    moved = {route for its in want.routes.values() for route in its if not route.metric}
    found = [r for r in sorted(old - new) if (r.subnet, r.metric) not in wanted and r not in moved]
    yield from _changes("-", "delete", found, "should not lead into the tunnel", name, have)


def _changes(sign: str, verb: str, found: list[TunnelRoute], why: str, name: str, state: State) -> Iterator[Change]:
    device = name or next(iter(_choices(state)), "")
    for some in _grouped(found):
        made = [_command(verb, route, device, _nexthop(route, name, state)) for route in some]
        what = f"route {some[0].subnet}"
        if len(some) > 1:
            what = f"{len(some)} routes {some[0].subnet} ... {some[-1].subnet}"
        if some[0].metric:
            what += f" by {name}, in reserve"
        yield change(sign, what, why, *made, disruptive=sign == "-" and not some[0].metric)


def _nexthop(route: TunnelRoute, name: str, state: State) -> str:
    """The id of the nexthop object that a route leads by; empty for none."""
    return "" if name else state.nexthops.get("-6" if ":" in route.subnet else "-4", "")


def _grouped(routes: list[TunnelRoute]) -> Iterator[list[TunnelRoute]]:
    """A few routes make a Change each, many make one together."""
    for some in ([r for r in routes if not r.metric], [r for r in routes if r.metric]):
        if len(some) > FEW:
            yield some
        else:
            yield from ([route] for route in some)


@lru_cache(maxsize=1 << 14)
def _command(verb: str, route: TunnelRoute, device: str, nexthop: str) -> Command:
    """A route as ``ip route`` takes it, the same for all hosts; without a nexthop object the host moves it when it must."""
    metric = ("metric", str(route.metric)) if route.metric else ()
    if nexthop:
        # It is deleted by its object: the route below it must stay.
        return Command(
            ("ip", "route", verb, route.subnet, "nhid", nexthop, "proto", route.proto), may_be_absent=verb == "delete"
        )
    words = ("ip", "route", verb, route.subnet, "dev", device, "proto", route.proto, *metric)
    return Command(words, may_be_absent=verb == "delete")


@lru_cache(maxsize=1 << 14)
def _managed(subnet: str, metric: int = 0) -> TunnelRoute:
    return TunnelRoute(subnet, metric=metric)


def _have(facts: Facts, network: Network) -> Slice:
    interfaces, nexthops = facts.interfaces(network), _seen_nexthops(facts, network)
    # What the host has decides, not how many relays the inventory has by now: an undo states it again.
    several = network.several_relays or len(interfaces) > 1 or bool(nexthops)
    found: dict[str, set[TunnelRoute]] = {name: set() for name in interfaces}
    its = [r for r in facts.links.routes if r.device in interfaces and _is_ours(r, facts, network)]
    usual = {4: 0, 6: 1024}
    below = {r.subnet for r in its if several and r.metric > usual[r.subnet.version]}
    for r in its:
        metric = r.metric if several and r.metric > usual[r.subnet.version] else 0
        by_active = not metric and (r.nexthop or (r.subnet in below and f"-{r.subnet.version}" not in nexthops))
        found.setdefault(ACTIVE if by_active else r.device, set()).add(
            TunnelRoute(network_text(r.subnet), r.proto or "boot", metric)
        )
    return {
        "routes": {name: frozenset(routes) for name, routes in found.items()},
        "nexthops": nexthops,
    }


def _is_ours(route: Route, facts: Facts, network: Network) -> bool:
    return route.proto == str(ROUTE_PROTO) or (route.device == network.interface and _adoptable(route, facts, network))


def _seen_nexthops(facts: Facts, network: Network) -> Mapping[str, str]:
    """The network's nexthop objects that lead into one of its interfaces."""
    own, nexthops = facts.interfaces(network), facts.links.nexthops
    return {family: number for family, number in _numbers(network).items() if nexthops.get(number) in own}


def _numbers(network: Network) -> dict[str, str]:
    return {"-4": str(network.detour_table), "-6": str(network.nexthop6)}


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
    desired, several = target.desired, target.desired.routes_by_interface
    if not several:
        subnets = target.network.subnets if desired.host.single_address else ()
        return {"routes": {target.tunnel: _routes((*subnets, *desired.routes))}, "nexthops": {}}
    found = {name: _routes(several.get(name, ())) for name in target.tunnels}
    if not desired.choices:
        return {"routes": found, "nexthops": {}}
    found[ACTIVE] = _routes(several[ACTIVE])
    for position, choice in enumerate(desired.choices):
        below = (_managed(network_text(net), FLOORS[net.version] + position) for net in several[ACTIVE])
        found[choice.interface] |= frozenset(below)
    versions = {net.version for net in several[ACTIVE]}
    numbers = {family: number for family, number in _numbers(target.network).items() if int(family[1]) in versions}
    return {"routes": found, "nexthops": numbers if has_nexthops(target) else {}}


def has_nexthops(target: Target) -> bool:
    """True where the kernel and `ip` have nexthop objects. Where `ip` is not there yet, it is iproute2 that is installed."""
    return target.facts.links.has_nexthops or "ip" not in target.facts.system.tools


def _routes(nets: Iterator[IPNetwork] | tuple[IPNetwork, ...]) -> frozenset[TunnelRoute]:
    return frozenset(_managed(network_text(net)) for net in nets)


def _probe(want: State, have: State) -> Iterator[Sh]:
    # Which relay is used may change meanwhile.
    for number in sorted({*want.nexthops.values(), *have.nexthops.values()}):
        yield sh(
            "{{ ip route show; ip -6 route show; }} 2>/dev/null | grep ' nhid {number} ' | sed 's/ dev [^ ]*//' | sort",
            number=quote(number),
        )


def _probe_interface(interface: Sh) -> Iterator[Sh]:
    yield sh(
        "{{ show ip route show dev {interface}; show6 ip -6 route show dev {interface} | grep -v 'proto kernel'; }} | "
        "grep -v ' nhid '",
        interface=interface,
    )


NOUN = Noun(
    state=("routes", "nexthops"),
    steps=(step(routes),),
    have=_have,
    target=_target,
    functions=("set_nexthop",),
    probe=_probe,
    probe_interface=_probe_interface,
)
