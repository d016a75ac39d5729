"""Measure from all hosts at once, and judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wgorch.events import Event
from wgorch.inventory.model import IPAddress
from wgorch.run import Run
from wgorch.verify import measure
from wgorch.verify.diagnose import Finding, Since, Verdict, diagnose


def verify_hosts(
    run: Run,
    names: list[str],
    since: Mapping[str, Since],
    before: Mapping[str, str] | None = None,
    left_out: Iterable[str] = (),
) -> Verdict:
    """Measure from all of `names` at once, and judge. `before`: a program for each host that rides along."""
    network = run.network
    topology = run.topology
    checks = run.playbooks.checks
    asked = frozenset(names)

    def work(name: str) -> measure.Measured:
        run.listener.event(name, Event.VERIFY)
        mtu = _mtu(run, name)

        def from_here(peer: str) -> bool:
            # An answer is as large as what it answers: one end is enough, if both are asked and take packets of one size.
            return peer not in asked or _mtu(run, peer) != mtu or measure.first(topology, name, peer)

        addresses = measure.targets(topology, name, checks, frozenset(left_out), from_here)
        addresses = [address for address in addresses if not _is_own(run, name, address)]
        peers = [peer for peer in topology.peers(name) if from_here(peer)] if "full_size" in checks else []
        direct = [address for peer in peers for address in topology.hosts[peer].addresses]
        real = [run.inventory.hosts[name].real_address(address) for address in addresses]
        program = measure.program(
            network.interface, real, direct, mtu, measure.PATIENCE_S, (before or {}).get(name, "")
        )
        text = run.fleet.open(name).exchange(program, "measure paths", measure.PATIENCE_S + 30)
        run.listener.event(name, Event.VERIFIED)
        return measure.parse(name, text, addresses)

    measured, failed = run.fleet.on_hosts(names, work)
    verdict = diagnose(topology, measured, run.keys, since, checks)
    lost = tuple(Finding(name, f"could not be asked: {error.problem}") for name, error in failed.items())
    return Verdict(verdict.measured, (*verdict.findings, *lost))


def _is_own(run: Run, name: str, address: IPAddress) -> bool:
    """True for an address in a host's LAN that the host itself has: that it answers itself proves nothing."""
    host, seen = run.inventory.hosts[name], run.seen.get(name)
    in_lan = any(address in lan for lan in host.subnets)
    return bool(in_lan and seen and any(own.ip == host.real_address(address) for _, own in seen.links.addresses))


def _mtu(run: Run, name: str) -> int:
    seen = run.seen.get(name)
    card = seen.links.devices.get(run.network.interface) if seen else None
    return card.mtu if card else 1420


def exchanges(run: Run) -> dict[str, int]:
    """The round trips that each host cost so far."""
    return {name: shell.exchanges for name, shell in run.fleet.shells.items()}
