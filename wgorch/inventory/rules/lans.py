"""Rules for the LANs behind gateways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wgorch.inventory.model import Inventory, IPNetwork
from wgorch.inventory.rules.review import Review


def lans_of(inventory: Inventory) -> Iterator[tuple[str, IPNetwork]]:
    """Yield every LAN with its field."""
    for section, members in (("hosts", inventory.hosts), ("devices", inventory.devices)):
        for name, member in members.items():
            for i, lan in enumerate(member.subnets):
                yield f"{section}.{name}.subnets[{i}]", lan


def ip_versions(review: Review) -> None:
    """A LAN has the IP version of a tunnel network."""
    tunnels = review.inventory.network.subnets
    versions = {subnet.version for subnet in tunnels}
    for path, lan in lans_of(review.inventory):
        if lan.version not in versions:
            message = f"{lan} is IPv{lan.version}, but the tunnel has no IPv{lan.version} network"
            example = "192.168.2.0/24" if lan.version == 4 else "fd00:2::/64"
            subnets = ", ".join(f'"{subnet}"' for subnet in (*tunnels, example))
            review.add(path, message, f"network.subnet: [{subnets}]")


def overlaps(review: Review) -> None:
    """LANs and tunnel networks do not overlap: WireGuard gives an address to one peer only."""
    tunnels = [("network.subnet", subnet) for subnet in review.inventory.network.subnets]
    # Sorted by first address: a network overlaps an earlier one only if it starts before the widest of them ends.
    widest: tuple[int, str, IPNetwork] | None = None
    version = 0
    for ip_version, first, last, path, lan in sorted(_spans([*lans_of(review.inventory), *tunnels])):
        if ip_version != version:
            widest, version = None, ip_version
        if widest and first <= widest[0]:
            _add_overlap(path, lan, widest[1], widest[2], review)
        if not widest or last > widest[0]:
            widest = (last, path, lan)


def _spans(lans: Iterable[tuple[str, IPNetwork]]) -> Iterator[tuple[int, int, int, str, IPNetwork]]:
    for path, lan in lans:
        yield lan.version, int(lan.network_address), int(lan.broadcast_address), path, lan


def _add_overlap(path: str, lan: IPNetwork, other: str, wide: IPNetwork, review: Review) -> None:
    if "network.subnet" in (path, other):
        if path == "network.subnet":
            path, lan, other, wide = other, wide, path, lan
        message = f"{lan} overlaps network.subnet {wide} ({review.where(other)})"
        review.add(path, message, "choose another tunnel network")
        return
    first, second = review.locations.get(other), review.locations.get(path)
    if first and second and (second.line, second.column) < (first.line, first.column):
        path, lan, other, wide = other, wide, path, lan
    relation = "equals" if lan == wide else "contains" if lan.prefixlen < wide.prefixlen else "lies inside"
    message = f"{lan} {relation} {other} {wide} ({review.where(other)}); WireGuard gives an address to one peer only"
    review.add(path, message, "give each LAN one gateway, or renumber one LAN")


def behind(review: Review) -> None:
    """A host is in the LAN of another host that has one."""
    hosts = review.inventory.hosts
    for name, host in hosts.items():
        gateway = hosts.get(host.behind or "")
        if host.behind and (gateway is None or not gateway.subnets or host.behind == name):
            gateways = [n for n, other in hosts.items() if other.subnets and n != name]
            message = f'"{host.behind}" is no other host with subnets'
            review.add(f"hosts.{name}.behind", message, f"one of {', '.join(gateways)}" if gateways else "delete it")


def lan_interfaces(review: Review) -> None:
    """`lan_interface` belongs to a gateway, and is not the tunnel."""
    tunnel = review.inventory.network.interface
    for name, host in review.inventory.hosts.items():
        path = f"hosts.{name}.lan_interface"
        if host.lan_interface and not host.subnets and not review.problems.about(f"hosts.{name}.subnets"):
            review.add(path, "unused without subnets", "add subnets", warning=True)
        if host.lan_interface == tunnel:
            review.add(path, f"{tunnel} is the tunnel itself", "name the interface into the LAN")
