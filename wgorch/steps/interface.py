"""WireGuard interfaces: present, marked, with key, port and MTU, and up. What lies on one goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address

from wgorch.base.ip import as_ip
from wgorch.base.sh import Sh, sh
from wgorch.facts.facts import NO_WIREGUARD, Facts
from wgorch.facts.path_mtu import OVERHEAD
from wgorch.inventory.model import Network
from wgorch.state.change import Attribute, Change, Command, attributes, change, command
from wgorch.state.state import State
from wgorch.state.wireguard import Interface
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target
from wgorch.topology.desired import Desired

ANYWHERE = ip_address("0.0.0.0")  # noqa: S104 - nothing is bound to it


def interface(want: State, have: State) -> Iterator[Change]:
    """Create the WireGuard interface, marked, with its key, port and MTU, and set it up."""
    for name in sorted(have.interfaces.keys() - want.interfaces.keys()):
        # Routes of a nexthop object go with the interface that it leads into.
        leaving = [command("leave_interface", name, *want.interfaces)] if have.nexthops and want.nexthops else []
        ending = (*leaving, command("end_interface", name))
        yield change("-", f"interface {name}", "no longer wanted", *ending, disruptive=True)
    for name, new in want.interfaces.items():
        old = have.interfaces.get(name)
        if old is None:
            yield change("+", f"interface {name}", "missing", *_creation(new), values=partial(_values, new))
        elif new != old:
            yield from _wireguard(new, old)
            yield from _device(new, old)


def _values(new: Interface) -> tuple[Attribute, ...]:
    return attributes(
        ("listen port", "", new.listen_port),
        ("MTU", "", new.mtu),
        ("public key", "", new.public_key),
        ("fwmark", "", new.fwmark),
    )


def _creation(new: Interface) -> Iterator[Command]:
    fwmark = ("fwmark", str(new.fwmark)) if new.fwmark else ()
    yield command("make_interface", new.name)
    yield command("set_key", new.name, tag(new), "listen-port", new.listen_port, *fwmark)
    yield _ip_link(new, "alias", new.alias)
    yield _ip_link(new, "mtu", new.mtu, *(("up",) if new.up else ()))


def _wireguard(new: Interface, old: Interface) -> Iterator[Change]:
    if new.alias != old.alias:
        marking = _ip_link(new, "alias", new.alias) if new.alias else command("clear_alias", new.name)
        why = "adopted as it is" if new.alias else "released as it was adopted"
        yield change("~", f"mark of {new.name}", why, marking, disruptive=bool(new.alias))
    if new.public_key != old.public_key:
        setting = command("set_key", new.name, tag(new))
        its = partial(attributes, ("public key", old.public_key, new.public_key))
        yield change("~", f"key of {new.name}", "not the host's key", setting, disruptive=True, values=its)
    if new.listen_port != old.listen_port:
        port = command("wg", "set", new.name, "listen-port", new.listen_port)
        why = f"{old.listen_port}, not {new.listen_port}"
        its = partial(attributes, ("listen port", old.listen_port, new.listen_port))
        yield change("~", f"port of {new.name}", why, port, disruptive=True, values=its)
    if new.fwmark != old.fwmark:
        setting = command("wg", "set", new.name, "fwmark", new.fwmark)
        yield change("~", f"fwmark of {new.name}", f"{old.fwmark}, not {new.fwmark}", setting)


def _device(new: Interface, old: Interface) -> Iterator[Change]:
    if new.mtu != old.mtu:
        setting, its = _ip_link(new, "mtu", new.mtu), partial(attributes, ("MTU", old.mtu, new.mtu))
        yield change("~", f"MTU of {new.name}", f"{old.mtu}, not {new.mtu}", setting, values=its)
    if new.up != old.up:
        setting = _ip_link(new, "up" if new.up else "down")
        yield change("~", f"interface {new.name}", "down" if new.up else "up", setting, disruptive=not new.up)


def _ip_link(interface: Interface, *words: str | int) -> Command:
    return command("ip", "link", "set", "dev", interface.name, *words)


def tag(interface: Interface) -> str:
    """The suffix of a key file that waits beside the one in use: its public half, usable as a file name."""
    return interface.public_key.replace("/", "_")


def tunnel_mtu(desired: Desired, facts: Facts) -> int:
    """Tunnel MTU: the smallest egress-interface or measured path MTU to any peer, minus WireGuard overhead."""
    ends = [(link.endpoint.host, as_ip(link.endpoint.host)) for link in desired.links if link.endpoint]
    found = [facts.paths[name] for name, _ in ends if name in facts.paths]
    links = facts.links
    for ip in [ip or ANYWHERE for _, ip in ends] or [ANYWHERE]:
        route = links.route_to(ip) or next((r for r in links.routes if not r.subnet.prefixlen), None)
        device = links.devices.get(route.device) if route and route.device not in desired.interfaces else None
        wide = ip.version == 6 or (ip == ANYWHERE and desired.network.ipv6)
        found.append(min(device.mtu if device else 1500, 1500) - OVERHEAD[6 if wide else 4])
    return min(found)


def _have(facts: Facts, network: Network) -> Slice:
    return {"interfaces": {name: _seen(facts, name) for name in facts.interfaces(network)}}


def _seen(facts: Facts, name: str) -> Interface:
    device, wg = facts.links.devices[name], facts.wireguard.get(name) or NO_WIREGUARD
    return Interface(name, device.alias, device.mtu, wg.listen_port, wg.public_key, device.up, wg.fwmark)


def _target(target: Target) -> Slice:
    network, host = target.network, target.desired.host
    mtu = host.mtu or network.mtu or target.mtu or tunnel_mtu(target.desired, target.facts)
    return {
        "interfaces": {
            name: Interface(
                name=name,
                alias=network.mark,
                mtu=mtu,
                listen_port=target.desired.ports.get(name, host.listen_port),
                public_key=target.key(host.name),
                fwmark=network.table if host.exit else 0,
            )
            for name in target.tunnels
        }
    }


def _probe(interface: Sh) -> Iterator[Sh]:
    yield sh("line=; read -r line </sys/class/net/{interface}/ifalias; printf '%s\\n' \"$line\"", interface=interface)
    yield sh("show_file /sys/class/net/{interface}/mtu", interface=interface)
    yield sh("for part in public-key listen-port fwmark; do show wg show {interface} $part; done", interface=interface)


NOUN = Noun(
    state=("interfaces",),
    steps=(step(interface),),
    have=_have,
    target=_target,
    functions=("make_interface", "leave_interface", "end_interface", "clear_alias", "set_key"),
    probe_interface=_probe,
)
