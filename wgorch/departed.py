"""Hosts that left the inventory: torn down after a change, remembered where that fails, and forgotten for good."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace

from wgorch.apply.record import plans_to_forget, write_records
from wgorch.errors import ABSENT, DONE, HostsFailed, UsageError
from wgorch.inventory.model import Host, Inventory
from wgorch.memory import forget_member, remember, remember_teardown
from wgorch.outcome import Outcome
from wgorch.plan.host import HostPlan
from wgorch.plan.members import newest
from wgorch.run import Run
from wgorch.run_options import RunOptions
from wgorch.workflow import OpenFleet, no_consent, teardown


def prune(run: Run, outcome: Outcome, open_fleet: OpenFleet, lease_s: int) -> Outcome:
    """After a successful `up`, tear down the hosts that left the inventory, and remember what is up.

    No peer accepts them any more. Those that cannot be restored are the outcome's orphans, recorded for the next `up`.
    """
    removed = run.removed
    outcome = replace(outcome, leaving=removed)
    if not outcome.succeeded:
        return replace(outcome, orphans=dict.fromkeys(removed, ""))
    outcome = tear_down_removed(run, outcome, removed, open_fleet, lease_s)
    written = (plan.want.members for plan in outcome.plans.values())
    record = next((text for text in written if text), newest(run.seen).text)
    if outcome.removed and record:
        # It still has them as leaving; where it cannot be rewritten, the next `up` takes them down once more.
        with contextlib.suppress(HostsFailed):
            run.gather(run.present, traffic=False)
            record = write_records(run, plans_to_forget(run, outcome.removed)) or record
    orphans = {name: removed[name] for name in outcome.orphans}
    remember(run.inventory, orphans, record, is_here=not run.options.is_from_file)
    return outcome


def forget(run: Run, name: str) -> Mapping[str, HostPlan]:
    """Strike a host from the record of the members, and from this controller's memory; change nothing else.

    The plans that were carried out, by host that keeps the record. Raises HostsFailed, UsageError.
    """
    run.require_approvals()
    record, plans = newest(run.seen).text, plans_to_forget(run, [name])
    forget_member(run.network.name, name, record, write_records(run, plans))
    return plans


def tear_down_removed(
    run: Run, outcome: Outcome, removed: Mapping[str, Host], open_fleet: OpenFleet, lease_s: int
) -> Outcome:
    """Tear down each host that left the inventory; the outcome with what became of them."""
    failures = {name: _tear_down_alone(run, host, open_fleet, lease_s) for name, host in removed.items()}
    orphans = {name: why for name, why in failures.items() if why}
    restored = tuple(name for name in removed if name not in orphans)
    code = ABSENT if orphans and outcome.code == DONE else outcome.code
    return replace(outcome, code=code, leaving=removed, removed=restored, orphans=orphans)


def _tear_down_alone(run: Run, host: Host, open_fleet: OpenFleet, lease_s: int) -> str:
    """Tear down one host outside the inventory; why that failed, or an empty text."""
    alone = Inventory(run.inventory.path, run.network, {host.name: host})
    options = RunOptions(signed=run.options.signed)
    there = Run(alone, open_fleet(alone), run.listener, run.playbooks, options)
    # Taking it down is part of a change that has its approvals, by the rule that was in force.
    there.approved, there.is_approved = run.approved, run.is_approved
    try:
        outcome = teardown(there, no_consent, lease_s=lease_s)
    except (HostsFailed, UsageError) as error:
        return str(error)
    finally:
        there.fleet.close()
    return "" if outcome.code == DONE else "\n".join(map(str, outcome.failed)) or "rolled back"


def tear_down_rest(run: Run, outcome: Outcome, open_fleet: OpenFleet, lease_s: int) -> Outcome:
    """After a successful `teardown`, tear down the hosts that left the inventory.

    The record is gone by now: only this controller remembers those that could not be restored.
    """
    removed = run.removed
    if not removed or not outcome.succeeded:
        return outcome
    outcome = tear_down_removed(run, outcome, removed, open_fleet, lease_s)
    remember_teardown(run.inventory, run.absent, {name: removed[name] for name in outcome.orphans})
    return outcome
