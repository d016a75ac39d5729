"""Place the hosts: in the internet or behind a NAT router, as their endpoint and SSH address say."""

from __future__ import annotations

import ipaddress

from wgorch.base.ip import as_ip, innermost, is_public
from wgorch.inventory.model import Host, IPAddress, IPNetwork
from wgorch.rehearsal.layout.draft import Draft
from wgorch.rehearsal.layout.model import SSH, Site
from wgorch.rehearsal.machine import PortForward


def place(draft: Draft, host: Host) -> None:
    """Plug a host in where its endpoint and its SSH address are."""
    end = draft.address(host.endpoint.host) if host.endpoint else None
    own = None if host.ssh.local else draft.address(host.ssh.host)
    draft.ssh_ports.setdefault(host.name, set()).add(host.ssh.port or SSH)
    draft.layout.users.setdefault(host.name, set()).add(host.ssh.user or "root")
    draft.layout.ssh[host.ssh.host] = host.name
    # Another port outside than inside is a port forward, and that is a router's.
    forwarded = host.endpoint is not None and host.endpoint.port != host.listen_port
    if end is not None and not forwarded and is_public(end) and (own is None or own == end or is_public(own)):
        draft.plug_into_internet(host.name, end)
        if own is not None and own != end:
            draft.plug_into_internet(host.name, own)
    elif end is None and own is not None and own.version == 6 and is_public(own):
        draft.plug_into_internet(host.name, own)  # no router translates IPv6
    elif end is not None and not is_public(end):
        site = _site(draft, host, _lan_of(draft, end))
        _plug(draft, host, site, end)
        if own is not None and own != end:
            _plug(draft, host, site, own)
    else:
        _place_behind_nat(draft, host, end, own)


def _place_behind_nat(draft: Draft, host: Host, end: IPAddress | None, own: IPAddress | None) -> None:
    """Plug a host into a LAN; its public endpoint and SSH address, where it has them, are its router's."""
    inside = own if own is not None and not is_public(own) else None
    site = _site(draft, host, _lan_of(draft, inside) if inside else _own_lan(draft, host))
    ip = inside or draft.free(site.lan, 62)
    _plug(draft, host, site, ip)
    if end is not None and host.endpoint is not None:
        site.set_outside(end)
        inside_port = "" if host.endpoint.port == host.listen_port else f":{host.listen_port}"
        site.port_forwards.append(PortForward("udp", host.endpoint.port, f"{ip}{inside_port}"))
        draft.layout.assumed.append(f"router {end} forwards UDP {host.endpoint.port} to {host.name}{inside_port}")
    if own is not None and is_public(own):
        site.set_outside(own)
        site.port_forwards.append(PortForward("tcp", host.ssh.port or SSH, str(ip)))
        draft.layout.assumed.append(f"router {own} forwards SSH to {host.name}")


def place_ways(draft: Draft, host: Host) -> None:
    """Give a host the addresses of its further endpoints, and those who use one in a LAN a place there."""
    for way in host.ways:
        ip = draft.address(way.endpoint.host)
        if way.in_lan:
            site = draft.site_with(host.name, ip) or _site(draft, host, _lan_of(draft, ip))
            _plug(draft, host, site, ip)
            for name in draft.neighbours(host, way):
                if site.segment not in {interface.segment for interface in draft.interfaces[name]}:
                    draft.plug_into_site(name, site, draft.free(site.lan, 62))
        elif way.endpoint != host.endpoint and draft.is_in_internet(host.name):
            draft.plug_into_internet(host.name, ip)
        elif way.endpoint != host.endpoint:
            draft.layout.assumed.append(f"{way.endpoint} of {host.name} is not in this world")


def _plug(draft: Draft, host: Host, site: Site, ip: IPAddress) -> None:
    name = host.lan_interface if any(host.real(lan) == site.lan for lan in host.subnets) else None
    draft.plug_into_site(host.name, site, ip, name or "eth0")


def _site(draft: Draft, host: Host, lan: IPNetwork) -> Site:
    own = as_ip(host.ssh.host)
    # The same LAN behind another router is another LAN.
    router = own if own is not None and is_public(own) else None
    key = (lan, tuple(str(hop) for hop in host.ssh.via), router)
    if key not in draft.sites:
        draft.sites[key] = Site(lan, host.name)
        if draft.ipv6:
            draft.sites[key].lan6 = ipaddress.ip_network(f"2001:db8:{len(draft.sites):x}::/64")
    return draft.sites[key]


def _lan_of(draft: Draft, ip: IPAddress) -> IPNetwork:
    lans = (host.real(lan) for host in draft.inventory.hosts.values() for lan in host.subnets)
    around = ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False)
    return innermost(lans, ip) or around


def _own_lan(draft: Draft, host: Host) -> IPNetwork:
    """The LAN of a host without a private address: its first subnet, or a free network."""
    if own := next((host.real(lan) for lan in host.subnets if lan.version == 4), None):
        return own
    lans = [lan for h in draft.inventory.hosts.values() for lan in h.subnets] + [s.lan for s in draft.sites.values()]
    taken = [net for net in (*lans, *draft.inventory.network.subnets) if net.version == 4]
    fresh = (ipaddress.ip_network(f"172.20.{n}.0/24") for n in range(256))
    return next(net for net in fresh if not any(net.overlaps(t) for t in taken))
