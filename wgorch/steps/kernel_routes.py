"""Routes that the kernel makes of an address: the connected route, and the address in table local. Others may delete them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface

from wgorch.base.sh import Sh, sh
from wgorch.facts.facts import Facts
from wgorch.facts.links import Links, is_global
from wgorch.inventory.model import Network
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def kernel_routes(want: State, have: State) -> Iterator[Change]:
    """Restore the routes that the kernel made of the tunnel's addresses, where something deleted them."""
    for name in want.interfaces:
        # An address brings its routes when it is added, and takes them along.
        staying = want.addresses.get(name, frozenset()) & have.addresses.get(name, frozenset())
        its = frozenset(route for address in staying for route in _of(address))
        new, old = (its & state.kernel_routes.get(name, frozenset()) for state in (want, have))
        for verb, sign, found, why in (
            ("replace", "+", new - old, "deleted, although its address is there"),
            ("delete", "-", old - new, "was not there"),
        ):
            for route in sorted(found):
                make = command("ip", "route", verb, *route.split(" "), "dev", name, may_be_absent=verb == "delete")
                yield change(sign, f"route {_short(route)}", why, make)


def _of(address: str) -> tuple[str, ...]:
    """The routes of an address, as ``ip route`` takes them without their device; the connected one last."""
    interface = ip_interface(address)
    ip, net = interface.ip, interface.network
    four = ip.version == 4
    local = f"local {ip} table local proto kernel{f' scope host src {ip}' if four else ''}"
    connected = f"{net} proto kernel {f'scope link src {ip}' if four else 'metric 256'}"
    return (local,) if net.prefixlen == net.max_prefixlen else (local, connected)


def _short(route: str) -> str:
    words = route.split(" ")
    return f"{words[0]} {words[1]}" if words[0] == "local" else words[0]


def _have(facts: Facts, network: Network) -> Slice:
    return {"kernel_routes": {name: frozenset(_seen(facts.links, name)) for name in facts.interfaces(network)}}


def _seen(links: Links, name: str) -> Iterator[str]:
    own = [address for device, address in links.addresses if device == name and is_global(address)]
    routed = {route.subnet for route in links.routes if route.device == name and not route.nexthop}
    for address in own:
        local, *connected = _of(str(address))
        if name not in links.local or address.ip in links.local[name]:
            yield local
        if address.network in routed:
            yield from connected


def _target(target: Target) -> Slice:
    made = frozenset(route for own in target.addresses for route in _of(own))
    return {"kernel_routes": dict.fromkeys(target.tunnels, made)}


def _probe(interface: Sh) -> Iterator[Sh]:
    # The link-local address is another one with each new device.
    yield sh(
        "{{ show ip -4 route show table local dev {interface}; show6 ip -6 route show table local dev {interface}; }} | "
        "grep -e '^local ' -e '^unreadable ' | grep -v '^local fe80:'",
        interface=interface,
    )


NOUN = Noun(state=("kernel_routes",), steps=(step(kernel_routes),), have=_have, target=_target, probe_interface=_probe)
