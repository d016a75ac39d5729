"""NixOS: a module."""

from __future__ import annotations

import json
from collections.abc import Iterator

from wgorch.interop.formats.site import Site


def export(site: Site) -> dict[str, str]:
    """A module for `imports`; the private key is made on the machine, or put into its file, not into the store."""
    return {f"{site.interface}.nix": "\n".join(_lines(site)) + "\n"}


def _lines(site: Site) -> Iterator[str]:
    yield f"# {site.title}"
    yield from ("{", f"  networking.wireguard.interfaces.{_text(site.interface)} = {{")
    yield f"    ips = [ {' '.join(map(_text, site.addresses))} ];"
    yield f"    privateKeyFile = {_text(f'/var/lib/wireguard/{site.interface}.key')};"
    if site.private_key:
        yield f"    # put this into it, mode 600: {site.private_key}"
    else:
        yield "    generatePrivateKeyFile = true; # its public half: wg pubkey </var/lib/wireguard/…"
    if site.listen_port:
        yield f"    listenPort = {site.listen_port};"
    if site.mtu:
        yield f"    mtu = {site.mtu};"
    yield "    peers = ["
    for peer in site.peers:
        yield f"      {{ # {peer.name}"
        yield f"        publicKey = {_text(peer.public_key)};"
        if peer.has_preshared:
            yield f"        presharedKeyFile = {_text(f'/var/lib/wireguard/{peer.name}.psk')};"
        yield f"        allowedIPs = [ {' '.join(map(_text, peer.allowed_ips))} ];"
        if peer.host:
            yield f"        endpoint = {_text(peer.endpoint)};"
        if peer.keepalive:
            yield f"        persistentKeepalive = {peer.keepalive};"
        yield "      }"
    yield from ("    ];", "  };")
    if site.listen_port:
        yield f"  networking.firewall.allowedUDPPorts = [ {site.listen_port} ];"
    if site.dns:
        yield f"  networking.nameservers = [ {' '.join(map(_text, site.dns))} ];"
    if site.lans:
        yield '  boot.kernel.sysctl = { "net.ipv4.conf.all.forwarding" = true; "net.ipv6.conf.all.forwarding" = true; };'
        yield f"  networking.firewall.trustedInterfaces = [ {_text(site.interface)} ];"
    yield "}"


def _text(text: str) -> str:
    """A string of Nix: as in JSON, but for ``${``."""
    return json.dumps(text).replace("${", "\\${")
