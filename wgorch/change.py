"""One change in its phases: lock, apply, prove, confirm; and every way back."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import FrameType

from wgorch.apply import Standing, Transaction
from wgorch.errors import (
    DONE,
    INTERRUPTED,
    MIXED,
    ROLLED_BACK,
    Garbled,
    HostError,
    HostsFailed,
    WgorchError,
)
from wgorch.facts.observed import Observed
from wgorch.facts.parse import NotAnAnswer, public_key
from wgorch.frozen import frozen
from wgorch.inventory.model import IPAddress
from wgorch.operation import Operation
from wgorch.plan import HostPlan
from wgorch.verify import measure
from wgorch.verify.diagnose import Finding, Since, Verdict, diagnose


class Interrupted(WgorchError):
    """Ctrl-C before anything was changed."""

    exit_code = INTERRUPTED


@dataclass
class Interrupts:
    """Ctrl-C: the first lets the phase end and then goes back; the second leaves at once, and the leases do the rest."""

    asked: bool = False

    def __enter__(self) -> Interrupts:
        try:
            self._before = signal.signal(signal.SIGINT, self._hear)
        except ValueError:  # not in the main thread
            self._before = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@frozen
class Tried:
    """Two hosts that were to leave their relay out; `why` they still meet there, empty where they do not.

    `settled`: their hosts are known to stand where they stood before.
    """

    one: str
    other: str
    why: str = ""
    settled: bool = True


@frozen
class Outcome:
    """How a verb ended."""

    code: int
    plans: Mapping[str, HostPlan] = field(default_factory=dict)
    verdict: Verdict | None = None
    standing: Mapping[str, Standing] = field(default_factory=dict)
    failed: tuple[HostError, ...] = ()
    exchanges: Mapping[str, int] = field(default_factory=dict)
    handshakes: int = 0
    tried: tuple[Tried, ...] = ()


@dataclass
class Phases:
    """The phases of one change, in order; whatever fails leads back."""

    operation: Operation
    run: Transaction
    interrupts: Interrupts
    plans: dict[str, HostPlan]
    keep_going: bool = False
    failed: list[HostError] = field(default_factory=list)
    shown: Mapping[str, HostPlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shown = dict(self.plans)

    def up(self, enough: Callable[[], bool] | None = None) -> Outcome:
        """Make the changes of `up`; `enough`: what proves them, where that is not the whole network's working."""
        self._lock()
        self._keys_are_known()
        clocks = self.operation.new_sessions(self.plans)
        try:
            if not self._in_order(self._apply):
                return self._back("the change failed")
            verdict = None if enough else self._prove(clocks)
            if enough and not enough():
                return self._back("what it was for did not come")
            if verdict and not verdict.works:
                return self._back("verification failed", self._with_cause(verdict))
            if not self._confirm():
                return self._back("a host did not confirm", verdict)
            return self._finish("keep", verdict)
        except KeyboardInterrupt:
            return self._left_alone()

    def down(self, keep: str) -> Outcome:
        """Make the changes of `teardown`: spokes first, so that nobody's way is taken from under them."""
        self._lock()
        try:
            order = self._order()[::-1]
            if not all(self._some(self._apply, group) for group in order):
                return self._back("the change failed")
            if not self._knock():
                return self._back("SSH was lost")
            if not all(self._some(self.run.confirm, group, confirming=True) for group in order):
                return self._back("a host did not confirm")
            return self._finish(keep, None)
        except KeyboardInterrupt:
            return self._left_alone()

    # --- phases

    def _lock(self) -> None:
        plans, seen = self.plans, self.operation.seen
        secrets = self.operation.new_secrets(plans)

        def work(name: str) -> Observed:
            return self.run.lock(name, plans[name], seen[name], secrets.get(name, {}))

        again, failed = self.operation.fleet.each(plans, work)
        if failed:
            self._give_up(list(failed.values()))
        self.operation.seen.update(again)
        self._unless_interrupted()

    def _keys_are_known(self) -> None:
        """Plan once more, now that every host has its key; what is made is what was shown, with the keys in it."""
        try:
            for name in self.plans:
                seen = self.operation.seen[name]
                try:
                    public_key(seen.key_file_public)
                except NotAnAnswer as error:
                    raise HostsFailed([Garbled(name, "learn its public key", str(error))]) from None
            again = self.operation.plans()
        except HostsFailed as error:
            self._give_up(list(error.errors))
        # A host whose only change was its key, or whose peers' keys were not known yet, is planned anew.
        self.plans = {name: again[name] for name in again if name in self.plans}

    def _apply(self, name: str) -> None:
        self.operation.seen[name] = self.run.apply(name, self.plans[name], self.operation.seen[name])

    @property
    def _comes_last(self) -> frozenset[str]:
        seen, operation = self.operation.seen, self.operation
        return operation.new_keys_for | {n for n in self.plans if n in seen and operation.through_tunnel(n)}

    def _order(self) -> list[list[str]]:
        """Relays, then the others: a first handshake to a relay that does not know the host yet costs 5 s.

        Hosts with a new key come last, when all their peers know it; so do those that we reach through the tunnel itself.
        """
        last = self._comes_last
        relays = [n for n in self.plans if self.operation.inventory.hosts[n].endpoint and n not in last]
        others = [n for n in self.plans if n not in relays and n not in last]
        return [group for group in (relays, others, [n for n in self.plans if n in last]) if group]

    def _in_order(self, work: Callable[[str], object]) -> bool:
        return all(self._some(work, group) for group in self._order())

    def _confirm(self) -> bool:
        """All at once, so that the moment in which some have and some have not is short; those that come last, last."""
        last = self._comes_last
        groups = ([n for n in self.plans if n not in last], [n for n in self.plans if n in last])
        return all(self._some(self.run.confirm, group, confirming=True) for group in groups)

    def _some(self, work: Callable[[str], object], names: list[str], *, confirming: bool = False) -> bool:
        names = [name for name in names if name in self.plans]
        _, failed = self.operation.fleet.each(names, work)
        self.failed += failed.values()
        for name, error in failed.items():
            self.operation.listener.event(name, "failed", str(error))
        if failed and self.keep_going:
            # They go back alone; the others go on without them.
            self.run.revert([n for n in failed if self.run.standing[n].state != "old"], "it failed")
            for name in failed:
                self.plans.pop(name, None)
            failed = {} if self.plans else failed
        return not failed and (confirming or not self.interrupts.asked)

    def _prove(self, clocks: Mapping[str, Since]) -> Verdict:
        old = [name for name in self.plans if self.run.is_old(name)]
        renew = dict.fromkeys(old, self.run.renew())
        left_out = set(self.shown) - set(self.plans)
        names = [name for name in self.operation.names if name not in left_out]
        aside = ThreadPoolExecutor(1)
        try:
            knocking = aside.submit(self._knock)
            verdict = measure_all(self.operation, names, clocks, renew, left_out)
        finally:
            aside.shutdown(wait=False)  # who presses Ctrl-C twice waits for nothing
        ended = [n for n, m in verdict.measured.items() if n in old and f"renewed {self.run.run} " not in m.said_before]
        if ended:
            over = tuple(Finding(name, "its lease ended before it could be renewed") for name in ended)
            verdict = Verdict(verdict.measured, (*over, *verdict.findings))
        if not knocking.result():
            lost = tuple(Finding(e.host, f"SSH is lost: {e.saw}") for e in self.failed)
            verdict = Verdict(verdict.measured, (*verdict.findings, *lost))
        if self.interrupts.asked:
            verdict = Verdict(verdict.measured, (*verdict.findings, Finding("you", "interrupted with Ctrl-C")))
        return verdict

    def _with_cause(self, verdict: Verdict) -> Verdict:
        """Where the first packet dies, asked while the change still stands; only where the lease leaves the time."""
        from wgorch.follow import with_cause  # late, as it is seldom needed
        from wgorch.trace.observe import WINDOW_S

        if self.interrupts.asked or self.run.lease_s < 4 * WINDOW_S:
            return verdict
        return with_cause(self.operation, verdict)

    def _knock(self) -> bool:
        """A new connection to every host's sshd, by the same way as the session came."""
        _, failed = self.operation.fleet.each(self.plans, self.operation.fleet.knock, aside=True)
        self.failed += failed.values()
        return not failed

    def _finish(self, keep: str, verdict: Verdict | None) -> Outcome:
        plans = self.plans
        _, failed = self.operation.fleet.each(plans, lambda name: self.run.finish(name, plans[name], keep))
        self.failed += failed.values()
        for name, error in failed.items():
            self.run.standing[name] = Standing("new", f"confirmed, but: {error.saw}")
        return self._outcome(MIXED if self.failed else DONE, verdict)

    # --- ways back

    def _give_up(self, errors: list[HostError]) -> None:
        """Nothing was changed yet: unlock and say why."""
        self.run.unlock(self.plans)
        raise HostsFailed(errors)

    def _unless_interrupted(self) -> None:
        if self.interrupts.asked:
            self.run.unlock(self.plans)
            raise Interrupted("interrupted; nothing was changed")

    def _back(self, why: str, verdict: Verdict | None = None) -> Outcome:
        touched = [name for name in self.shown if name in self.run.standing]
        self.run.unlock([name for name in self.plans if name not in touched])
        self.run.revert([n for n in touched if self.run.standing[n].state != "old"], why)
        old = all(self.run.standing[name].state == "old" for name in touched)
        return self._outcome(ROLLED_BACK if old else MIXED, verdict)

    def _left_alone(self) -> Outcome:
        """Ctrl-C twice: say where each host stands and when its lease ends."""
        for name, end in self.run.armed.items():
            if self.run.standing[name].state == "unconfirmed":
                left = max(0, round(end - time.monotonic()))
                self.run.standing[name] = Standing("unknown", f"takes itself back within {left} s")
        return self._outcome(MIXED, None)

    def _outcome(self, code: int, verdict: Verdict | None) -> Outcome:
        standing = {name: self.run.standing.get(name, Standing()) for name in self.shown}
        return Outcome(
            code,
            self.shown,
            verdict,
            standing,
            tuple(self.failed),
            exchanges(self.operation),
            self.operation.fleet.handshakes,
        )


