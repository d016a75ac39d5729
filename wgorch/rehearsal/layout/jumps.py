"""Machines for the jump hosts that are not hosts of the inventory."""

from __future__ import annotations

from wgorch.base.ip import is_public
from wgorch.inventory.model import Host, IPAddress, SshTarget
from wgorch.rehearsal.layout.draft import Draft
from wgorch.rehearsal.layout.model import SSH, Site
from wgorch.rehearsal.machine import WorldError


def place_jumps(draft: Draft, host: Host) -> None:
    """Place the jump hosts of one host. Raises WorldError where one cannot be placed."""
    site = draft.site_of(host.name)
    for hop in host.ssh.via:
        if hop.host in draft.inventory.hosts:
            continue
        ip = draft.address(hop.host)
        name = draft.layout.ssh.get(hop.host) or draft.machine_at(ip)
        if name is None:
            name = _jump(draft, ip, site, hop)
        draft.layout.ssh[hop.host] = name
        draft.ssh_ports.setdefault(name, set()).add(hop.port or SSH)
        draft.layout.users.setdefault(name, set()).add(hop.user or "root")
        if site is not None and name == site.router:
            site.open_tcp_ports.append(hop.port or SSH)


def _jump(draft: Draft, ip: IPAddress, site: Site | None, hop: SshTarget) -> str:
    """The machine of a jump host: the site's own router where the address is public, else a machine of its own."""
    if site is not None and is_public(ip) and site.outside in (None, ip):
        site.set_outside(ip)
        return site.router
    name = draft.unique(f"jump-{ip}")
    if is_public(ip):
        draft.plug_into_internet(name, ip)
    elif site is not None and ip in site.lan:
        draft.plug_into_site(name, site, ip)
    else:
        raise WorldError(f"jump host {hop} has a private address, in no LAN of the inventory")
    return name
