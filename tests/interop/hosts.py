"""Readings of hosts, written down: addresses, routes and WireGuard peers; nothing else differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_interface, ip_network

from wgorch.facts.files import Files
from wgorch.facts.firewall import Firewall
from wgorch.facts.keys import Keys
from wgorch.facts.links import Device, Links, Route
from wgorch.facts.system import System
from wgorch.facts.wireguard import WireGuard
from wgorch.gather.observed import Observed
from wgorch.inventory.targets import ssh_target
from wgorch.state.wireguard import Peer


def key_of(name: str) -> str:
    """A public key that belongs to a name."""
    return f"{name:x<42}A="


def host(
    hostname: str,
    *addresses: str,
    routes: tuple[str, ...] = (),
    wireguard: Mapping[str, WireGuard] | None = None,
    port_taken: bool = False,
    managers: tuple[str, ...] = (),
    mtu: int = 1420,
    alias: str = "",
) -> Observed:
    """A host; an address is ``DEVICE IP/LENGTH``, a route ``SUBNET GATEWAY DEVICE``."""
    tunnels = wireguard or {}
    placed = [text.split(" ") for text in addresses]
    hops = [text.split(" ") for text in routes]
    names = dict.fromkeys(["lo", *(name for name, _ in placed), *tunnels])
    devices = {n: Device(n, mtu if n in tunnels else 1500, True, alias if n in tunnels else "") for n in names}
    return Observed(
        host=hostname,
        system=_system(hostname, port_taken=port_taken, managers=managers),
        links=Links(
            devices,
            tuple((name, ip_interface(address)) for name, address in placed),
            tuple(Route(ip_network(subnet), device, gateway, "static", 0) for subnet, gateway, device in hops),
        ),
        wireguard=tunnels,
        firewall=Firewall({}, {}, (), False, False, False, "", ""),
        sysctls={},
        keys=Keys(),
        files=Files(),
    )


def _system(hostname: str, *, port_taken: bool, managers: tuple[str, ...]) -> System:
    return System(
        uid=0,
        boot_id="",
        hostname=hostname,
        kernel="6.1.0",
        os={},
        tools=frozenset({"ip", "wg"}),
        starter="systemd",
        managers=frozenset(managers),
        kernel_wireguard=True,
        net_admin=True,
        ports_taken=frozenset({51820} if port_taken else ()),
    )


def tunnel(name: str, port: int, *peers: Peer, fwmark: int = 0) -> WireGuard:
    """A WireGuard interface with the key of a name."""
    return WireGuard(key_of(name), port, fwmark, {peer.public_key: peer for peer in peers})


def peer(name: str, *nets: str, endpoint: str = "", keepalive: int = 0, preshared: str = "") -> Peer:
    """A peer with the key of a name."""
    return Peer(key_of(name), nets, endpoint or None, keepalive, preshared=preshared)


def targets(*texts: str):  # type: ignore[no-untyped-def]
    """SSH targets by their text."""
    return {text: ssh_target(text) for text in texts}
