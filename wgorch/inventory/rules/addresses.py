"""Rules for addresses, subnets and LANs."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from wgorch.inventory.assign import next_free
from wgorch.inventory.model import Inventory, IPAddress, IPNetwork
from wgorch.inventory.problems import Problems
from wgorch.inventory.rules.locations import Locations


def addresses(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    subnets = {subnet.version: subnet for subnet in inventory.network.subnets}
    used = {ip for host in inventory.members.values() for ip in host.given}
    seen: dict[object, str] = {}
    for path, name, ip in _given(inventory, locations):
        subnet = subnets.get(ip.version, inventory.network.subnet)
        twin = seen.setdefault(ip, name)
        if ip.version != subnet.version or ip not in subnet:
            problem = f"lies outside network.subnet {subnet} ({locations.where('network.subnet')})"
        elif subnet.num_addresses > 2 and ip == subnet.network_address:
            problem = f"is the network address of {subnet}"
        elif subnet.version == 4 and subnet.num_addresses > 2 and ip == subnet.broadcast_address:
            problem = f"is the broadcast address of {subnet}"
        elif twin != name:
            problem = f"is already used by {_address_of(twin, inventory, locations).rpartition('.')[0]} ({locations.where(_address_of(twin, inventory, locations))})"
        else:
            continue
        free = next_free(subnet, used)
        problems.add(
            locations.get(path), path, f"{ip} {problem}", f"{free} is free" if free else "a larger network.subnet"
        )


def _address_of(name: str, inventory: Inventory, locations: Locations) -> str:
    path = f"{'devices' if name in inventory.devices else 'hosts'}.{name}.address"
    return path if path in locations else f"{path}[0]"


def _given(inventory: Inventory, locations: Locations) -> Iterator[tuple[str, str, IPAddress]]:
    for name, host in inventory.members.items():
        for i, ip in enumerate(host.given):
            path = f"{'devices' if host.is_device else 'hosts'}.{name}.address"
            yield (f"{path}[{i}]" if f"{path}[{i}]" in locations else path), name, ip


def capacity(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    """Every host needs an address in each subnet."""
    for subnet in inventory.network.subnets:
        room = max(1, subnet.num_addresses - (2 if subnet.version == 4 and subnet.prefixlen < 31 else 0))
        if len(inventory.members) > room:
            message = f"{subnet} has room for {room} hosts; there are {len(inventory.members)}"
            problems.add(locations.get("network.subnet"), "network.subnet", message, "a larger network.subnet")


def families(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    """A LAN can be reached only by hosts that have an address of its kind in the tunnel."""
    kinds = {subnet.version for subnet in inventory.network.subnets}
    for path, lan in lans(inventory):
        if lan.version not in kinds:
            message = f"{lan} is of IPv{lan.version}, but the tunnel has no network of that kind"
            example = "192.168.2.0/24" if lan.version == 4 else "fd00:2::/64"
            subnets = ", ".join(f'"{s}"' for s in (*inventory.network.subnets, example))
            problems.add(locations.get(path), path, message, f"network.subnet: [{subnets}]")


def lans(inventory: Inventory) -> Iterator[tuple[str, IPNetwork]]:
    for name, host in inventory.hosts.items():
        for i, lan in enumerate(host.subnets):
            yield f"hosts.{name}.subnets[{i}]", lan


def subnets(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    tunnels = [("network.subnet", subnet) for subnet in inventory.network.subnets]
    spans = sorted(_spans([*lans(inventory), *tunnels]))
    # Sorted by first address: a network overlaps another one only if it starts before the widest open one ends.
    widest: tuple[int, str, IPNetwork] | None = None
    version = 0
    for ip_version, first, last, path, lan in spans:
        if ip_version != version:
            widest, version = None, ip_version
        if widest and first <= widest[0]:
            _overlap(path, lan, widest[1], widest[2], locations, problems)
        if not widest or last > widest[0]:
            widest = (last, path, lan)


def _spans(lans: Iterable[tuple[str, IPNetwork]]) -> Iterator[tuple[int, int, int, str, IPNetwork]]:
    for path, lan in lans:
        yield lan.version, int(lan.network_address), int(lan.broadcast_address), path, lan


def _overlap(path: str, lan: IPNetwork, other: str, wide: IPNetwork, locations: Locations, problems: Problems) -> None:
    if "network.subnet" in (path, other):
        if path == "network.subnet":
            path, lan, other, wide = other, wide, path, lan
        message = f"{lan} overlaps network.subnet {wide} ({locations.where(other)})"
        problems.add(locations.get(path), path, message, "choose another tunnel network")
        return
    first, second = (locations.get(other), locations.get(path))
    if first and second and (second.line, second.column) < (first.line, first.column):
        path, lan, other, wide = other, wide, path, lan
    relation = "equals" if lan == wide else "contains" if lan.prefixlen < wide.prefixlen else "lies inside"
    message = f"{lan} {relation} {other} {wide} ({locations.where(other)}); WireGuard gives an address to one peer only"
    problems.add(locations.get(path), path, message, "give each LAN one gateway, or renumber one LAN")


def routing_loops(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    """A LAN in the tunnel must not hold what carries the tunnel."""
    by_mask: dict[tuple[int, int], dict[int, str]] = {}
    for path, lan in lans(inventory):
        by_mask.setdefault((lan.version, lan.max_prefixlen - lan.prefixlen), {})[int(lan.network_address)] = path

    def lan_of(ip: IPAddress) -> Iterator[str]:
        for (version, low_bits), lans in by_mask.items():
            path = lans.get(int(ip) >> low_bits << low_bits) if version == ip.version else None
            if path:
                yield path

    tunnels = inventory.network.subnets
    for name, host in inventory.hosts.items():
        where = f"hosts.{name}.endpoint"
        ip = _as_address(host.endpoint.host) if host.endpoint else None
        for path in lan_of(ip) if ip else ():
            message = (
                f"it contains the endpoint of {name} {ip} ({locations.where(where)}): the tunnel would carry itself"
            )
            problems.add(locations.get(path), path, message, "narrow the subnet")
        if ip and any(ip in tunnel for tunnel in tunnels):
            message = f"{ip} lies inside network.subnet: the tunnel would carry itself"
            problems.add(locations.get(where), where, message, "the endpoint is the address outside the tunnel")
        where = f"hosts.{name}.ssh"
        ip = _as_address(host.ssh.host)
        for path in lan_of(ip) if ip else ():
            if not path.startswith(f"hosts.{name}."):
                message = (
                    f"it contains the SSH address of {name} {ip} ({locations.where(where)}), not behind this gateway"
                )
                problems.add(locations.get(path), path, message, "narrow the subnet", warning=True)
        if ip and any(ip in tunnel for tunnel in tunnels):
            message = f"{ip} lies inside network.subnet: SSH would need the tunnel that it builds"
            problems.add(locations.get(where), where, message, "the address outside the tunnel", warning=True)


def _as_address(text: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
