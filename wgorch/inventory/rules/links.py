"""Rules for the lines of `links:`."""

from __future__ import annotations

from wgorch.inventory.failover import MAX_RELAYS
from wgorch.inventory.flow import LinkRule
from wgorch.inventory.model import Inventory
from wgorch.inventory.rules.review import Review


def links(review: Review) -> None:
    """A link chooses the relay of a spoke, or separates two hosts that a relay connects."""
    chosen: dict[str, LinkRule] = {}
    wrong = set[int]()
    for link in review.inventory.links:
        problem, fix = _problem(link, review.inventory, chosen)
        if problem and link.number not in wrong:
            wrong.add(link.number)
            review.add(f"links[{link.number}]", problem, fix)


def relays(review: Review) -> None:
    """Several relays: a spoke has an interface with each of its own, a relay with each other one."""
    inventory = review.inventory
    names = [name for name, host in inventory.hosts.items() if host.relay]
    interface = inventory.network.interface
    if len(names) > MAX_RELAYS:
        review.add(f"hosts.{names[MAX_RELAYS]}.relay", f"more than {MAX_RELAYS} relays", "relay: false on some")
    elif len(names) > 1 and len(interface) > MAX_BASE:
        problem = f"{interface} is too long: with several relays each host has more interfaces, named {interface}b …"
        review.add("network.interface", problem, f"a name of at most {MAX_BASE} characters", at="network")
    elif len(names) > 1:
        _ports(review)
    elif len(names) == 1 and "network.failover" in review.locations:
        problem = f"{names[0]} is the only relay: hosts have no other one to use"
        review.add("network.failover", problem, "relay: true on another host, or delete the line", warning=True)


def _ports(review: Review) -> None:
    """The ports behind the first one are ports, and not the first one again."""
    relays = sum(host.relay for host in review.inventory.hosts.values())
    for name, host in review.inventory.hosts.items():
        if host.endpoint and not host.relay:
            continue  # it has one interface
        field = "relay_port" if host.relay else "standby_port"
        first = (host.relay_port if host.relay else host.standby_port) or host.listen_port + 1
        last = first + relays - 1
        at = "" if f"hosts.{name}.{field}" in review.locations else f"hosts.{name}"
        if last > MAX_PORT:
            problem = f"with {relays} relays UDP {first} to {last} are needed, and the last port is {MAX_PORT}"
            review.add(f"hosts.{name}.{field}", problem, f"{field}: {MAX_PORT - relays}", at=at)
        elif first <= host.listen_port <= last:
            problem = (
                f"UDP {first} to {last} are for sessions with relays, and listen_port {host.listen_port} is among them"
            )
            review.add(f"hosts.{name}.{field}", problem, f"{field}: {host.listen_port + 1}", at=at)


MAX_PORT = 65535
"""The last UDP port."""

MAX_BASE = 13
"""Characters of the interface's name that leave place for a suffix."""


def _problem(link: LinkRule, inventory: Inventory, chosen: dict[str, LinkRule]) -> tuple[str, str]:
    """Return what is wrong with a link, and the fix; `chosen` collects the first rule of each spoke's relays."""
    pair = (inventory.hosts[link.one], inventory.hosts[link.other])
    spokes = [host.name for host in pair if not host.endpoint]
    relay = next((host.name for host in pair if host.relay), None)
    if link.one == link.other:
        return f"{link.one} is linked to itself", "name two hosts"
    neighbours = bool(pair[0].ways_for(pair[1]) or pair[1].ways_for(pair[0]))
    if len(spokes) == 2 and (link.peering or not neighbours):
        message = f"neither {link.one} nor {link.other} has an endpoint, so neither can connect to the other"
        return message, "delete the line; a relay connects them"
    if not link.peering and relay:
        return f"{relay} is a relay; it must reach every host", "relay: false there, or delete the line"
    if not link.peering and not any(host.relay for host in inventory.hosts.values()):
        return f"no relay could connect {link.one} and {link.other}: no host is a relay", "relay: true on one"
    if link.peering and relay and spokes:
        first = chosen.setdefault(spokes[0], link)
        if first.number != link.number:
            before = next(name for name in (first.one, first.other) if name != spokes[0])
            message = f"{spokes[0]} has the relay {before} already, by links[{first.number}]"
            return message, f"keep one of the two, or both in one line: {spokes[0]} -- [{before}, {relay}]"
    if link.peering and not relay and _in_list(link, inventory):
        return f"{link.other} is no relay", f"relay: true there, or leave it out of the list of {link.one}"
    return "", ""


def _in_list(link: LinkRule, inventory: Inventory) -> bool:
    """True where its line has several relays."""
    return sum(each.number == link.number for each in inventory.links) > 1
