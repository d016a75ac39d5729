"""Kinds of addresses: literal or a name, public or private."""

from __future__ import annotations

import ipaddress

from wgorch.inventory.model import IPAddress

PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)


def literal(text: str) -> IPAddress | None:
    """An address; None where the text is a name."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_public(ip: IPAddress) -> bool:
    """True for an address outside the private ranges."""
    return not any(ip.version == net.version and ip in net for net in PRIVATE)
