"""Rules for endpoints, and for what hosts without one need."""

from __future__ import annotations

from wgorch.inventory import fields as f
from wgorch.inventory.fields import suggest
from wgorch.inventory.model import Host
from wgorch.inventory.rules.review import Review


def endpoints(review: Review) -> None:
    """Relays have an endpoint, a list of endpoints names members, and hosts behind NAT send keepalives."""
    for name, host in review.inventory.hosts.items():
        path = f"hosts.{name}"
        if host.relay and not host.endpoint and not review.problems.about(f"{path}.endpoint"):
            fix = f"endpoint: ADDRESS:{host.listen_port} under {name}"
            review.add(f"{path}.relay", "a relay needs an endpoint that others can connect to", fix)
        _named(path, host, review)
        if not host.endpoint and host.persistent_keepalive == 0:
            message = "no endpoint and persistent_keepalive 0: unreachable once its NAT mapping expires"
            review.add(path, message, "persistent_keepalive: 25", warning=True)


def _named(path: str, host: Host, review: Review) -> None:
    """A list of endpoints names other members."""
    members = review.inventory.members
    for number, way in enumerate(host.ways):
        at = f"{path}.endpoint[{number}]"
        if empty := next((name for name in way.only if name in review.inventory.groups), ""):
            review.add(at, f'"only" names the group {empty}, which has no member', "leave the endpoint out")
        elif (strange := next((name for name in way.only if name not in members), None)) is not None:
            hint = suggest(strange, (*members, *review.inventory.groups))
            review.add(at, f'"only" names no host, device or group "{strange}".{hint}', f.choice(members))
        elif way.only == (host.name,):
            review.add(at, f'"only" names {host.name} itself alone', "name the members that connect to it there")


def shared_endpoints(review: Review) -> None:
    """No two members have one endpoint: packets to it go to one machine."""
    owner: dict[str, str] = {}
    members = [(f"hosts.{n}", h) for n, h in review.inventory.hosts.items()]
    members += [(f"devices.{n}", d) for n, d in review.inventory.devices.items()]
    for path, member in members:
        for number, way in enumerate(member.all_ways):
            # Another LAN may have the same addresses, but to one member they are one machine.
            for key in [f"{way.endpoint} of {name}" for name in way.only] if way.in_lan else []:
                twin = owner.setdefault(key.lower(), path)
                if twin != path:
                    message = f"{key.replace(' of ', ', as ')} reaches it, is also of {twin}"
                    review.add(f"{path}.endpoint[{number}]", message, "correct one of the two")
            if way.in_lan:
                continue
            twin = owner.setdefault(str(way.endpoint).lower(), path)
            if twin != path:
                message = f"{way.endpoint} is also the endpoint of {twin} ({review.where(f'{twin}.endpoint')})"
                at = f"{path}.endpoint[{number}]" if member.ways else f"{path}.endpoint"
                review.add(at, message, "give one of them another port, forwarded to it")


def hairpins(review: Review) -> None:
    """Hosts at one public address are behind one router, which may not lead it back inside."""
    first: dict[str, str] = {}
    for name, host in review.inventory.hosts.items():
        twin = first.setdefault(host.endpoint.host.lower(), name) if host.endpoint else name
        hosts = review.inventory.hosts
        near = any(way.in_lan for way in (*host.ways_for(hosts[twin]), *hosts[twin].ways_for(host)))
        if twin != name and not near and not any({r.one, r.other} == {name, twin} for r in review.inventory.links):
            message = f"{name} and {twin} have one public address: their router must lead it back (hairpin NAT)"
            fix = f'if it does not: links: ["{twin} -x- {name}"], and a relay elsewhere'
            review.add(f"hosts.{name}.endpoint", message, fix, warning=True)


def reachability(review: Review) -> None:
    """Hosts without an endpoint reach each other through a relay, or as neighbours in a LAN."""
    hosts = review.inventory.hosts
    spokes = [n for n, host in hosts.items() if not host.endpoint and not review.problems.about(f"hosts.{n}.endpoint")]
    if len(spokes) < 2:
        return

    def are_neighbours(one: str, other: str) -> bool:
        return bool(hosts[one].ways_for(hosts[other]) or hosts[other].ways_for(hosts[one]))

    public = next((name for name, host in hosts.items() if host.endpoint), None)
    if len(spokes) == len(hosts):
        if alone := next((n for n in spokes if not any(are_neighbours(n, o) for o in spokes if o != n)), None):
            several = any(host.ways for host in hosts.values())
            message = (
                f"{alone} can connect to no host"
                if several
                else "no host has an endpoint, so no host can connect to another"
            )
            at = f"hosts.{alone if several else spokes[0]}"
            review.add("hosts", message, "give the public host an endpoint and relay: true", at=at)
    elif public and not any(host.relay for host in hosts.values()):
        pairs = ((other, one) for i, one in enumerate(spokes[:MAX_SPOKES]) for other in spokes[i + 1 : MAX_SPOKES])
        if pair := next((pair for pair in pairs if not are_neighbours(*pair)), None):
            message = f"{pair[0]} and {pair[1]} cannot connect to each other, and no host is a relay"
            review.add(f"hosts.{pair[0]}", message, f"relay: true under {public}", warning=True)


MAX_SPOKES = 200
"""Hosts whose pairs are looked at."""
