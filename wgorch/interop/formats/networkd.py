"""systemd-networkd: a .netdev and a .network file."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.interop.formats.site import Site


def export(site: Site) -> dict[str, str]:
    """The files for /etc/systemd/network; the .netdev file holds the private key: mode 640, group systemd-network."""
    return {
        f"{site.interface}.netdev": "\n".join(_netdev(site)) + "\n",
        f"{site.interface}.network": "\n".join(_network(site)) + "\n",
    }


def _netdev(site: Site) -> Iterator[str]:
    yield f"# {site.title}: /etc/systemd/network/{site.interface}.netdev, mode 640"
    yield from ("[NetDev]", f"Name={site.interface}", "Kind=wireguard")
    if site.mtu:
        yield f"MTUBytes={site.mtu}"
    yield from ("", "[WireGuard]", f"PrivateKey={site.key}")
    if site.listen_port:
        yield f"ListenPort={site.listen_port}"
    for peer in site.peers:
        yield from ("", f"# {peer.name}", "[WireGuardPeer]", f"PublicKey={peer.public_key}")
        if peer.has_preshared:
            yield f"PresharedKey={peer.preshared_key}"
        yield f"AllowedIPs={','.join(peer.allowed_ips)}"
        if peer.host:
            yield f"Endpoint={peer.endpoint}"
        if peer.keepalive:
            yield f"PersistentKeepalive={peer.keepalive}"


def _network(site: Site) -> Iterator[str]:
    yield f"# {site.title}: /etc/systemd/network/{site.interface}.network"
    yield from ("[Match]", f"Name={site.interface}", "", "[Network]")
    yield from (f"Address={address}" for address in site.addresses)
    yield from (f"DNS={server}" for server in site.dns)
    if site.lans:
        yield "# a router; before systemd 256 it is one line: IPForward=yes"
        yield from ("IPv4Forwarding=yes", "IPv6Forwarding=yes")
    for net in site.routes:
        yield from ("", "[Route]", f"Destination={net}")
