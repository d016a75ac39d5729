"""Path MTU between endpoints, and the tunnel MTU that it leaves."""

from __future__ import annotations

import ipaddress

from wgorch.base.ip import as_ip
from wgorch.facts.observed import Observed
from wgorch.topology.desired import Desired

OVERHEAD = {4: 60, 6: 80}
"""Bytes that WireGuard adds to a packet, by what carries it."""


NEEDED_BY_IPV6 = 1280
"""The smallest MTU that a card with IPv6 may have (RFC 8200, section 5)."""


def tunnel_mtu(desired: Desired, seen: Observed) -> int:
    """What fits into the tunnel by the card on the way to each peer, and by what was measured where it was."""
    ways = [(link.endpoint.host, as_ip(link.endpoint.host)) for link in desired.links if link.endpoint]
    everywhere = ipaddress.ip_address("0.0.0.0")
    found = [seen.paths[name] for name, _ in ways if name in seen.paths]
    for ip in [ip or everywhere for name, ip in ways] or [everywhere]:
        way = seen.route_to(ip) or next((r for r in seen.routes if not r.subnet.prefixlen), None)
        card = seen.cards.get(way.card) if way and way.card != desired.network.interface else None
        bytes_of_ours = OVERHEAD[6] if ip.version == 6 or (ip == everywhere and desired.network.ipv6) else OVERHEAD[4]
        found.append(min(card.mtu if card else 1500, 1500) - bytes_of_ours)
    return min(found)
