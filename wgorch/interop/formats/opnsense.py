"""OPNsense 24.1 and later: the part of its configuration that holds WireGuard, for System: Configuration: Backups, or by hand."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from wgorch.interop.formats.site import Site


def export(site: Site) -> dict[str, str]:
    """One instance and its peers; without a private key here, its page in the web interface generates one."""
    return {f"{site.name}.xml": "\n".join(_lines(site)) + "\n"}


def _lines(site: Site) -> Iterator[str]:
    yield f"<!-- {escape(site.title).replace('--', '- -')}: VPN: WireGuard. An instance with these peers."
    yield "     Its firewall has the rules: Firewall: Rules: WireGuard (Group): pass what is to be forwarded;"
    if site.listen_port:
        yield f"     Firewall: Rules: WAN: pass UDP to port {site.listen_port}."
    if site.lans:
        yield f"     It forwards between the tunnel and {', '.join(site.lans)}."
    yield "-->"
    yield from ("<opnsense>", " <OPNsense>", "  <wireguard>")
    yield "   <general><enabled>1</enabled></general>"
    yield from ("   <server>", "    <servers>", f'     <server uuid="{_uuid(site, "")}">')
    own = {
        "enabled": "1",
        "name": site.network,
        "instance": site.numbered_interface.removeprefix("wg"),
        "privkey": site.key,
        "port": str(site.listen_port or ""),
        "mtu": str(site.mtu or ""),
        "dns": ",".join(site.dns),
        "tunneladdress": ",".join(site.addresses),
        "disableroutes": "0",
        "peers": ",".join(_uuid(site, peer.name) for peer in site.peers),
    }
    yield from _fields(own)
    yield from ("     </server>", "    </servers>", "   </server>", "   <client>", "    <clients>")
    for peer in site.peers:
        yield f'     <client uuid="{_uuid(site, peer.name)}">'
        fields = {
            "enabled": "1",
            "name": peer.name,
            "pubkey": peer.public_key,
            "psk": peer.preshared_key if peer.has_preshared else "",
            "tunneladdress": ",".join(peer.allowed_ips),
            "serveraddress": peer.host,
            "serverport": str(peer.port) if peer.host else "",
            "keepalive": str(peer.keepalive or ""),
        }
        yield from _fields(fields)
        yield "     </client>"
    yield from ("    </clients>", "   </client>", "  </wireguard>", " </OPNsense>", "</opnsense>")


def _fields(fields: dict[str, str]) -> Iterator[str]:
    for name, text in fields.items():
        yield f"      <{name}>{escape(text)}</{name}>" if text else f"      <{name}/>"


def _uuid(site: Site, peer: str) -> str:
    """The same each time, so that a second import replaces the first."""
    return str(uuid5(NAMESPACE_URL, f"wgorch:{site.network}:{site.name}:{peer}"))
