"""The NAT routers of sites."""

from __future__ import annotations

import ipaddress

from wgorch.rehearsal.layout.draft import Draft
from wgorch.rehearsal.layout.model import Site
from wgorch.rehearsal.machine import Machine

ROUTERS = ipaddress.ip_network("198.51.100.0/24")
"""Public addresses of routers that the inventory does not mention."""

ROUTERS6 = ipaddress.ip_network("2001:db8:ffff::/64")


def router(draft: Draft, site: Site) -> Machine:
    """The NAT router of a site; its IPv6 network, if any, is routed to it."""
    name = site.router
    draft.router_address(site)
    draft.plug_into_internet(name, site.outside or draft.free(ROUTERS, 34), "wan")
    if site.lan6 is not None:
        outer = draft.free(ROUTERS6, 34)
        draft.plug_into_internet(name, outer, "wan")
        draft.plug(name, "lan", site.segment, f"{site.lan6[1]}/64")
        draft.routes.setdefault(draft.internet, []).append((str(site.lan6), str(outer)))
    return Machine(
        name,
        tuple(draft.interfaces[name]),
        tuple(draft.gateways[name]),
        forwards=True,
        nat=next(i.name for i in draft.interfaces[name] if i.segment.startswith("net ")),
        hard_nat=draft.hard_nat,
        open_tcp_ports=tuple(dict.fromkeys(site.open_tcp_ports)),
        port_forwards=tuple(dict.fromkeys(site.port_forwards)),
        sshd=draft.sshd(name),
    )
