"""wg-quick: what phones and machines without another manager read."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.interop.formats.site import Site


def export(site: Site) -> dict[str, str]:
    """The file for /etc/wireguard, or for an app; it holds the private key."""
    return {f"{site.name}.conf": "\n".join([*_interface(site), *peers(site)]) + "\n"}


def _interface(site: Site) -> Iterator[str]:
    yield from (f"# {site.title}", "[Interface]", f"PrivateKey = {site.key}")
    yield from (f"Address = {address}" for address in site.addresses)
    if site.listen_port:
        yield f"ListenPort = {site.listen_port}"
    if site.lans:
        yield f"# a router: forward between the tunnel and {', '.join(site.lans)}"
    if site.mtu:
        yield f"MTU = {site.mtu}"
    if site.dns:
        yield f"DNS = {', '.join(site.dns)}"


def peers(site: Site) -> Iterator[str]:
    """The sections of the peers, which `wg setconf` reads, too."""
    for peer in site.peers:
        yield from ("", "[Peer]", f"# Name = {peer.name}", f"PublicKey = {peer.public_key}")
        yield f"AllowedIPs = {', '.join(peer.allowed_ips)}"
        if peer.host:
            yield f"Endpoint = {peer.endpoint}"
        if peer.keepalive:
            yield f"PersistentKeepalive = {peer.keepalive}"
        if peer.has_preshared:
            yield f"PresharedKey = {peer.preshared_key}"
