"""Roll a change out: lock, apply, verify, confirm across hosts, in order; and every rollback."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from wgorch.apply.interrupts import Interrupted, Interrupts, cut_short
from wgorch.apply.transaction import Transaction
from wgorch.errors import DONE, HELD, MIXED, ROLLED_BACK, Garbled, HostError, HostsFailed
from wgorch.events import Event
from wgorch.facts.grammar import NotAnAnswer, public_key
from wgorch.gather.observed import Observed
from wgorch.outcome import HostOutcome, HostState, Outcome
from wgorch.plan.host import HostPlan
from wgorch.plan.preshared import new_secrets
from wgorch.run import Run
from wgorch.verify.diagnose import Since, Verdict
from wgorch.verify.finding import Finding
from wgorch.verify.sessions import new_sessions
from wgorch.verify.targets import NONE, Skipped
from wgorch.verify.verify import exchanges, verify_hosts


@dataclass
class Rollout:
    """The phases of one change, in order; a failure in any of them rolls back."""

    run: Run
    transaction: Transaction
    interrupts: Interrupts
    plans: dict[str, HostPlan]
    hold_s: int = 0
    """Seconds for which a proven change stands unconfirmed; 0: it is confirmed at once."""
    failed: list[HostError] = field(default_factory=list)
    shown: Mapping[str, HostPlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shown = dict(self.plans)

    def up(self, proof: Callable[[], bool] | None = None) -> Outcome:
        """Apply the changes of `up`; `proof`: what proves them in place of verifying the whole network."""
        return self._with_an_end(lambda: self._up(proof), "keep")

    def down(self, keep: str) -> Outcome:
        """Apply the changes of `teardown`: spokes first, so that no spoke loses its relay before it is done.

        `keep`: remove or purge, with ``+history`` where the revisions and the journals stay.
        """
        return self._with_an_end(lambda: self._down(keep), keep)

    # --- phases

    def _with_an_end(self, change: Callable[[], Outcome], keep: str) -> Outcome:
        """Change the hosts; whatever is raised meanwhile, none is left locked or in the middle of a change."""
        try:
            return change()
        except Exception as error:
            if isinstance(error, HostsFailed | Interrupted) and not self.transaction.standing:
                raise  # before a host was changed, with its locks released
            problem = f"{type(error).__name__}: {error}"
            hint = "please report this, with the journal of the run"
            self.failed.append(HostError("wgorch", "go on", problem, hint))
            standing = self.transaction.standing
            confirmed = {
                n: p for n, p in self.plans.items() if n in standing and standing[n].state is HostState.APPLIED
            }
            if not confirmed:
                return self._roll_back("an unforeseen error")
            # What has confirmed cannot be rolled back any more: it is finished, and the others are not left between.
            others = [n for n in self.plans if n in standing and standing[n].state is HostState.UNCONFIRMED]
            self.transaction.roll_back(others, "an unforeseen error")
            self.plans = confirmed
            return self._finish(keep, None)

    def _up(self, proof: Callable[[], bool] | None) -> Outcome:
        before = {name: seen.wg(self.run.network).traffic for name, seen in self.run.seen.items()}
        self._lock()
        self._plan_again()
        clocks = new_sessions(self.run, self.plans, before)
        try:
            if not self._in_order(self._apply):
                return self._roll_back("the change failed")
            with cut_short(self.interrupts, self.run.fleet.shells):
                verdict = None if proof else self._verify(clocks)
            if self.interrupts.asked:
                return self._roll_back("interrupted")
            if proof and not proof():
                return self._roll_back("no proof that it works")
            if verdict and not verdict.works:
                with cut_short(self.interrupts, self.run.fleet.shells):
                    verdict = self._with_cause(verdict)
                return self._roll_back("verification failed", verdict)
            if self.hold_s:
                return self._hold(verdict)
            if not self._confirm():
                return self._roll_back("a host did not confirm", verdict)
            return self._finish("keep", verdict)
        except KeyboardInterrupt:
            return self._abandon()

    def _hold(self, verdict: Verdict | None) -> Outcome:
        """Leave the change for people to look at: each host rolls it back at the end unless it is confirmed before."""
        hosts, hold = sorted(self.plans), self.transaction.hold
        if not self._on_hosts(lambda name: hold(name, self.plans[name], self.hold_s, hosts), hosts):
            return self._roll_back("a host did not hold the change", verdict)
        return self._outcome(HELD, verdict)

    def _down(self, keep: str) -> Outcome:
        self._lock()
        try:
            order = self._order()[::-1]
            if not all(self._on_hosts(self._apply, group) for group in order):
                return self._roll_back("the change failed")
            if not self._check_ssh():
                return self._roll_back("SSH was lost")
            if not all(self._on_hosts(self.transaction.confirm, group, confirming=True) for group in order):
                return self._roll_back("a host did not confirm")
            return self._finish(keep, None)
        except KeyboardInterrupt:
            return self._abandon()

    def _lock(self) -> None:
        plans, seen = self.plans, self.run.seen
        secrets = new_secrets(self.run.topology, seen, plans, self.run.classical)

        def work(name: str) -> Observed:
            return self.transaction.lock(name, plans[name], seen[name], secrets.get(name, {}))

        again, failed = self.run.fleet.on_hosts(plans, work)
        if failed:
            self._release(list(failed.values()))
        self.run.seen.update(again)
        self._check_interrupt()

    def _plan_again(self) -> None:
        """Plan again, now that every host has its key: the same plan with the keys in it."""
        try:
            for name in self.plans:
                seen = self.run.seen[name]
                try:
                    public_key(seen.keys.public)
                except NotAnAnswer as error:
                    raise HostsFailed([Garbled(name, "read its public key", str(error))]) from None
            again = self.run.plans()
        except HostsFailed as error:
            self._release(list(error.errors))
        # A host whose only change was its key, or whose peers' keys were not known yet, is planned anew.
        self.plans = {name: again[name] for name in again if name in self.plans}

    def _apply(self, name: str) -> None:
        self.run.seen[name] = self.transaction.apply(name, self.plans[name], self.run.seen[name])

    @property
    def _last(self) -> frozenset[str]:
        seen, run = self.run.seen, self.run
        return run.rotating | {n for n in self.plans if n in seen and run.through_tunnel(n)}

    def _order(self) -> list[list[str]]:
        """Relays first, then the others: a first handshake to a relay without an entry for the host costs 5 s.

        Relays with new sessions go one after the other: two that begin a handshake with each other in the same moment
        refuse it, and repeat it every 5 s, again in the same moment. Hosts with a new key come last, when all their peers
        have it; so do those reached through the tunnel itself.
        """
        last = self._last
        relays = [n for n in self.plans if self.run.inventory.hosts[n].endpoint and n not in last]
        others = [n for n in self.plans if n not in relays and n not in last]
        choices = self.run.topology.relays if len(self.run.topology.relays) > 1 else ()
        new = [n for n in relays if n in choices and self.plans[n].has_new_interfaces][1:]
        rotating = [n for n in self.plans if n in last and n in choices]
        groups = (
            [n for n in relays if n not in new],
            *([n] for n in new),
            others,
            *([n] for n in rotating),
            [n for n in self.plans if n in last and n not in rotating],
        )
        return [group for group in groups if group]

    def _in_order(self, work: Callable[[str], object]) -> bool:
        return all(self._on_hosts(work, group) for group in self._order())

    def _confirm(self) -> bool:
        """Confirm on all hosts at once, to keep the mixed moment short; those that come last, last."""
        last = self._last
        groups = ([n for n in self.plans if n not in last], [n for n in self.plans if n in last])
        return all(self._on_hosts(self.transaction.confirm, group, confirming=True) for group in groups)

    def _on_hosts(self, work: Callable[[str], object], names: list[str], *, confirming: bool = False) -> bool:
        names = [name for name in names if name in self.plans]
        _, failed = self.run.fleet.on_hosts(names, work)
        self.failed += failed.values()
        for name, error in failed.items():
            self.run.listener.event(name, Event.FAILED, str(error))
        return not failed and (confirming or not self.interrupts.asked)

    def _verify(self, clocks: Mapping[str, Mapping[str, Since]]) -> Verdict:
        old = [name for name in self.plans if self.transaction.is_old(name)]
        renew = dict.fromkeys(old, self.transaction.renew())
        aside = ThreadPoolExecutor(1)
        try:
            ssh_check = aside.submit(self._check_ssh)
            verdict = verify_hosts(self.run, self.run.present, clocks, renew, self._skipped())
        finally:
            aside.shutdown(wait=False)  # a second Ctrl-C must not wait for it
        measured = verdict.measured
        if self.interrupts.asked:
            return verdict
        ended = [n for n in old if n in measured and not self.transaction.renewed(measured[n].output_before)]
        findings = [Finding(name, "its lease ended before it was renewed") for name in ended]
        findings += verdict.findings
        if not ssh_check.result():
            findings += [Finding(e.host, f"SSH is lost: {e.problem}") for e in self.failed]
        return replace(verdict, findings=tuple(findings))

    def _skipped(self) -> Skipped:
        """With a limit only paths among the hosts that it names are proof, and none through a host without the tunnel."""
        run = self.run
        if not run.options.limit:
            return NONE
        beyond = frozenset(run.inventory.hosts) - frozenset(run.names)
        down = (n for n in beyond if n in run.seen and not run.seen[n].is_managed(run.network))
        return Skipped(beyond, frozenset(down))

    def _with_cause(self, verdict: Verdict) -> Verdict:
        """Trace the first lost packet while the change still stands, where the lease leaves the time."""
        from wgorch.trace.follow import with_cause  # seldom needed
        from wgorch.trace.observe import WINDOW_S

        if self.transaction.lease_s < 4 * WINDOW_S:
            return verdict
        return with_cause(self.run, verdict)

    def _check_ssh(self) -> bool:
        """Open a new connection to every host's sshd, by the same route as the session."""
        _, failed = self.run.fleet.on_hosts(self.plans, self.transaction.check_ssh, aside=True)
        self.failed += failed.values()
        return not failed

    def _finish(self, keep: str, verdict: Verdict | None) -> Outcome:
        plans = self.plans
        self.transaction.keep_heads(() if keep == "keep" or keep.endswith("+history") else plans)
        _, failed = self.run.fleet.on_hosts(plans, lambda name: self.transaction.finish(name, plans[name], keep))
        self.failed += failed.values()
        for name, error in failed.items():
            self.transaction.standing[name] = HostOutcome(HostState.APPLIED, f"confirmed, but: {error.problem}")
        return self._outcome(MIXED if self.failed else DONE, verdict)

    # --- rollback

    def _release(self, errors: list[HostError]) -> None:
        """Release the locks before anything was changed. Raises HostsFailed."""
        self.transaction.unlock(self.plans)
        raise HostsFailed(errors)

    def _check_interrupt(self) -> None:
        if self.interrupts.asked:
            self.transaction.unlock(self.plans)
            raise Interrupted("interrupted; nothing was changed", self.interrupts.asked)

    def _roll_back(self, why: str, verdict: Verdict | None = None) -> Outcome:
        touched = [name for name in self.shown if name in self.transaction.standing]
        self.transaction.unlock([name for name in self.plans if name not in touched])
        self.transaction.roll_back(
            [n for n in touched if self.transaction.standing[n].state is not HostState.ROLLED_BACK], why
        )
        old = all(self.transaction.standing[name].state is HostState.ROLLED_BACK for name in touched)
        restored = 128 + self.interrupts.asked if self.interrupts.asked else ROLLED_BACK
        return self._outcome(restored if old else MIXED, verdict)

    def _abandon(self) -> Outcome:
        """Leave at a second Ctrl-C: the leases roll back what is not confirmed."""
        for name, end in self.transaction.armed.items():
            if self.transaction.standing[name].state is HostState.UNCONFIRMED:
                left = max(0, round(end - time.monotonic()))
                self.transaction.standing[name] = HostOutcome(HostState.UNKNOWN, f"rolls back within {left} s")
        return self._outcome(MIXED, None)

    def _outcome(self, code: int, verdict: Verdict | None) -> Outcome:
        standing = {name: self.transaction.standing.get(name, HostOutcome()) for name in self.shown}
        return Outcome(
            code,
            self.shown,
            verdict,
            standing,
            tuple(self.failed),
            exchanges(self.run),
            self.run.fleet.handshakes,
        )
