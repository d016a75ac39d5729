"""Trace one real packet: send it at its source, and capture on every host of its path at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from wgorch.base.value import value
from wgorch.errors import HostsFailed, UsageError, WgorchError
from wgorch.events import Event
from wgorch.facts.path_mtu import DEFAULT_MTU, PING_HEADERS
from wgorch.inventory.model import IPAddress
from wgorch.run import Run
from wgorch.topology.path import walk
from wgorch.trace import explain
from wgorch.trace.capture import Capture, parse
from wgorch.trace.ends import Sender, find_sender, gather_path, goal_of, hosts_on_path, is_own
from wgorch.trace.observe import WINDOW_S, script
from wgorch.trace.probe import Probe
from wgorch.verify.diagnose import Verdict

BY_HAND_S = 25
"""Seconds that hosts capture where a person must send the packet."""


@value
class Packet:
    """What to send: a ping, or a packet to a TCP or UDP port."""

    protocol: str = "icmp"
    port: int = 0


PING = Packet()


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
    """Trace one real packet from a host to another, to a device, or to an address; leaves no change behind.

    From a device, or from a machine in a host's LAN, a person must send it: `ask` gets the instruction.
    """
    packet = Packet(protocol, port)
    if is_own(run.inventory, source, target):
        raise UsageError(f"{target} is {source} itself", "trace to another host, a device or an address")
    if source not in run.inventory.hosts:
        sender, goal = find_sender(run, source, target)
        return _by_hand(run, sender, goal, packet, pcap=pcap, ask=ask)
    gather_path(run, source, target)
    run.require(source)
    return follow(run, source, goal_of(run.inventory, source, target), packet, pcap=pcap)


def with_cause(run: Run, verdict: Verdict) -> Verdict:
    """The same verdict, led by the cause of the first failed ping.

    Where that cannot be found the verdict stays what it is: it may be all that a change under its lease waits for.
    """
    pair = first_failed(run, verdict)
    if pair is None:
        return verdict
    try:
        gather_path(run, pair[0], str(pair[1]))
        cause = follow(run, *pair).finding
    except WgorchError:
        return verdict
    if cause is None:
        return verdict
    explained = next((f for f in verdict.findings if f.pair == (pair[0], str(pair[1]))), None)
    if explained and cause.fault and cause.fault == explained.fault:
        return verdict  # measured already, with its remedy
    cause = replace(cause, pair=(pair[0], str(pair[1])), fault=explained.fault if explained else ())
    return replace(verdict, findings=(cause, *verdict.findings))


def first_failed(run: Run, verdict: Verdict) -> tuple[str, IPAddress] | None:
    """Host and address of the failed ping to trace: one of a declared flow first, and none in the host's own LAN."""
    lost = [(n, a) for n, m in verdict.measured.items() for a, ping in m.pings.items() if not ping.works]
    lost = [(n, a) for n, a in lost if not run.inventory.is_in_lan(n, a) and (n, str(a)) not in run.broken_before]
    declared = [(flow.source, flow.address) for flow in run.inventory.verify]
    return next((pair for pair in declared if pair in lost), lost[0] if lost else None)


def follow(run: Run, source: str, goal: IPAddress, packet: Packet = PING, *, pcap: bool = False) -> explain.Trace:
    """Trace a packet that a host sends; the hosts on its path were just read."""
    own = run.topology.hosts[source].address_of(goal.version)
    if own is None:
        raise UsageError(f"{source} has no IPv{goal.version} address in the tunnel", "trace an address of its family")
    full_size = _full_size(run, source, goal) if packet.protocol == "icmp" else 0
    probe = _probe(own, goal, packet, full_size)
    captures = _capture(run, source, probe, "", WINDOW_S, pcap=pcap)
    return explain.explain(run.topology, run.seen, run.all_keys, captures, probe, source, cut=run.avoided)


def _by_hand(
    run: Run, sender: Sender, goal: IPAddress, packet: Packet, *, pcap: bool, ask: Callable[[str], None]
) -> explain.Trace:
    """Trace a packet that a person sends."""
    probe = _probe(sender.address, goal, packet)
    command = f"ping -c 3 -s {probe.size} {goal}"
    if packet.protocol != "icmp":
        command = f"any {packet.protocol.upper()} packet to {goal} port {packet.port}"
    ask(f"send within {BY_HAND_S - 5} s from {sender.address}: {command}")
    captures = _capture(run, sender.host, probe, sender.arrives_by, BY_HAND_S, pcap=pcap)
    by = sender.arrives_by
    return explain.explain(run.topology, run.seen, run.all_keys, captures, probe, sender.host, by, run.avoided)


def _capture(run: Run, first: str, probe: Probe, arrives_by: str, window_s: int, *, pcap: bool) -> dict[str, Capture]:
    """Captures of all hosts on the path from the first one. Raises HostsFailed."""
    trace_id = secrets.token_hex(4)
    path = walk(run.topology, first, probe.target, cut=run.avoided)
    comes_by = dict(zip(path.hosts[1:], (by for _, by in path.tunnels), strict=False))

    def work(name: str) -> Capture:
        run.listener.event(name, Event.TRACE)
        desired = run.topology.desired(name)
        ports = (desired.host.listen_port, *desired.ports.values())
        by = arrives_by if name == first else comes_by.get(name, run.network.interface)
        text = script(probe, trace_id, desired.interfaces, ports, by, window_s=window_s, pcap=pcap)
        return parse(name, run.fleet.open(name).exchange(text, "trace the packet", window_s + 20), probe)

    present = [name for name in hosts_on_path(run, first, probe.target) if name not in run.absent]
    captures, failed = run.fleet.on_hosts(present, work)
    if failed:
        raise HostsFailed(list(failed.values()))
    return captures


def _probe(source: IPAddress, goal: IPAddress, packet: Packet, full_size: int = 0) -> Probe:
    """A probe whose size is unlikely for any other ping."""
    return Probe(source, goal, packet.protocol, packet.port, 96 + secrets.randbelow(400), full_size)


def _full_size(run: Run, source: str, goal: IPAddress) -> int:
    """ICMP payload that fills the smallest tunnel MTU on the path, in bytes."""
    path = [name for name in hosts_on_path(run, source, goal) if name in run.seen]
    devices = (run.seen[name].links.devices.get(run.network.interface) for name in path)
    mtu = min((device.mtu for device in devices if device), default=DEFAULT_MTU)
    return mtu - PING_HEADERS[goal.version]
