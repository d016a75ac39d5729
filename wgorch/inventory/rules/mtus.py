"""Rule for the MTU."""

from __future__ import annotations

from wgorch.inventory.rules.review import Review

IPV6_MINIMUM = 1280
"""Smallest MTU of an interface with IPv6 (RFC 8200, section 5)."""


def mtus(review: Review) -> None:
    """A tunnel with IPv6 has the MTU that IPv6 needs."""
    network = review.inventory.network
    if all(subnet.version == 4 for subnet in network.subnets):
        return
    given = {"network.mtu": network.mtu}
    given |= {f"hosts.{name}.mtu": host.mtu for name, host in review.inventory.hosts.items()}
    for path, mtu in given.items():
        if mtu is not None and mtu < IPV6_MINIMUM:
            message = f"IPv6 needs an MTU of {IPV6_MINIMUM} in the tunnel, not {mtu}"
            review.add(path, message, f"{IPV6_MINIMUM} or more, or no IPv6 in network.subnet")
