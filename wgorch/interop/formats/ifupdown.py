"""ifupdown: a stanza for each IP version, and the file that `wg setconf` reads."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.base.sh import quote
from wgorch.interop.formats.site import FORWARDING, Site
from wgorch.interop.formats.wg_quick import peers


def export(site: Site) -> dict[str, str]:
    """The files for /etc/network/interfaces.d and /etc/wireguard; the second holds the private key: mode 600."""
    return {
        f"{site.interface}.interfaces": "\n".join(_stanzas(site)) + "\n",
        f"{site.interface}.conf": "\n".join(_conf(site)) + "\n",
    }


def _stanzas(site: Site) -> Iterator[str]:
    interface = quote(site.interface)
    yield f"# {site.title}: /etc/network/interfaces.d/{site.interface}"
    yield f"auto {site.interface}"
    begun = False
    for version, family in ((4, "inet"), (6, "inet6")):
        for address in site.of_version(version):
            yield from ("", f"iface {site.interface} {family} static", f"    address {address}")
            if not begun:
                yield f"    pre-up ip link add dev {interface} type wireguard"
                yield f"    pre-up wg setconf {interface} /etc/wireguard/{quote(site.interface)}.conf"
                if site.mtu:
                    yield f"    mtu {site.mtu}"
                if site.dns:
                    yield f"    dns-nameservers {' '.join(site.dns)}"
                if site.lans:
                    yield f"    post-up sysctl -w {FORWARDING}"
                for net in site.routes:
                    yield f"    post-up ip -{6 if ':' in net else 4} route replace {net} dev {interface}"
                yield f"    post-down ip link delete dev {interface}"
            begun = True


def _conf(site: Site) -> Iterator[str]:
    yield f"# {site.title}: /etc/wireguard/{site.interface}.conf, mode 600, for wg setconf"
    yield from ("[Interface]", f"PrivateKey = {site.key}")
    if site.listen_port:
        yield f"ListenPort = {site.listen_port}"
    yield from peers(site)
