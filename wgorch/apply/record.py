"""Write the record of the members by itself: under each keeper's lock, without a lease, since nothing that runs changes."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from wgorch.apply.interrupts import Interrupts
from wgorch.apply.lease import LEASE_S
from wgorch.apply.transaction import Transaction
from wgorch.errors import HostsFailed
from wgorch.membership import author
from wgorch.plan.forget import plan_forget
from wgorch.plan.host import HostPlan
from wgorch.run import Run


def plans_to_forget(run: Run, names: Collection[str]) -> dict[str, HostPlan]:
    """The plans that strike hosts from the record, on those that keep it."""
    return plan_forget(run.network, run.seen, names, int(time.time()), author())


def write_records(run: Run, plans: Mapping[str, HostPlan]) -> str:
    """Carry such plans out; the text of the record. Raises HostsFailed where one could not be carried out."""
    transaction = Transaction(run.network, run.fleet, run.asks, run.listener, LEASE_S)
    done: set[str] = set()

    def work(name: str) -> None:
        transaction.lock(name, plans[name], run.seen[name], {})
        transaction.finish(name, plans[name])
        done.add(name)

    with Interrupts():  # a signal waits until no host is locked
        try:
            _, failed = run.fleet.on_hosts(plans, work)
        finally:
            transaction.unlock([name for name in plans if name not in done])
    if failed:
        raise HostsFailed(list(failed.values()))
    return next((plan.want.members for plan in plans.values()), "")
