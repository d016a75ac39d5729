"""Rules for the lines of `links:`."""

from __future__ import annotations

from wgorch.inventory.model import Inventory, LinkRule
from wgorch.inventory.rules.review import Review


def links(review: Review) -> None:
    """A link chooses the relay of a spoke, or separates two hosts that a relay connects."""
    chosen: dict[str, str] = {}
    for i, link in enumerate(review.inventory.links):
        problem, fix = _problem(link, review.inventory, chosen)
        if problem:
            review.add(f"links[{i}]", problem, fix)


def _problem(link: LinkRule, inventory: Inventory, chosen: dict[str, str]) -> tuple[str, str]:
    """Return what is wrong with a link, and the fix; `chosen` collects the relay of each spoke."""
    pair = (inventory.hosts[link.one], inventory.hosts[link.other])
    spokes = [host.name for host in pair if not host.endpoint]
    relay = next((host.name for host in pair if host.relay), None)
    if link.one == link.other:
        return f"{link.one} is linked to itself", "name two hosts"
    if len(spokes) == 2:
        message = f"neither {link.one} nor {link.other} has an endpoint, so neither can connect to the other"
        return message, "delete the line; a relay connects them"
    if not link.peering and relay:
        return f"{relay} is a relay; it must reach every host", "relay: false there, or delete the line"
    if not link.peering and not any(host.relay for host in inventory.hosts.values()):
        return f"no relay could connect {link.one} and {link.other}: no host is a relay", "relay: true on one"
    if link.peering and relay and spokes and chosen.setdefault(spokes[0], relay) != relay:
        message = f"{spokes[0]} has the relay {chosen[spokes[0]]} already; requests and replies must take the same path"
        return message, "keep one of the two"
    return "", ""
