"""Changes that are held: proven, in force, and unconfirmed until a person confirms them or rolls them back."""

from __future__ import annotations

from wgorch.apply.interrupts import Interrupts
from wgorch.apply.transaction import Transaction
from wgorch.errors import DONE, MIXED, ROLLED_BACK, HostsFailed, Unfit, UsageError
from wgorch.outcome import HostOutcome, HostState, Outcome, with_absent
from wgorch.plan.hold import Held, held_changes
from wgorch.run import Run


def confirm(run: Run) -> Outcome:
    """Make held changes last on all of their hosts; where one cannot, all of them roll back. Raises HostsFailed."""
    with Interrupts():
        changes = [change for change in _read(run) if change.left_s]
        if not changes:
            raise _no_change(run)
        if lost := [error for change in changes if not change.is_confirmed for error in _lost(run, change)]:
            raise HostsFailed(lost)
        return with_absent(run.absent, _joined([_confirm(run, change) for change in changes]))


def roll_back(run: Run) -> Outcome:
    """Roll held changes back on every host that can be reached. Raises HostsFailed."""
    with Interrupts():
        changes = _read(run)
        outcomes = [_roll_back(run, _transaction(run, change), "asked", DONE) for change in changes]
        known = run.inventory.hosts
        beyond = {name for change in changes for name in change.hosts if name not in known}
        if beyond:
            unknown = {name: HostOutcome(HostState.UNKNOWN, "not in this inventory") for name in sorted(beyond)}
            outcomes.append(Outcome(MIXED, standing=unknown))
        return with_absent(run.absent, _joined(outcomes))


def _read(run: Run) -> list[Held]:
    """Raises UsageError where no change is held, HostsFailed where no host is read."""
    failed = run.gather(run.inventory.hosts, tolerant=True, traffic=False)
    if not run.seen:
        raise HostsFailed(list(failed.values()))
    if changes := held_changes(run.seen):
        return changes
    raise _no_change(run)


def _no_change(run: Run) -> UsageError:
    return UsageError(f"no change of network {run.network.name} is held", "wgorch up --hold 30m holds one")


def _lost(run: Run, change: Held) -> list[Unfit]:
    """Hosts without which a change cannot be confirmed."""
    hint = "wgorch rollback, which rolls it back on the others"
    found = []
    for name in change.gone:
        problem = "it rolled the change back" if name in run.seen else "it is not reached"
        if name in run.seen and name in change.by_host:
            problem = "it has restarted, and runs what was confirmed before"
        found.append(Unfit(name, "confirm the change", problem, hint))
    return found


def _transaction(run: Run, change: Held) -> Transaction:
    standing = {name: HostOutcome(HostState.UNCONFIRMED, "held") for name in change.by_host}
    return Transaction(run.network, run.fleet, run.asks, run.listener, change_id=change.change_id, standing=standing)


def _confirm(run: Run, change: Held) -> Outcome:
    transaction = _transaction(run, change)
    pending = [name for name, hold in change.by_host.items() if not hold.is_confirmed]
    _, failed = run.fleet.on_hosts(pending, transaction.confirm)
    if failed:
        outcome = _roll_back(run, transaction, "a host did not confirm", ROLLED_BACK)
        return Outcome(outcome.code, standing=outcome.standing, failed=(*failed.values(), *outcome.failed))
    transaction.keep_heads()
    _, failed = run.fleet.on_hosts(change.by_host, transaction.finish_held)
    for name, error in failed.items():
        transaction.standing[name] = HostOutcome(HostState.APPLIED, f"confirmed, but: {error.problem}")
    return Outcome(MIXED if failed else DONE, standing=transaction.standing, failed=tuple(failed.values()))


def _roll_back(run: Run, transaction: Transaction, why: str, code: int) -> Outcome:
    standing = transaction.standing
    transaction.roll_back(list(standing), why)
    restored = all(its.state is HostState.ROLLED_BACK for its in standing.values())
    return Outcome(code if restored else MIXED, standing=standing)


def _joined(outcomes: list[Outcome]) -> Outcome:
    """Several outcomes as one; the highest code counts."""
    return Outcome(
        max(outcome.code for outcome in outcomes),
        standing={name: its for outcome in outcomes for name, its in outcome.standing.items()},
        failed=tuple(error for outcome in outcomes for error in outcome.failed),
    )
