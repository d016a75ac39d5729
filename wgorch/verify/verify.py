"""Measure from all hosts at once, and judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wgorch.base.sh import EMPTY, Sh
from wgorch.events import Event
from wgorch.facts.path_mtu import DEFAULT_MTU
from wgorch.inventory.model import IPAddress
from wgorch.run import Run
from wgorch.verify import arrivals, measure
from wgorch.verify.diagnose import Since, Verdict, diagnose
from wgorch.verify.finding import Finding
from wgorch.verify.targets import NONE, Skipped, flows, measures_pair, targets


def verify_hosts(
    run: Run,
    names: list[str],
    since: Mapping[str, Mapping[str, Since]],
    before: Mapping[str, Sh] | None = None,
    skipped: Skipped = NONE,
) -> Verdict:
    """Measure from all of `names` at once, and judge; absent hosts take no part.

    `before`: a script for each host that runs first; `skipped`: other hosts that take no part.
    """
    measured_hosts, absent = frozenset(names), frozenset(run.absent)
    skipped = Skipped(skipped.ends | absent, skipped.transit | absent)

    def work(name: str) -> measure.Measurement:
        run.listener.event(name, Event.VERIFY)
        targets = _targets(run, name, measured_hosts, skipped)
        real_address = run.inventory.hosts[name].real_address
        real = [real_address(address) for address in targets.addresses]
        tried = [flow._replace(to=real_address(flow.address)) for flow in targets.flows]
        first = (before or {}).get(name, EMPTY)
        script = measure.script(
            _interfaces(run, name),
            targets._replace(addresses=real, flows=tried),
            _mtu(run, name),
            measure.PATIENCE_S,
            first,
        )
        text = run.fleet.open(name).exchange(script, "measure", measure.PATIENCE_S + 40)
        run.listener.event(name, Event.VERIFIED)
        return measure.parse(name, text, targets)

    flows_of = {name: flows(run.topology, name, skipped) for name in names if "flows" in run.playbooks.checks}
    watch = arrivals.begin(run, names, [flow for some in flows_of.values() for flow in some])
    measured, failed = run.fleet.on_hosts(names, work)
    measured = arrivals.finish(run, watch, measured)
    judged = (run.playbooks.checks, run.broken_before, run.avoided)
    verdict = diagnose(run.topology, measured, run.keys, since, *judged)
    lost = tuple(Finding(name, f"not measured: {error.problem}") for name, error in failed.items())
    return replace(verdict, findings=(*verdict.findings, *lost))


def exchanges(run: Run) -> dict[str, int]:
    """Number of round trips so far, by host."""
    return {name: shell.exchanges for name, shell in run.fleet.shells.items()}


def _targets(run: Run, name: str, measured_hosts: frozenset[str], skipped: Skipped) -> measure.Targets:
    """What a host measures."""
    topology, checks = run.topology, run.playbooks.checks

    def measures(peer: str) -> bool:
        # A reply is as large as its request: one end is enough, if both are measured and have the same MTU.
        one_end = peer in measured_hosts and _mtu(run, peer) == _mtu(run, name)
        return not one_end or measures_pair(topology, name, peer)

    addresses = targets(topology, name, checks, skipped, measures)
    peers = [peer for peer in topology.peers(name) if measures(peer)] if "full_size" in checks else []
    full_size = [address for peer in peers for address in topology.hosts[peer].addresses]
    return measure.Targets(
        [a for a in addresses if not _is_own(run, name, a) and not _is_silent(run, name, a)],
        full_size,
        flows(topology, name, skipped) if "flows" in checks else [],
        _relays(run, name, skipped) if "handshakes" in checks else {},
    )


def _interfaces(run: Run, name: str) -> tuple[str, ...]:
    """The network's interfaces on a host, as they are to be."""
    return run.topology.desired(name).interfaces


def _relays(run: Run, name: str, skipped: Skipped) -> dict[str, IPAddress]:
    """The relays that a host chooses between, by interface: the one that is not used just now must work, too."""
    desired, hosts = run.topology.desired(name), run.topology.hosts
    out = skipped.ends | skipped.transit | {n for n, seen in run.seen.items() if seen.failover.drained}
    left = run.seen[name].failover.left if name in run.seen else frozenset()
    return {
        c.interface: hosts[c.relay].address for c in desired.choices if c.relay not in out and c.interface not in left
    }


def _is_own(run: Run, name: str, address: IPAddress) -> bool:
    """True for an address in a host's LAN that the host itself has: its own reply proves nothing."""
    host, facts = run.inventory.hosts[name], run.seen.get(name)
    in_lan = run.inventory.is_in_lan(name, address)
    return bool(in_lan and facts and any(own.ip == host.real_address(address) for _, own in facts.links.addresses))


def _is_silent(run: Run, name: str, address: IPAddress) -> bool:
    """True for a drained relay's address where a host has no other path to it: it answers no ping of its own sessions."""
    drained = (n for n, seen in run.seen.items() if seen.failover.drained)
    chooses = run.topology.desired(name).choices or run.inventory.hosts[name].relay
    return not chooses and any(address in run.topology.hosts[n].addresses for n in drained)


def _mtu(run: Run, name: str) -> int:
    """MTU of a host's tunnel interface, in bytes."""
    facts = run.seen.get(name)
    device = facts.links.devices.get(run.network.interface) if facts else None
    return device.mtu if device else DEFAULT_MTU
