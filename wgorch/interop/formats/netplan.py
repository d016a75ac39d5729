"""Netplan: a YAML file; JSON strings are YAML, and need no escapes of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator

from wgorch.interop.formats.site import FORWARDING, Site


def export(site: Site) -> dict[str, str]:
    """The file for /etc/netplan, mode 600; `netplan try` brings it up, and rolls back by itself."""
    return {f"60-{site.interface}.yaml": "\n".join(_lines(site)) + "\n"}


def _lines(site: Site) -> Iterator[str]:
    yield f"# {site.title}: /etc/netplan, mode 600"
    yield from ("network:", "  version: 2", "  tunnels:", f"    {json.dumps(site.interface)}:", "      mode: wireguard")
    yield f"      key: {json.dumps(site.key)}"
    if site.listen_port:
        yield f"      port: {site.listen_port}"
    if site.mtu:
        yield f"      mtu: {site.mtu}"
    yield f"      addresses: {json.dumps(list(site.addresses))}"
    if site.dns:
        yield f"      nameservers: {{addresses: {json.dumps(list(site.dns))}}}"
    yield "      peers:"
    for peer in site.peers:
        yield f"        # {peer.name}"
        keys = {"public": peer.public_key}
        keys |= {"shared": peer.preshared_key} if peer.has_preshared else {}
        yield f"        - keys: {json.dumps(keys)}"
        yield f"          allowed-ips: {json.dumps(list(peer.allowed_ips))}"
        if peer.host:
            yield f"          endpoint: {json.dumps(peer.endpoint)}"
        if peer.keepalive:
            yield f"          keepalive: {peer.keepalive}"
    yield "      routes:"
    yield from (f"        - {{to: {json.dumps(net)}, scope: link}}" for net in site.routes)
    if site.lans:
        yield f"# a router, so forward: sysctl -w {FORWARDING}"
