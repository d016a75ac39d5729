"""What the command line stands on, for Python programs: load an inventory, look, change, look again.

    from wgorch import load, plan, up

    inventory = load("inventory.yaml")
    for host, its in plan(inventory).plans.items():
        print(host, [f"{change.sign} {change.what}" for change in its.changes])
    outcome = up(inventory)
    assert outcome.code == 0 and outcome.verdict.works

Every function raises `wgorch.errors.WgorchError` (its `exit_code` is the command line's), with host, wish, sight and way
out in its text. Nothing is printed, and nothing is asked: whoever calls `up` or `teardown` has consented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from wgorch import workflow
from wgorch.apply.lease import LEASE_S
from wgorch.events import Event, Listener
from wgorch.inventory.load import load
from wgorch.inventory.model import Inventory
from wgorch.outcome import Outcome, Status
from wgorch.plan.host import HostPlan
from wgorch.plan.playbook import load_all
from wgorch.remote.fleet import Fleet
from wgorch.remote.root import password_from
from wgorch.run import Run, RunOptions, check_names

__all__ = ["Inventory", "Outcome", "Status", "load", "plan", "status", "teardown", "up", "verify"]


class _Silence:
    def event(self, host: str, event: Event, detail: str = "") -> None:
        """Hears it, and says nothing."""


@contextmanager
def _run(inventory: Inventory, limit: frozenset[str], listener: Listener | None) -> Iterator[Run]:
    playbooks = load_all(inventory.path, None, frozenset(inventory.hosts))
    fleet = Fleet(inventory.hosts, password=password_from(None))
    try:
        yield Run(inventory, fleet, listener or _Silence(), playbooks, RunOptions(check_names(inventory, limit)))
    finally:
        fleet.close()


def plan(inventory: Inventory, *, limit: frozenset[str] = frozenset(), listener: Listener | None = None) -> Outcome:
    """What `up` would change, and why; reads only. Its `code` is 0 where nothing differs, else 2."""
    with _run(inventory, limit, listener) as run:
        return workflow.plan(run)


def up(
    inventory: Inventory,
    *,
    limit: frozenset[str] = frozenset(),
    lease_s: int = LEASE_S,
    consent: Callable[[Mapping[str, HostPlan]], bool | None] = lambda _plans: None,
    listener: Listener | None = None,
) -> Outcome:
    """Make the network as the inventory says, or leave every host as it was.

    `consent` sees the plans, raises where they must not be carried out, and returns True if it took its time;
    `lease_s`: after how many seconds without us a host takes its change back.
    """
    with _run(inventory, limit, listener) as run:
        return workflow.up(run, consent, lease_s=lease_s)


def teardown(
    inventory: Inventory, *, purge: bool = False, lease_s: int = LEASE_S, listener: Listener | None = None
) -> Outcome:
    """Give every host back as it was; with `purge` the keys go, too."""
    with _run(inventory, frozenset(), listener) as run:
        return workflow.teardown(run, lambda _plans: None, lease_s=lease_s, purge=purge)


def status(inventory: Inventory, *, listener: Listener | None = None) -> Status:
    """How the network is; reads only, and says what it could of every host."""
    with _run(inventory, frozenset(), listener) as run:
        return workflow.status(run)


def verify(inventory: Inventory, *, listener: Listener | None = None) -> Outcome:
    """Measure every way from the hosts themselves. Its `code` is 0 where all works, else 1."""
    with _run(inventory, frozenset(), listener) as run:
        return workflow.verify(run)
