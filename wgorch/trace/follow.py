"""Follow one real packet: send it at its source, and watch on every host of its way at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from wgorch.base.ip import as_ip
from wgorch.errors import HostsFailed, UsageError, WgorchError
from wgorch.events import Event
from wgorch.inventory.fields.suggest import suggest
from wgorch.inventory.model import Inventory, IPAddress
from wgorch.plan.target import lan_interface_of
from wgorch.run import Run
from wgorch.topology.path import walk
from wgorch.trace import explain
from wgorch.trace.observe import WINDOW_S, Probe, Seen, parse, program
from wgorch.verify.diagnose import Verdict

BY_HAND_S = 25
"""How long hosts watch where a person must send the packet."""


def trace(
    run: Run,
    source: str,
    target: str,
    protocol: str = "icmp",
    port: int = 0,
    *,
    pcap: bool = False,
    ask: Callable[[str], None] = lambda _command: None,
) -> explain.Trace:
    """Follow one real packet from a host to another, to a device, or to an address; changes nothing that stays.

    From a device, or from a machine in a host's LAN, a person must send it: `ask` is told the command.
    """
    inventory, topology = run.inventory, run.topology
    if source in inventory.hosts:
        run.gather(run.asked_for(_on_way(run, source, _goal(inventory, source, target))))
        return follow(run, source, _goal(run.inventory, source, target), protocol, port, pcap=pcap)
    if source in inventory.devices:
        if source not in topology.hosts:
            raise UsageError(f"{source} has no public key yet\n    fix: wgorch export {source}")
        goal = _goal(inventory, source, target)
        own = inventory.devices[source].address_of(goal.version)
        way = walk(topology, source, goal).hosts
        first = way[1] if len(way) > 1 else None
    else:
        own = _address(source, inventory)
        lans = ((name, lan) for name, host in inventory.hosts.items() for lan in host.subnets if own in lan)
        first, _ = next(lans, (None, None))
        goal = _goal(inventory, first, target) if first else own
    if first is None or own is None:
        raise UsageError(f"{source} lies behind no host of this network")
    run.gather(run.asked_for(_on_way(run, first, goal)))
    comes_by = run.network.interface
    if source in inventory.devices:
        goal = _goal(run.inventory, source, target)
        own = run.inventory.devices[source].address_of(goal.version) or own
    else:
        goal = _goal(run.inventory, first, target)
        lan = next(lan for lan in inventory.hosts[first].subnets if own in lan)
        comes_by = lan_interface_of(run.topology.desired(first), run.seen[first], lan)
    return follow(run, first, goal, protocol, port, pcap=pcap, sender=(own, comes_by), ask=ask)


def first_failed(run: Run, verdict: Verdict) -> tuple[str, IPAddress] | None:
    """The pair to follow where not everything answers: a declared flow first."""
    lost = [(n, a) for n, m in verdict.measured.items() for a, ping in m.pings.items() if not ping.works]
    lost = [(n, a) for n, a in lost if not any(a in lan for lan in run.inventory.hosts[n].subnets)]
    declared = [(flow.source, flow.address) for flow in run.inventory.verify]
    return next((pair for pair in declared if pair in lost), lost[0] if lost else None)


def with_cause(run: Run, verdict: Verdict) -> Verdict:
    """The same verdict, led by the place where the first packet that fails dies.

    Where that cannot be found the verdict stays what it is: it may be all that a change under its lease waits for.
    """
    pair = first_failed(run, verdict)
    if pair is None:
        return verdict
    try:
        run.gather(run.asked_for(_on_way(run, *pair)))
        cause = follow(run, *pair).finding
    except WgorchError:
        return verdict
    return Verdict(verdict.measured, (cause, *verdict.findings)) if cause else verdict


def _on_way(run: Run, source: str, goal: IPAddress) -> list[str]:
    return [name for name in walk(run.topology, source, goal).hosts if name in run.inventory.hosts]


def follow(
    run: Run,
    source: str,
    goal: IPAddress,
    protocol: str = "icmp",
    port: int = 0,
    *,
    pcap: bool = False,
    sender: tuple[IPAddress, str] | None = None,
    ask: Callable[[str], None] = lambda _command: None,
) -> explain.Trace:
    """The same for hosts that were just read. `sender`: who sends by hand, and the card that it comes in by."""
    hosts = _on_way(run, source, goal)
    own, comes_by = sender or (run.topology.hosts[source].address_of(goal.version), "")
    if own is None:
        raise UsageError(f"{source} has no IPv{goal.version} address in the tunnel")
    interface = run.network.interface
    cards = [s.cards[interface].mtu for s in (run.seen[n] for n in hosts) if interface in s.cards]
    room = min(cards, default=1420) - (28 if goal.version == 4 else 48)
    probe = Probe(
        own, goal, protocol, port, 96 + secrets.randbelow(400), room if protocol == "icmp" and not sender else 0
    )
    if sender:
        sending = (
            f"ping -c 3 -s {probe.size} {goal}"
            if protocol == "icmp"
            else f"something by {protocol.upper()} to {goal} port {port}"
        )
        ask(f"within {BY_HAND_S - 5} s, send it from {own}: {sending}")
    window_s = BY_HAND_S if sender else WINDOW_S
    probe_id = secrets.token_hex(4)

    def work(name: str) -> Seen:
        run.listener.event(name, Event.TRACE)
        port_there = run.topology.hosts[name].listen_port
        arrives_by = comes_by if name == source else interface
        text = program(probe, probe_id, interface, port_there, arrives_by, window_s=window_s, pcap=pcap)
        return parse(name, run.fleet.open(name).exchange(text, "follow the packet", window_s + 20), probe)

    seen, failed = run.fleet.on_hosts(hosts, work)
    if failed:
        raise HostsFailed(list(failed.values()))
    return explain.explain(run.topology, run.seen, run.keys, seen, probe, source, comes_by)


def _goal(inventory: Inventory, source: str, target: str) -> IPAddress:
    if target in inventory.members:
        own = inventory.members[source].addresses
        there = inventory.members[target]
        return next((a for a in there.addresses if any(o.version == a.version for o in own)), there.address)
    return _address(target, inventory)


def _address(text: str, inventory: Inventory) -> IPAddress:
    ip = as_ip(text)
    if ip is None:
        hint = suggest(text, inventory.members)
        raise UsageError(f'"{text}" is no host, device or address.{hint}')
    return ip
