"""Path MTU between endpoints, and the tunnel MTU that it leaves."""

from __future__ import annotations

from wgorch.facts.grammar import integer
from wgorch.facts.part import Answers, Part, Reread

OVERHEAD = {4: 60, 6: 80}
"""Bytes that WireGuard adds to a packet, by the IP version outside."""

NEEDED_BY_IPV6 = 1280
"""Smallest MTU of a link that carries IPv6 (RFC 8200, section 5)."""

DEFAULT_MTU = 1420
"""MTU of a tunnel over Ethernet, by IPv4 or IPv6 outside; wg-quick's default, too."""

ICMP_HEADER = 8
"""Bytes of an echo request between the IP header and its payload."""

PING_HEADERS = {4: 20 + ICMP_HEADER, 6: 40 + ICMP_HEADER}
"""Bytes of an echo request that are not its payload, by IP version."""

PART = Part({"paths": Reread.NEVER})


def read(answers: Answers) -> dict[str, int]:
    """Tunnel MTU by endpoint, from the largest packet that reached each whole. Raises NotAnAnswer or ValueError."""
    found = {}
    for line in answers.get("paths", []):
        endpoint, address, largest = line.split(" ")
        found[endpoint] = integer(largest) - OVERHEAD[6 if ":" in address else 4]
    return found
