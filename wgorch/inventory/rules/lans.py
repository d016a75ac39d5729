"""Rules for the LANs behind gateways."""

from __future__ import annotations

from collections.abc import Iterator

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
    """LANs differ from each other and from the tunnel; one may lie inside another: the longest prefix decides."""
    tunnels = [("network.subnet", subnet) for subnet in review.inventory.network.subnets]
    around: list[tuple[str, IPNetwork]] = []
    """The networks that hold the one at hand, the widest first."""
    for path, lan in sorted([*lans_of(review.inventory), *tunnels], key=_span):
        while around and not _holds(around[-1][1], lan):
            around.pop()
        if around:
            _add_overlap(path, lan, *around[-1], review)
        around.append((path, lan))


def _span(pair: tuple[str, IPNetwork]) -> tuple[int, int, int, str]:
    path, lan = pair
    return lan.version, int(lan.network_address), lan.prefixlen, path


def _holds(wide: IPNetwork, lan: IPNetwork) -> bool:
    return wide.version == lan.version and lan.network_address in wide


def _add_overlap(path: str, lan: IPNetwork, other: str, wide: IPNetwork, review: Review) -> None:
    if "network.subnet" in (path, other):
        if path == "network.subnet":
            path, lan, other, wide = other, wide, path, lan
        message = f"{lan} overlaps network.subnet {wide} ({review.where(other)})"
        review.add(path, message, "choose another tunnel network")
        return
    if lan != wide and _member(path) != _member(other):
        message = f"{lan} lies inside {other} {wide} ({review.where(other)}): its addresses go to {_member(path)}"
        review.add(path, message, "right if these hosts are there; otherwise narrow one of them", warning=True)
        return
    first, second = review.locations.get(other), review.locations.get(path)
    if first and second and (second.file, second.line, second.column) < (first.file, first.line, first.column):
        path, lan, other, wide = other, wide, path, lan
    relation = "equals" if lan == wide else "contains" if lan.prefixlen < wide.prefixlen else "lies inside"
    message = f"{lan} {relation} {other} {wide} ({review.where(other)}); WireGuard gives an address to one peer only"
    if _member(path) == _member(other):
        review.add(path, f"{lan} {relation} {other} {wide} of the same gateway", "keep the wider one")
        return
    review.add(path, message, "give each LAN one gateway, or renumber one LAN")


def _member(path: str) -> str:
    """The name in ``hosts.NAME.subnets[0]``."""
    return path.split(".")[1]


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
