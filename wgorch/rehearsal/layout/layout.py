"""Lay out an inventory's world so that its SSH routes, endpoints and LANs are as it says.

A host with a public endpoint is in the internet; one without is behind the NAT router of a site, in the LAN of its SSH
address. A jump host at a public address is that router. Each of its `subnets` has a machine in it that has no route to
the tunnel. What an inventory does not say is assumed, and listed.
"""

from __future__ import annotations

from wgorch.inventory.model import Inventory
from wgorch.rehearsal.layout.draft import Draft
from wgorch.rehearsal.layout.internet import internet, place_controller, place_servers
from wgorch.rehearsal.layout.jumps import place_jumps
from wgorch.rehearsal.layout.lans import place_lan
from wgorch.rehearsal.layout.model import Layout
from wgorch.rehearsal.layout.place import place, place_ways
from wgorch.rehearsal.layout.routers import router
from wgorch.rehearsal.machine import Machine


def lay_out(inventory: Inventory, *, hard_nat: bool = False, systemd: bool = True) -> Layout:
    """The layout of an inventory's world. Raises WorldError where it cannot be built here."""
    draft = Draft(inventory, hard_nat=hard_nat, systemd=systemd)
    hosts = inventory.hosts.values()
    for host in hosts:
        place(draft, host)
    for host in hosts:
        place_ways(draft, host)
    for host in hosts:
        place_jumps(draft, host)
    for host in hosts:
        for subnet in host.subnets:
            place_lan(draft, host, subnet)
    place_servers(draft)
    place_controller(draft)
    routers = {site.router: router(draft, site) for site in draft.sites.values()}
    others = {name: _machine(draft, name) for name in draft.interfaces if name not in routers}
    draft.layout.machines = {**routers, **others, draft.internet: internet(draft)}
    return draft.layout


def _machine(draft: Draft, name: str) -> Machine:
    """A machine that is neither router nor internet."""
    return Machine(
        name,
        tuple(draft.interfaces[name]),
        tuple(draft.gateways.get(name, ())),
        sshd=draft.sshd(name),
        systemd=draft.systemd and name in draft.inventory.hosts,
        routes=tuple(draft.routes.get(name, ())),
    )
