"""The internet: its routers' networks, the servers that flows name, and the controller."""

from __future__ import annotations

import ipaddress

from wgorch.base.ip import as_ip, is_public
from wgorch.rehearsal.layout.draft import Draft
from wgorch.rehearsal.layout.routers import ROUTERS
from wgorch.rehearsal.machine import Interface, Machine

CONTROLLERS6 = ipaddress.ip_network("2001:db8:fffe::/64")


def place_servers(draft: Draft) -> None:
    """Place a machine at each public address that flows name and that is no part of the network."""
    lans = [lan for host in draft.inventory.hosts.values() for lan in host.subnets]
    own = [*lans, *draft.inventory.network.subnets]
    for flow in draft.inventory.verify:
        outside = is_public(flow.address) and not any(flow.address in net for net in own)
        if outside and draft.machine_at(flow.address) is None:
            draft.plug_into_internet(draft.unique(f"server-{flow.address}".replace(".", "-")), flow.address)


def place_controller(draft: Draft) -> None:
    """Place the controller: the host that is local, or a machine in every LAN that it reaches directly."""
    local = next((host.name for host in draft.inventory.hosts.values() if host.ssh.local), None)
    if local:
        draft.layout.controller = local
        return
    name = draft.layout.controller
    for host in draft.inventory.hosts.values():
        ip = as_ip(host.ssh.host)
        site = draft.site_of(host.name)
        if host.ssh.via or site is None or ip is None or ip not in site.lan:
            continue
        if not any(interface.segment == site.segment for interface in draft.interfaces.get(name, ())):
            draft.plug_into_site(name, site, draft.free(site.lan, 20))
    if name not in draft.interfaces:
        draft.plug_into_internet(name, draft.free(ROUTERS, 200))
    if draft.ipv6 and not any(":" in gateway for gateway in draft.gateways[name]):
        draft.plug_into_internet(name, draft.free(CONTROLLERS6, 20))


def internet(draft: Draft) -> Machine:
    """The machine that routes between all public networks."""
    interfaces = tuple(
        Interface(f"net{number}", f"net {net}", (f"{ip}/{net.prefixlen}",))
        for number, (net, ip) in enumerate(draft.public.items())
    )
    return Machine(draft.internet, interfaces, forwards=True, routes=tuple(draft.routes.get(draft.internet, ())))
