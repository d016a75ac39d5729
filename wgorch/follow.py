"""Follow one real packet: send it at its source, and watch on every host of its way at once."""

from __future__ import annotations

import secrets
from ipaddress import ip_address

from wgorch.errors import HostsFailed, UsageError
from wgorch.inventory.fields import suggest
from wgorch.inventory.model import Inventory, IPAddress
from wgorch.operation import Operation
from wgorch.topology.walk import walk
from wgorch.trace import explain
from wgorch.trace.observe import WINDOW_S, Probe, Seen, parse, program
from wgorch.verify.diagnose import Verdict


def trace(
    operation: Operation, source: str, target: str, protocol: str = "icmp", port: int = 0, *, pcap: bool = False
) -> explain.Trace:
    """Follow one real packet from a host to another, to a device, or to an address; changes nothing that stays."""
    if source not in operation.inventory.hosts:
        raise UsageError(f'there is no host "{source}".{suggest(source, operation.inventory.hosts)}')
    operation.gather(_on_way(operation, source, _goal(operation.inventory, source, target)))
    return follow(operation, source, _goal(operation.inventory, source, target), protocol, port, pcap=pcap)


def first_failed(operation: Operation, verdict: Verdict) -> tuple[str, IPAddress] | None:
    """The pair to follow where not everything answers: a declared flow first."""
    lost = [(n, a) for n, m in verdict.measured.items() for a, ping in m.pings.items() if not ping.works]
    lost = [(n, a) for n, a in lost if not any(a in lan for lan in operation.inventory.hosts[n].subnets)]
    declared = [(flow.source, flow.address) for flow in operation.inventory.verify]
    return next((pair for pair in declared if pair in lost), lost[0] if lost else None)


def with_cause(operation: Operation, verdict: Verdict) -> Verdict:
    """The same verdict, led by the place where the first packet that fails dies."""
    pair = first_failed(operation, verdict)
    if pair is None:
        return verdict
    try:
        operation.gather(_on_way(operation, *pair))
        cause = follow(operation, *pair).finding
    except (HostsFailed, UsageError):
        return verdict
    return Verdict(verdict.measured, (cause, *verdict.findings)) if cause else verdict


def _on_way(operation: Operation, source: str, goal: IPAddress) -> list[str]:
    return [name for name in walk(operation.topology, source, goal).hosts if name in operation.inventory.hosts]


def follow(
    operation: Operation, source: str, goal: IPAddress, protocol: str = "icmp", port: int = 0, *, pcap: bool = False
) -> explain.Trace:
    """The same for hosts that were just read."""
    hosts = _on_way(operation, source, goal)
    own = operation.topology.hosts[source].address_of(goal.version)
    if own is None:
        raise UsageError(f"{source} has no IPv{goal.version} address in the tunnel")
    interface = operation.network.interface
    cards = [s.cards[interface].mtu for s in (operation.seen[n] for n in hosts) if interface in s.cards]
    room = min(cards, default=1420) - (28 if goal.version == 4 else 48)
    probe = Probe(own, goal, protocol, port, 96 + secrets.randbelow(400), room if protocol == "icmp" else 0)
    run = secrets.token_hex(4)

    def work(name: str) -> Seen:
        operation.listener.event(name, "trace")
        port_there = operation.topology.hosts[name].listen_port
        text = program(probe, run, interface, port_there, "" if name == source else interface, pcap=pcap)
        return parse(name, operation.fleet.open(name).exchange(text, "follow the packet", WINDOW_S + 20), probe)

    seen, failed = operation.fleet.each(hosts, work)
    if failed:
        raise HostsFailed(list(failed.values()))
    return explain.explain(operation.topology, operation.seen, operation.keys, seen, probe, source)


def _goal(inventory: Inventory, source: str, target: str) -> IPAddress:
    if target in inventory.members:
        own = inventory.hosts[source].addresses
        there = inventory.members[target]
        return next((a for a in there.addresses if any(o.version == a.version for o in own)), there.address)
    try:
        return ip_address(target)
    except ValueError:
        hint = suggest(target, inventory.members)
        raise UsageError(f'"{target}" is no host, device or address.{hint}') from None
