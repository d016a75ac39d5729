"""The verbs that plan and change, as tables of contents; they print nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from wgorch.apply.interrupts import Interrupts
from wgorch.apply.lease import LEASE_S, RECENT_S
from wgorch.apply.rollout import Rollout
from wgorch.apply.transaction import Transaction
from wgorch.apply.upload import referee
from wgorch.base.wgkey import names_by_key
from wgorch.errors import DIFFERS, DONE, LOCKED, MIXED, ROLLED_BACK, HostError, HostsFailed, Unfit, UsageError
from wgorch.events import Event
from wgorch.gather.observed import Observed
from wgorch.inventory.dump import digest
from wgorch.inventory.model import Inventory, Network
from wgorch.memory import remember_teardown
from wgorch.outcome import Outcome, with_absent
from wgorch.plan.blockers import file_blockers, format_blockers, mark_blockers, unreadable_blockers
from wgorch.plan.host import HostPlan, plan_teardown
from wgorch.plan.policy import ends_within
from wgorch.plan.scope import baseline
from wgorch.remote.fleet import Fleet
from wgorch.run import Run
from wgorch.verify.diagnose import broken_pairs
from wgorch.verify.finding import Pair
from wgorch.verify.targets import Skipped
from wgorch.verify.verify import exchanges, verify_hosts

Consent = Callable[[Mapping[str, HostPlan]], bool | None]
"""Takes the plans and raises to refuse them; True after a prompt, since facts are then too old to be reused."""


OpenFleet = Callable[[Inventory], Fleet]
"""Makes the fleet of an inventory."""


# --- change


def plan(run: Run) -> Outcome:
    """Plan what `up` would change; read-only."""
    run.gather(run.involved, traffic=False)
    return plan_of(run)


def plan_of(run: Run) -> Outcome:
    """The plan by what is known of the hosts."""
    plans, removed = run.plans(), run.removed
    differs = removed or any(p.changes for p in plans.values())
    return with_absent(run.absent, Outcome(DIFFERS if differs else DONE, plans, leaving=removed))


def up(
    run: Run,
    consent: Consent,
    *,
    lease_s: int = LEASE_S,
    hold_s: int = 0,
    exact: bool = False,
    transaction_type: type[Transaction] = Transaction,
) -> Outcome:
    """Bring the network up as the inventory says, or roll every host back.

    `hold_s`: seconds for which the proven change waits for `confirm`; 0: it is confirmed at once. `exact`: make this
    change and no other, with no second try at another MTU. `transaction_type`: how each host is changed; a benchmark
    measures what the steps of a safe change cost.
    """
    with Interrupts() as interrupts:
        roll_out = partial(_roll_out, run, interrupts, lease_s, hold_s, transaction_type)
        outcome = roll_out(consent)
        if outcome.code == ROLLED_BACK and not exact and (mtu := _working_mtu(outcome)):
            # No router on the path reports its limit; only the tunnel itself shows it.
            run.max_mtu = mtu
            outcome = roll_out(no_consent)
        if outcome.code == ROLLED_BACK and (broken := _broken_before(run, outcome)):
            run.broken_before = broken
            outcome = roll_out(consent if exact else no_consent)
        run.rotating = frozenset()
        if outcome.code == DONE and not exact and run.network.direct and (outcome.standing or run.options.try_direct):
            run.require_approvals()
            outcome = _try_direct(run, outcome, interrupts, lease_s)
        return with_absent(run.absent, outcome)


def _broken_before(run: Run, outcome: Outcome) -> frozenset[Pair]:
    """What does not work now that the change is rolled back, if that is all that failed under it; else nothing.

    A path is compared only where every host on it had the tunnel before: what a new host lacks is no excuse.
    """
    verdict = outcome.verdict
    if not verdict or not all(finding.pair for finding in verdict.findings if finding.host != "wgorch"):
        return frozenset()
    run.gather(run.involved)
    old = [name for name in run.present if run.seen[name].is_managed(run.network)]
    new = frozenset(run.inventory.hosts) - frozenset(old)
    before = broken_pairs(verify_hosts(run, old, {}, skipped=Skipped(new, new))) if old else frozenset()
    return before if broken_pairs(verdict) <= before else frozenset()


def teardown(
    run: Run,
    consent: Consent,
    *,
    lease_s: int = LEASE_S,
    purge: bool = False,
    packages: bool = False,
    history: bool = False,
) -> Outcome:
    """Remove everything that wgorch manages, and restore the recorded values.

    `purge`: keys too; `packages`: those that it installed, too; `history`: all but the revisions and the journals.
    """
    with Interrupts() as interrupts:
        run.gather(run.names, preload=referee())
        _take_interface_of_hosts(run)
        plans = _teardown_plans(run, purge=purge, packages=packages, history=history)
        hint = "give SSH another path, or run wgorch on the host itself: ssh: local"
        _refuse_to_cut_ssh(run, plans, "remove the tunnel", hint)
        interrupts.check()
        changing = {n: p for n, p in plans.items() if p.changes or _leftovers(run.seen[n], history=history)}
        if changing:
            run.require_approvals()
        asked = consent(plans)
        interrupts.check()
        if not changing:
            others = {name: found for name, seen in run.seen.items() if (found := seen.other_networks(run.network))}
            return with_absent(run.absent, Outcome(DONE, plans, others=others))
        transaction = _transaction(run, changing, lease_s, asked)
        outcome = Rollout(run, transaction, interrupts, changing).down(
            ("purge" if purge else "remove") + ("+history" if history else "")
        )
        if outcome.code == DONE and not run.options.limit and run.inventory.path:
            # What left may still carry it: tear_down_rest says so.
            remember_teardown(run.inventory, {*run.absent, *run.removed}, {})
        return with_absent(run.absent, outcome)


def _take_interface_of_hosts(run: Run) -> None:
    """Tear down the interface that carries the network's mark, where the inventory has another name for it by now.

    Raises HostsFailed where hosts disagree.
    """
    network = run.network
    found = {name: [i for i in seen.marked(network) if not network.may_have(i)] for name, seen in run.seen.items()}
    others = {interface for interfaces in found.values() for interface in interfaces}
    if not others:
        return
    first = min(others, key=lambda name: (len(name), name))
    mixed = not all(map(replace(network, interface=first).may_have, others)) or any(
        network.interface in seen.marked(network) for seen in run.seen.values()
    )
    if mixed:
        hint = "set network.interface to each in turn, and tear it down"
        problem = f"network {network.name} runs as {', '.join(sorted(others))}, not everywhere as {network.interface}"
        raise HostsFailed([Unfit(name, "tear down", problem, hint) for name, its in found.items() if its])
    run.rename_interface(first)
    run.gather(run.names)


def _roll_out(
    run: Run,
    interrupts: Interrupts,
    lease_s: int,
    hold_s: int,
    transaction_type: type[Transaction],
    consent: Consent,
) -> Outcome:
    """Gather, plan, ask for consent, and change the hosts whose plan has changes."""
    # A new key of an old peer is proven by a handshake that is newer than the latest one.
    handshakes = bool(run.rotating) or run.network.preshared_keys
    run.gather(run.involved, traffic=handshakes, preload=referee())
    interrupts.check()
    plans = run.plans()
    if not handshakes and any(plan.loses_preshared for plan in plans.values()):
        run.gather(run.involved)
        plans = run.plans()
    changing = {name: p for name, p in plans.items() if p.changes}
    if changing:
        run.require_approvals()
    asked = consent(plans)
    interrupts.check()
    if not run.options.may_lose_ssh:
        hint = "give SSH another path; or --accept-risk lose-ssh, which changes the host last and rolls back by itself"
        _refuse_to_cut_ssh(run, plans, "change the tunnel", hint)
    if hold_s and (ending := ends_within(plans, run.seen, hold_s)):
        problem = f"a line of the policy ends during the hold on {', '.join(ending)}"
        raise UsageError(problem, "hold for a shorter time, or take the line out")
    if not changing:
        return Outcome(DONE, plans, exchanges=exchanges(run), handshakes=run.fleet.handshakes)
    transaction = _transaction(run, changing, lease_s, asked, transaction_type)
    return Rollout(run, transaction, interrupts, changing, hold_s).up()


def no_consent(_plans: Mapping[str, HostPlan]) -> None:
    """Consent that was given before."""


def until_unlocked(run: Run, wait_s: float, change: Callable[[], Outcome]) -> Outcome:
    """A change that is tried again while another run holds a lock, for some seconds. Raises HostsFailed."""
    end = time.monotonic() + wait_s
    while True:
        try:
            return change()
        except HostsFailed as error:
            if error.exit_code != LOCKED or time.monotonic() >= end:
                raise
            for locked in error.errors:
                run.listener.event(locked.host, Event.WAITING, f"for another run: {locked.problem}")
            time.sleep(min(LOOK_EVERY_S, max(0.0, end - time.monotonic())))


LOOK_EVERY_S = 2
"""Seconds between two looks at a lock of another run."""


def _refuse_to_cut_ssh(run: Run, plans: Mapping[str, HostPlan], action: str, hint: str) -> None:
    cut = [name for name, p in plans.items() if p.do and run.through_tunnel(name)]
    if cut:
        raise HostsFailed([Unfit(name, action, "SSH to the host runs through that tunnel", hint) for name in cut])


def _transaction(
    run: Run,
    plans: Mapping[str, HostPlan],
    lease_s: int,
    asked: bool | None,
    transaction_type: type[Transaction] = Transaction,
) -> Transaction:
    recent_s = 0 if asked else RECENT_S
    made = transaction_type(run.network, run.fleet, run.asks, run.listener, lease_s, recent_s)
    revision = next((plan.want.revision.split(" ")[0] for plan in plans.values() if plan.writes_record), "")
    words = {
        "revision": revision,
        "inventory": digest(run.inventory) if run.inventory.path else "",
        "approved": re.sub(r"[^\w@.+,-]", "_", ",".join(run.approved)),
    }
    made.about = " ".join(f"{key}={text}" for key, text in words.items() if text)
    return made


def _working_mtu(outcome: Outcome) -> int:
    """The MTU with which every path would have worked if nothing else is wrong; else 0."""
    findings = outcome.verdict.findings if outcome.verdict else ()
    return min((finding.fits for finding in findings), default=0)


def _try_direct(run: Run, outcome: Outcome, interrupts: Interrupts, lease_s: int) -> Outcome:
    from wgorch.apply import direct

    tried = tuple(direct.try_all(run, interrupts, lease_s))
    code = DONE if all(pair.settled for pair in tried) else MIXED
    return replace(outcome, code=code, tried=tried, exchanges=exchanges(run))


def _teardown_plans(run: Run, *, purge: bool, packages: bool, history: bool) -> dict[str, HostPlan]:
    refused = [
        error
        for name, seen in run.seen.items()
        for blockers in (format_blockers, file_blockers, mark_blockers, _hidden_chains)
        for error in blockers(name, run.network, seen)
    ]
    if refused:
        raise HostsFailed(refused)
    names = names_by_key(run.keys)
    plans = {}
    for name, seen in run.seen.items():
        base = baseline(seen, seen.state(run.network), run.network, packages=packages)
        if history:
            base = replace(base, members=seen.state(run.network).members)
        plans[name] = plan_teardown(name, run.network, base, seen, run.playbooks.teardown, names, purge=purge)
    return plans


def _hidden_chains(name: str, network: Network, seen: Observed) -> Iterator[HostError]:
    """Tables that iptables cannot show, unless nft shows that nothing of the network is in them."""
    native = seen.firewall.natively
    if not native or f"wgorch-{network.name}" in native or network.mark in native:
        yield from unreadable_blockers(name, network, seen, ("filter", "nat", "mangle", "filter6", "nat6", "mangle6"))


def _leftovers(seen: Observed, *, history: bool) -> bool:
    kept = not history and any(entry.name == "journal" for entry in seen.files.listing)
    return seen.files.has_directory and bool(seen.files.saved or seen.files.boot or seen.files.pending or kept)
