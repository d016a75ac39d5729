"""The Python API: load an inventory, inspect the network, change it.

    from wgorch import load, plan, up

    inventory = load("inventory.yaml")
    for host, its in plan(inventory).plans.items():
        print(host, [f"{change.sign} {change.what}" for change in its.changes])
    outcome = up(inventory)
    assert outcome.code == 0 and outcome.verdict.works

Every function raises `wgorch.errors.WgorchError`; its `exit_code` is that of the command line, its text names the host,
the action, the problem and a hint. Nothing is printed, and nothing asks for confirmation: to call `up` or `teardown` is
to consent. Where `approve:` is in force both are refused: a plan that was approved is applied by ``wgorch apply``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from wgorch import departed, held, inspection, workflow
from wgorch.apply.lease import LEASE_S, check_hold, check_lease
from wgorch.events import Event, Listener
from wgorch.inventory.load import load
from wgorch.inventory.model import Inventory
from wgorch.inventory.names import check_names
from wgorch.outcome import Outcome, Status
from wgorch.plan.host import HostPlan
from wgorch.plan.playbook import load_all
from wgorch.remote.fleet import Fleet
from wgorch.remote.root import password_from
from wgorch.run import Run
from wgorch.run_options import RunOptions

__all__ = [
    "Inventory",
    "Outcome",
    "Status",
    "confirm",
    "load",
    "plan",
    "rollback",
    "status",
    "teardown",
    "up",
    "verify",
]


class _Silence:
    def event(self, host: str, event: Event, detail: str = "") -> None:
        """Ignore the event."""


def _open_fleet(inventory: Inventory) -> Fleet:
    return Fleet(inventory.hosts, password=password_from(None))


@contextmanager
def _run(inventory: Inventory, limit: frozenset[str], listener: Listener | None) -> Iterator[Run]:
    playbooks = load_all(inventory.path, None, frozenset(inventory.hosts))
    fleet = _open_fleet(inventory)
    try:
        yield Run(inventory, fleet, listener or _Silence(), playbooks, RunOptions(check_names(inventory, limit)))
    finally:
        fleet.close()


def plan(inventory: Inventory, *, limit: frozenset[str] = frozenset(), listener: Listener | None = None) -> Outcome:
    """Plan what `up` would change, and why; read-only. The code is 2 if anything differs, else 0."""
    with _run(inventory, limit, listener) as run:
        return workflow.plan(run)


def up(
    inventory: Inventory,
    *,
    limit: frozenset[str] = frozenset(),
    lease_s: int = LEASE_S,
    hold_s: int = 0,
    consent: Callable[[Mapping[str, HostPlan]], bool | None] = lambda _plans: None,
    listener: Listener | None = None,
) -> Outcome:
    """Bring the network up as the inventory says, or roll every host back.

    `limit`: change these hosts only; without it, hosts that left the inventory since the last `up` on this controller
    are torn down too (the outcome's `removed` and `orphans`). `lease_s`: seconds, 10 to 300, after which a host rolls
    back unless confirmed; `hold_s`: seconds, 30 to 86400, for which the proven change waits for `confirm` or `rollback` (the
    code is then 8). `consent`: takes the plans, raises to refuse them, and returns True after a prompt.
    """
    check_lease(lease_s)
    check_hold(hold_s)
    with _run(inventory, limit, listener) as run:
        outcome = workflow.up(run, consent, lease_s=lease_s, hold_s=hold_s)
        return departed.prune(run, outcome, _open_fleet, lease_s)


def confirm(inventory: Inventory, *, listener: Listener | None = None) -> Outcome:
    """Make a held change last on all of its hosts, or roll it back on all of them."""
    with _run(inventory, frozenset(), listener) as run:
        return held.confirm(run)


def rollback(inventory: Inventory, *, listener: Listener | None = None) -> Outcome:
    """Roll a held change back on all of its hosts."""
    with _run(inventory, frozenset(), listener) as run:
        return held.roll_back(run)


def teardown(
    inventory: Inventory, *, purge: bool = False, lease_s: int = LEASE_S, listener: Listener | None = None
) -> Outcome:
    """Remove the network and restore every host; `purge`: delete the private keys too."""
    check_lease(lease_s)
    with _run(inventory, frozenset(), listener) as run:
        outcome = workflow.teardown(run, lambda _plans: None, lease_s=lease_s, purge=purge)
        return departed.tear_down_rest(run, outcome, _open_fleet, lease_s)


def status(inventory: Inventory, *, listener: Listener | None = None) -> Status:
    """Read sessions and drift of every host; an unreachable host is part of the result."""
    with _run(inventory, frozenset(), listener) as run:
        return inspection.status(run)


def verify(inventory: Inventory, *, listener: Listener | None = None) -> Outcome:
    """Test every path from the hosts; read-only. The code is 1 if a path fails, else 0."""
    with _run(inventory, frozenset(), listener) as run:
        return inspection.verify(run)
