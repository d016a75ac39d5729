"""NetworkManager: a keyfile."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.interop.formats.site import FORWARDING, Site


def export(site: Site) -> dict[str, str]:
    """The file for /etc/NetworkManager/system-connections, mode 600; `nmcli connection reload` reads it."""
    return {f"{site.interface}.nmconnection": "\n".join(_lines(site)) + "\n"}


def _lines(site: Site) -> Iterator[str]:
    yield f"# {site.title}: /etc/NetworkManager/system-connections, mode 600"
    yield from ("[connection]", f"id={site.network}", "type=wireguard", f"interface-name={site.interface}")
    yield from ("", "[wireguard]", f"private-key={site.key}")
    if site.listen_port:
        yield f"listen-port={site.listen_port}"
    if site.mtu:
        yield f"mtu={site.mtu}"
    for peer in site.peers:
        yield from ("", f"# {peer.name}", f"[wireguard-peer.{peer.public_key}]")
        if peer.host:
            yield f"endpoint={peer.endpoint}"
        if peer.has_preshared:
            yield f"preshared-key={peer.preshared_key}"
        yield f"allowed-ips={''.join(f'{net};' for net in peer.allowed_ips)}"
        if peer.keepalive:
            yield f"persistent-keepalive={peer.keepalive}"
    for version in (4, 6):
        yield from ("", f"[ipv{version}]")
        addresses = site.of_version(version)
        yield from (f"address{number}={address}" for number, address in enumerate(addresses, 1))
        servers = [server for server in site.dns if (":" in server) == (version == 6)]
        if servers and addresses:
            yield f"dns={''.join(f'{server};' for server in servers)}"
        yield f"method={'manual' if addresses else 'disabled'}"
    if site.lans:
        yield from ("", f"# a router, so forward: sysctl -w {FORWARDING}")
