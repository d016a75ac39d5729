"""EdgeOS and UniFi gateways with the wireguard package: `set` commands."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.interop.formats.site import Site


def export(site: Site) -> dict[str, str]:
    """Commands for `configure`; end with `commit-confirm`, then `confirm`."""
    return {f"{site.name}.edgeos": "\n".join(_lines(site)) + "\n"}


def _lines(site: Site) -> Iterator[str]:
    base = f"set interfaces wireguard {site.numbered_interface}"
    yield f"# {site.title}: configure; paste; commit-confirm 5; confirm; save"
    yield f"{base} private-key '{site.key if site.private_key else '/config/auth/wg.key'}'"
    yield from (f"{base} address '{address}'" for address in site.addresses)
    if site.listen_port:
        yield f"{base} listen-port '{site.listen_port}'"
        yield f"# let UDP {site.listen_port} in by a rule of WAN_LOCAL whose number N is free:"
        yield "# set firewall name WAN_LOCAL rule N action accept"
        yield "# set firewall name WAN_LOCAL rule N protocol udp"
        yield f"# set firewall name WAN_LOCAL rule N destination port '{site.listen_port}'"
    if site.mtu:
        yield f"{base} mtu '{site.mtu}'"
    yield f"{base} route-allowed-ips 'true'"
    for peer in site.peers:
        at = f"{base} peer {peer.public_key}"
        yield f"{at} description '{peer.name}'"
        if peer.has_preshared:
            yield f"{at} preshared-key '{peer.preshared_key}'"
        yield from (f"{at} allowed-ips '{net}'" for net in peer.allowed_ips)
        if peer.host:
            yield f"{at} endpoint '{peer.endpoint}'"
        if peer.keepalive:
            yield f"{at} persistent-keepalive '{peer.keepalive}'"
    yield from (f"set system name-server '{server}'" for server in site.dns)
