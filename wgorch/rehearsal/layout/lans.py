"""The LANs behind gateways, and machines in them that run nothing of wgorch."""

from __future__ import annotations

import ipaddress

from wgorch.inventory.model import Host, IPNetwork
from wgorch.rehearsal.layout.draft import Draft
from wgorch.rehearsal.layout.model import Site


def place_lan(draft: Draft, gateway: Host, subnet: IPNetwork) -> None:
    """Place a LAN behind a gateway, with the machines that flows name, or one."""
    site, lan = _site_with(draft, gateway, subnet), gateway.real(subnet)
    segment = site.segment if site else f"lan {_nth(gateway, subnet)} of {gateway.name}"
    own = next((a for i in draft.interfaces[gateway.name] for a in i.addresses if _in(a, lan)), None)
    if own is None:
        own = f"{draft.free(lan, 62)}/{lan.prefixlen}"
        draft.plug(gateway.name, gateway.lan_interface or "eth1", segment, own)
    via = own.partition("/")[0]
    flows = [gateway.real_address(f.address) for f in draft.inventory.verify if f.address in subnet]
    for ip in dict.fromkeys(flows) or {draft.free(lan, 61): None}:
        if draft.machine_at(ip, segment):
            continue
        name = draft.unique(f"machine-{ip}".replace(".", "-"))
        draft.used.add(ip)
        draft.plug(name, "eth0", segment, f"{ip}/{lan.prefixlen}")
        draft.gateways[name] = [draft.router_address(site) if site and site.lan == lan else via]
        if site and not gateway.masquerade:
            routes = [(str(net), via) for net in _beyond(draft, gateway) if net.version == lan.version]
            draft.routes.setdefault(name, []).extend(routes)
    if site and not gateway.masquerade:
        draft.layout.assumed.append(f"machines in {lan} have a route to the tunnel via {via}")


def _site_with(draft: Draft, gateway: Host, subnet: IPNetwork) -> Site | None:
    """The site of a LAN; a gateway's first LAN of IPv6 is in the same segment as its first of IPv4."""
    lans = [gateway.real(other) for other in gateway.subnets if _nth(gateway, other) == _nth(gateway, subnet)]
    own = draft.site_of(gateway.name)
    sites = ([own] if own else []) + list(draft.sites.values())
    return next((site for site in sites if site.lan in lans), None)


def _beyond(draft: Draft, gateway: Host) -> list[IPNetwork]:
    """What is reached through the tunnel from a gateway's LAN."""
    others = [lan for host in draft.inventory.hosts.values() if host is not gateway for lan in host.subnets]
    return [*draft.inventory.network.subnets, *others]


def _in(address: str, lan: IPNetwork) -> bool:
    return ipaddress.ip_interface(address).ip in lan


def _nth(gateway: Host, lan: IPNetwork) -> int:
    """The place of a LAN among those of a gateway that are of the same IP version."""
    return [other for other in gateway.subnets if other.version == lan.version].index(lan)
