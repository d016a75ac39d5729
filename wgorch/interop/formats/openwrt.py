"""OpenWrt: sections for /etc/config/network and /etc/config/firewall."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wgorch.interop.formats.site import Site


def export(site: Site) -> dict[str, str]:
    """Sections to append; `service network reload; service firewall reload` takes them. Needs luci-proto-wireguard."""
    return {
        "network": "\n".join(_network(site)) + "\n",
        "firewall": "\n".join(_firewall(site)) + "\n",
    }


def _section(site: Site) -> str:
    """The interface's name, of which UCI takes letters, digits and _ only."""
    return re.sub(r"\W", "_", site.interface, flags=re.A)


def _network(site: Site) -> Iterator[str]:
    yield f"# {site.title}: append to /etc/config/network"
    yield from (f"config interface '{_section(site)}'", "\toption proto 'wireguard'")
    yield f"\toption private_key '{site.key}'"
    if site.listen_port:
        yield f"\toption listen_port '{site.listen_port}'"
    if site.mtu:
        yield f"\toption mtu '{site.mtu}'"
    yield from (f"\tlist addresses '{address}'" for address in site.addresses)
    yield from (f"\tlist dns '{server}'" for server in site.dns)
    for peer in site.peers:
        yield from ("", f"config wireguard_{_section(site)}", f"\toption description '{peer.name}'")
        yield f"\toption public_key '{peer.public_key}'"
        if peer.has_preshared:
            yield f"\toption preshared_key '{peer.preshared_key}'"
        yield from (f"\tlist allowed_ips '{net}'" for net in peer.allowed_ips)
        yield "\toption route_allowed_ips '1'"
        if peer.host:
            yield from (f"\toption endpoint_host '{peer.host}'", f"\toption endpoint_port '{peer.port}'")
        if peer.keepalive:
            yield f"\toption persistent_keepalive '{peer.keepalive}'"


def _firewall(site: Site) -> Iterator[str]:
    yield f"# {site.title}: append to /etc/config/firewall"
    yield from ("config zone", "\toption name 'wgorch'", f"\tlist network '{_section(site)}'")
    yield from ("\toption input 'ACCEPT'", "\toption output 'ACCEPT'", "\toption forward 'ACCEPT'")
    if site.lans:
        for one, other in (("lan", "wgorch"), ("wgorch", "lan")):
            yield from ("", "config forwarding", f"\toption src '{one}'", f"\toption dest '{other}'")
    if site.listen_port:
        yield from ("", "config rule", "\toption name 'wgorch'", "\toption src 'wan'", "\toption proto 'udp'")
        yield from (f"\toption dest_port '{site.listen_port}'", "\toption target 'ACCEPT'")
