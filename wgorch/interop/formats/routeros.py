"""MikroTik RouterOS 7: commands for the console, or a file for /import."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.interop.formats.site import Site


def export(site: Site) -> dict[str, str]:
    """A script; without `private-key` the router makes its own, which /interface/wireguard/print shows the public half of."""
    return {f"{site.name}.rsc": "\n".join(_lines(site)) + "\n"}


def _lines(site: Site) -> Iterator[str]:
    mark, interface = _text(f"wgorch:{site.network}"), _text(site.interface)
    yield f"# {site.title}: /import file-name={site.name}.rsc"
    words = [f"name={interface}", f"comment={mark}"]
    words += [f"listen-port={site.listen_port}"] if site.listen_port else []
    words += [f"mtu={site.mtu}"] if site.mtu else []
    words += [f"private-key={_text(site.private_key)}"] if site.private_key else []
    yield f"/interface wireguard add {' '.join(words)}"
    for peer in site.peers:
        words = [f"interface={interface}", f"comment={_text(peer.name)}", f"public-key={_text(peer.public_key)}"]
        words += [f"allowed-address={','.join(peer.allowed_ips)}"]
        if peer.has_preshared:
            words += [f"preshared-key={_text(peer.preshared_key)}"]
        if peer.host:
            words += [f"endpoint-address={peer.host}", f"endpoint-port={peer.port}"]
        words += [f"persistent-keepalive={peer.keepalive}s"] if peer.keepalive else []
        yield f"/interface wireguard peers add {' '.join(words)}"
    for address in site.addresses:
        yield f"/{_family(address)} address add address={address} interface={interface} comment={mark}"
    for net in site.routes:
        yield f"/{_family(net)} route add dst-address={net} gateway={interface} comment={mark}"
    if site.listen_port:
        yield (
            f"/ip firewall filter add chain=input protocol=udp dst-port={site.listen_port} action=accept"
            f" comment={mark} place-before=0"
        )
    for direction in ("in", "out") if site.lans else ():
        yield (
            f"/ip firewall filter add chain=forward {direction}-interface={interface} action=accept"
            f" comment={mark} place-before=0"
        )
    if site.dns:
        yield f"/ip dns set servers={','.join(site.dns)}"


def _family(net: str) -> str:
    return "ipv6" if ":" in net else "ip"


def _text(text: str) -> str:
    """A word, in quotes where it needs them."""
    if text.replace("-", "").replace("_", "").replace(":", "").isalnum() and text.isascii():
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
