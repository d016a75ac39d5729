"""Rules against routing loops: networks in the tunnel must not contain the addresses that carry it."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.base.ip import as_ip
from wgorch.inventory.endpoint import Way
from wgorch.inventory.model import Host, IPAddress, IPNetwork
from wgorch.inventory.rules.lans import lans_of
from wgorch.inventory.rules.review import Review


def routing_loops(review: Review) -> None:
    """No LAN or tunnel network contains an endpoint; one that contains an SSH address is worth a warning."""
    lans = _Lans(lans_of(review.inventory))
    for name, host in review.inventory.members.items():
        section = "devices" if host.is_device else "hosts"
        for number, way in enumerate(host.all_ways):
            endpoint = as_ip(way.endpoint.host)
            field = f"{section}.{name}.endpoint" + (f"[{number}]" if host.ways else "")
            if endpoint is not None and way.in_lan:
                _in_lan(host, endpoint, way, field, review)
            elif endpoint is not None:
                _endpoint(name, endpoint, field, lans, review)
        address = None if host.is_device else as_ip(host.ssh.host)
        if address is not None:
            _ssh(name, address, lans, review)


class _Lans:
    """The LANs by their prefix length, to look up those that contain an address."""

    def __init__(self, lans: Iterator[tuple[str, IPNetwork]]) -> None:
        self.by_length: dict[tuple[int, int], dict[int, str]] = {}
        for path, lan in lans:
            host_bits = lan.max_prefixlen - lan.prefixlen
            self.by_length.setdefault((lan.version, host_bits), {})[int(lan.network_address)] = path

    def containing(self, ip: IPAddress) -> Iterator[str]:
        """Yield the fields of the LANs that contain an address."""
        for (version, host_bits), paths in self.by_length.items():
            path = paths.get(int(ip) >> host_bits << host_bits) if version == ip.version else None
            if path:
                yield path


def _in_lan(peer: Host, ip: IPAddress, way: Way, field: str, review: Review) -> None:
    """Who connects to an address in a LAN must not have a route into the tunnel for it."""
    users = [n for n, m in review.inventory.members.items() if n != peer.name and way in peer.ways_for(m)]
    for gateway, member in review.inventory.members.items():
        lan = next((lan for lan in member.subnets if ip in lan), None)
        for other in users if lan is not None else ():
            host = review.inventory.members[other]
            if gateway not in (other, host.behind):
                message = f"{other} would reach {ip} through the tunnel itself: {lan} of {gateway} is routed into it"
                fix = f"if {other} is in that LAN: behind: {gateway} under {other}"
                review.add(
                    field, message, "leave it out: a device has all LANs in its tunnel" if host.is_device else fix
                )
                break
    if any(ip in tunnel for tunnel in review.inventory.network.subnets):
        message = f"{ip} lies inside network.subnet: the tunnel would carry itself"
        review.add(field, message, "the endpoint is the address outside the tunnel")


def _endpoint(name: str, ip: IPAddress, field: str, lans: _Lans, review: Review) -> None:
    for path in lans.containing(ip):
        message = f"it contains the endpoint of {name} {ip} ({review.where(field)}): the tunnel would carry itself"
        review.add(path, message, "narrow the subnet")
    if any(ip in tunnel for tunnel in review.inventory.network.subnets):
        message = f"{ip} lies inside network.subnet: the tunnel would carry itself"
        review.add(field, message, "the endpoint is the address outside the tunnel")


def _ssh(name: str, ip: IPAddress, lans: _Lans, review: Review) -> None:
    field = f"hosts.{name}.ssh"
    for path in lans.containing(ip):
        behind = review.inventory.hosts[name].behind  # it has no route into the tunnel for that LAN
        if not path.startswith((f"hosts.{name}.", f"hosts.{behind}.")):
            message = f"it contains the SSH address of {name} {ip} ({review.where(field)}), not behind this gateway"
            fix = f"if {name} is in that LAN: behind: {path.split('.')[1]} under {name}; else narrow the subnet"
            review.add(path, message, fix, warning=True)
    if any(ip in tunnel for tunnel in review.inventory.network.subnets):
        message = f"{ip} lies inside network.subnet: SSH would need the tunnel that it builds"
        review.add(field, message, "the address outside the tunnel", warning=True)
