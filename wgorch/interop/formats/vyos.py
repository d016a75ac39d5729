"""VyOS 1.4 and later: `set` commands."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.interop.formats.site import Site, is_name


def export(site: Site) -> dict[str, str]:
    """Commands for `configure`; end with `commit-confirm`, then `confirm`."""
    return {f"{site.name}.vyos": "\n".join(_lines(site)) + "\n"}


def _lines(site: Site) -> Iterator[str]:
    base = f"set interfaces wireguard {site.numbered_interface}"
    yield f"# {site.title}: configure; paste; commit-confirm 5; confirm; save"
    if not site.private_key:
        yield f"# generate pki wireguard key-pair install interface {site.numbered_interface}"
    else:
        yield f"{base} private-key '{site.private_key}'"
    yield from (f"{base} address '{address}'" for address in site.addresses)
    if site.listen_port:
        yield f"{base} port '{site.listen_port}'"
    if site.mtu:
        yield f"{base} mtu '{site.mtu}'"
    for peer in site.peers:
        at = f"{base} peer {peer.name}"
        yield f"{at} public-key '{peer.public_key}'"
        if peer.has_preshared:
            yield f"{at} preshared-key '{peer.preshared_key}'"
        yield from (f"{at} allowed-ips '{net}'" for net in peer.allowed_ips)
        if peer.host:
            # Until 1.5 an endpoint is an address.
            yield f"{at} {'host-name' if is_name(peer.host) else 'address'} '{peer.host}'"
            yield f"{at} port '{peer.port}'"
        if peer.keepalive:
            yield f"{at} persistent-keepalive '{peer.keepalive}'"
    for net in site.routes:
        yield f"set protocols static {'route6' if ':' in net else 'route'} {net} interface {site.numbered_interface}"
    yield from (f"set system name-server '{server}'" for server in site.dns)
