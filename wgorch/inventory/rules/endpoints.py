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
        if (strange := next((name for name in way.only if name not in members), None)) is not None:
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
            if way.in_lan:
                continue  # another LAN may have the same addresses
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
        if twin != name and not any({rule.one, rule.other} == {name, twin} for rule in review.inventory.links):
            message = f"{name} and {twin} have one public address: their router must lead it back (hairpin NAT)"
            fix = f'if it does not: links: ["{twin} -x- {name}"], and a relay elsewhere'
            review.add(f"hosts.{name}.endpoint", message, fix, warning=True)


def reachability(review: Review) -> None:
    """Hosts without an endpoint reach each other through a relay."""
    hosts = review.inventory.hosts
    spokes = [n for n, host in hosts.items() if not host.endpoint and not review.problems.about(f"hosts.{n}.endpoint")]
    if len(spokes) < 2 or any(host.ways for host in hosts.values()):
        return
    public = next((name for name, host in hosts.items() if host.endpoint), None)
    if len(spokes) == len(hosts):
        message = "no host has an endpoint, so no host can connect to another"
        review.add("hosts", message, "give the public host an endpoint and relay: true", at=f"hosts.{spokes[0]}")
    elif public and not any(host.relay for host in hosts.values()):
        message = f"{spokes[1]} and {spokes[0]} cannot connect to each other, and no host is a relay"
        review.add(f"hosts.{spokes[1]}", message, f"relay: true under {public}", warning=True)
