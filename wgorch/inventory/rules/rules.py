"""The rules in order: whether the fields of an inventory fit each other; each problem names both locations."""

from __future__ import annotations

from wgorch.inventory.rules.addresses import addresses, capacity
from wgorch.inventory.rules.devices import devices
from wgorch.inventory.rules.endpoints import endpoints, hairpins, reachability, shared_endpoints
from wgorch.inventory.rules.exits import exits
from wgorch.inventory.rules.lans import behind, ip_versions, lan_interfaces, overlaps
from wgorch.inventory.rules.links import links, relays
from wgorch.inventory.rules.loops import routing_loops
from wgorch.inventory.rules.mtus import mtus
from wgorch.inventory.rules.review import Review
from wgorch.inventory.rules.ssh import duplicate_targets, jump_hosts

RULES = (
    addresses,
    capacity,
    ip_versions,
    overlaps,
    routing_loops,
    endpoints,
    shared_endpoints,
    hairpins,
    lan_interfaces,
    behind,
    reachability,
    links,
    relays,
    exits,
    mtus,
    devices,
    jump_hosts,
    duplicate_targets,
)


def check(review: Review) -> None:
    """Add a problem for everything that contradicts something else."""
    for rule in RULES:
        rule(review)