def measure_all(
    operation: Operation,
    names: list[str],
    since: Mapping[str, Since],
    before: Mapping[str, str] | None = None,
    left_out: Iterable[str] = (),
) -> Verdict:
    """Measure from all of `names` at once, and judge. `before`: a program for each host that rides along."""
    network = operation.network
    topology = operation.topology
    checks = operation.playbooks.checks
    asked = frozenset(names)

    def work(name: str) -> measure.Measured:
        operation.listener.event(name, "verify")
        mtu = _mtu(operation, name)

        def from_here(peer: str) -> bool:
            # An answer is as large as what it answers: one end is enough, if both are asked and take packets of one size.
            return peer not in asked or _mtu(operation, peer) != mtu or measure.first(topology, name, peer)

        addresses = measure.targets(topology, name, checks, frozenset(left_out), from_here)
        addresses = [address for address in addresses if not _is_own(operation, name, address)]
        peers = [peer for peer in topology.peers(name) if from_here(peer)] if "full_size" in checks else []
        direct = [address for peer in peers for address in topology.hosts[peer].addresses]
        real = [operation.inventory.hosts[name].real_address(address) for address in addresses]
        program = measure.program(
            network.interface, real, direct, mtu, measure.PATIENCE_S, (before or {}).get(name, "")
        )
        text = operation.fleet.open(name).exchange(program, "measure", measure.PATIENCE_S + 30)
        operation.listener.event(name, "verified")
        return measure.parse(name, text, addresses)

    measured, failed = operation.fleet.each(names, work)
    verdict = diagnose(topology, measured, operation.keys, since, checks)
    lost = tuple(Finding(name, f"could not be asked: {error.saw}") for name, error in failed.items())
    return Verdict(verdict.measured, (*verdict.findings, *lost))


def _is_own(operation: Operation, name: str, address: IPAddress) -> bool:
    """True for an address in a host's LAN that the host itself has: that it answers itself proves nothing."""
    host, seen = operation.inventory.hosts[name], operation.seen.get(name)
    in_lan = any(address in lan for lan in host.subnets)
    return bool(in_lan and seen and any(own.ip == host.real_address(address) for _, own in seen.addresses))


def _mtu(operation: Operation, name: str) -> int:
    seen = operation.seen.get(name)
    card = seen.cards.get(operation.network.interface) if seen else None
    return card.mtu if card else 1420


def exchanges(operation: Operation) -> dict[str, int]:
    """The round trips that each host cost so far."""
    return {name: shell.exchanges for name, shell in operation.fleet.shells.items()}
