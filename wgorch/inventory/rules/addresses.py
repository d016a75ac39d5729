"""Rules for tunnel addresses."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.inventory.assign import next_free
from wgorch.inventory.model import IPAddress, IPNetwork
from wgorch.inventory.rules.review import Review


def addresses(review: Review) -> None:
    """Given addresses are host addresses of a tunnel network, each used once."""
    inventory = review.inventory
    subnets = {subnet.version: subnet for subnet in inventory.network.subnets}
    used = {ip for member in inventory.members.values() for ip in member.given}
    seen: dict[IPAddress, str] = {}
    for path, name, ip in _given(review):
        subnet = subnets.get(ip.version, inventory.network.subnet)
        twin = seen.setdefault(ip, name)
        problem = _unusable(ip, subnet, review)
        if not problem and twin != name:
            field = _field_of(twin, review)
            problem = f"is already used by {field.rpartition('.')[0]} ({review.where(field)})"
        if problem:
            free = next_free(subnet, used)
            if free:
                used.add(free)  # the next proposal is another
            review.add(path, f"{ip} {problem}", f"{free} is free" if free else "a larger network.subnet")


def _unusable(ip: IPAddress, subnet: IPNetwork, review: Review) -> str:
    """Return why no host can have an address; empty if one can."""
    if ip.version != subnet.version or ip not in subnet:
        return f"lies outside network.subnet {subnet} ({review.where('network.subnet')})"
    if subnet.num_addresses > 2 and ip == subnet.network_address:
        return f"is the network address of {subnet}"
    if subnet.version == 4 and subnet.num_addresses > 2 and ip == subnet.broadcast_address:
        return f"is the broadcast address of {subnet}"
    return ""


def _field_of(name: str, review: Review) -> str:
    path = f"{review.path_of(name)}.address"
    return path if path in review.locations else f"{path}[0]"


def _given(review: Review) -> Iterator[tuple[str, str, IPAddress]]:
    """Yield the addresses in the file: field, member, address."""
    for name, member in review.inventory.members.items():
        for i, ip in enumerate(member.given):
            path = f"{'devices' if member.is_device else 'hosts'}.{name}.address"
            yield (f"{path}[{i}]" if f"{path}[{i}]" in review.locations else path), name, ip


def capacity(review: Review) -> None:
    """Every member gets an address in each tunnel network."""
    members = len(review.inventory.members)
    for subnet in review.inventory.network.subnets:
        reserved = 2 if subnet.version == 4 and subnet.prefixlen < 31 else 0
        available = max(1, subnet.num_addresses - reserved)
        if members > available:
            message = f"{subnet} has addresses for {available} hosts; there are {members}"
            review.add("network.subnet", message, "a larger network.subnet")
