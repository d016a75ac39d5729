"""Connect machines: a segment is a bridge in the namespace `wires`, an interface one end of a veth pair."""

from __future__ import annotations

import hashlib
import re
import socket
import time
from collections.abc import Iterable
from contextlib import closing

from pyroute2 import NetNS

from wgorch.rehearsal.handle import WorldHandle
from wgorch.rehearsal.machine import Interface, Machine

WIRES = "wires"
"""The namespace that holds all bridges."""


def plug(world: WorldHandle, machines: Iterable[Machine]) -> None:
    """Give machines their interfaces, addresses and routes."""
    with closing(world.netlink(WIRES)) as wires:
        bridges = {link.get("ifname") for link in wires.get_links()}
        for machine in machines:
            with closing(world.netlink(machine.name)) as inside:
                for interface in machine.interfaces:
                    bridge = _short(interface.segment)
                    if bridge not in bridges:
                        wires.link("add", ifname=bridge, kind="bridge")
                        wires.link("set", index=_index(wires, bridge), state="up", mtu=interface.mtu)
                        bridges.add(bridge)
                    _connect(wires, bridge, _port(machine, interface), interface, world.pids[machine.name])
                    _configure(inside, interface)
                _route(inside, machine)


def wait_unplugged(world: WorldHandle, machine: Machine) -> None:
    """Wait until the cables of a machine that was powered off are gone.

    The kernel ends a network namespace some time after its last process.
    """
    with closing(world.netlink(WIRES)) as wires:
        end = time.monotonic() + 5
        while time.monotonic() < end and any(
            wires.link_lookup(ifname=_port(machine, interface)) for interface in machine.interfaces
        ):
            time.sleep(0.01)


def _connect(wires: NetNS, bridge: str, port: str, interface: Interface, pid: int) -> None:
    peer = {"ifname": interface.name, "net_ns_pid": pid, "address": _mac(port)}
    wires.link("add", ifname=port, kind="veth", peer=peer, mtu=interface.mtu)
    wires.link("set", index=_index(wires, port), master=_index(wires, bridge), state="up")


def _configure(inside: NetNS, interface: Interface) -> None:
    index = _index(inside, interface.name)
    inside.link("set", index=index, state="up", mtu=interface.mtu)
    for address in interface.addresses:
        ip, _, prefix = address.partition("/")
        inside.addr("add", index=index, address=ip, prefixlen=int(prefix))


def _route(inside: NetNS, machine: Machine) -> None:
    for subnet, gateway in machine.routes:
        inside.route("add", dst=subnet, gateway=gateway)
    for gateway in machine.gateways:
        family = socket.AF_INET6 if ":" in gateway else socket.AF_INET
        inside.route("add", dst="default", gateway=gateway, family=family)


def _index(netns: NetNS, name: str) -> int:
    index: int = netns.link_lookup(ifname=name)[0]
    return index


def _port(machine: Machine, interface: Interface) -> str:
    """The bridge's end of an interface's cable."""
    return _short(f"{machine.name}.{interface.name}")


def _short(name: str) -> str:
    """A device name: unique, and at most 15 characters."""
    if re.fullmatch(r"[a-zA-Z0-9.-]{1,15}", name):
        return name
    return f"{re.sub('[^a-zA-Z0-9-]', '', name)[:9]}{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _mac(name: str) -> str:
    """The hardware address of an interface: the same after a reboot, as its neighbours have it in their caches."""
    return "02:" + ":".join(f"{byte:02x}" for byte in hashlib.sha256(name.encode()).digest()[:5])
