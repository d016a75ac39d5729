"""Bring a network up in batches: each is changed, proven and confirmed before the next one begins."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from wgorch.apply.interrupts import Interrupted
from wgorch.apply.lease import LEASE_S
from wgorch.errors import FAULT, MIXED, STOPPED, HostsFailed, UsageError
from wgorch.inspection import verify
from wgorch.outcome import HostOutcome, HostState, Outcome, with_absent
from wgorch.plan.host import HostPlan
from wgorch.run import Run
from wgorch.workflow import Consent, no_consent
from wgorch.workflow import up as up_at_once

Announce = Callable[[int, list[list[str]]], None]
"""Takes the number of a batch that begins, from 0, and all of them."""


def check_sizes(text: str) -> tuple[str, ...]:
    """Sizes as ``1,10%,100%``. Raises UsageError."""
    sizes = tuple(text.split(","))
    for size in sizes:
        hit = re.fullmatch(r"(\d{1,6})(%?)", size)
        if not hit or not int(hit[1]) or (hit[2] and int(hit[1]) > 100):
            raise UsageError(f'"{size}" is no size of a batch', "hosts or percent, the last repeats: 1,10%,100%")
    return sizes


def split(hosts: list[str], sizes: Iterable[str]) -> list[list[str]]:
    """Hosts in batches of those sizes; a percentage is of all hosts, rounded up, and the last size repeats."""
    left, sizes, found = list(hosts), list(sizes), list[list[str]]()
    while left:
        size = sizes[min(len(found), len(sizes) - 1)]
        number = math.ceil(len(hosts) * int(size[:-1]) / 100) if size.endswith("%") else int(size)
        found.append(left[:number])
        left = left[number:]
    return found


def up(
    run: Run,
    consent: Consent,
    sizes: Iterable[str],
    *,
    stop_after: int = 0,
    lease_s: int = LEASE_S,
    announce: Announce = lambda _number, _batches: None,
) -> Outcome:
    """Bring the network up in batches, relays first.

    A batch that fails rolls itself back, and no other begins. `stop_after`: so many batches are made, and the rest not
    begun; 0 for all. What only concerns all hosts, as the record of the members, comes after the last one.
    """
    run.gather(run.involved, traffic=False)
    plans = run.plans()
    consent(plans)
    batches = split(_order(run, plans), sizes)
    standing = {name: HostOutcome(HostState.NOT_BEGUN) for batch in batches for name in batch}
    for number, batch in enumerate(batches):
        if stop_after and number >= stop_after:
            return with_absent(run.absent, Outcome(STOPPED, plans, standing=standing))
        announce(number, batches)
        try:
            outcome = up_at_once(_only(run, batch), no_consent, lease_s=lease_s)
        except (HostsFailed, Interrupted) as error:
            if not number:
                raise
            # Nothing of this batch was changed; those before it are confirmed.
            errors = error.errors if isinstance(error, HostsFailed) else ()
            return Outcome(MIXED, plans, standing=standing, failed=tuple(errors))
        # A peer that rolled its entries back is as its own batch left it.
        back = HostState.ROLLED_BACK
        standing |= {n: its for n, its in outcome.standing.items() if n in batch or its.state is not back}
        if not outcome.succeeded:
            mixed = any(its.state is HostState.APPLIED for its in standing.values())
            return replace(outcome, code=MIXED if mixed else outcome.code, plans=plans, standing=standing)
        standing |= {name: HostOutcome(HostState.APPLIED, "confirmed") for name in batch}
    outcome = up_at_once(run, no_consent, lease_s=lease_s)
    if outcome.succeeded and batches and not outcome.verdict:
        # Of each batch only the paths among its hosts were proven.
        verified = verify(run)
        outcome = replace(outcome, code=verified.code, verdict=verified.verdict)
    code = outcome.code if outcome.succeeded or outcome.code == FAULT or not standing else MIXED
    return replace(outcome, code=code, plans=plans, standing=standing | dict(outcome.standing))


def _order(run: Run, plans: Mapping[str, HostPlan]) -> list[str]:
    """The hosts that are changed, those that peers connect to first."""
    changing = [name for name, plan in plans.items() if plan.changes and name in run.names]
    return sorted(changing, key=lambda name: run.inventory.hosts[name].endpoint is None)


def _only(run: Run, batch: list[str]) -> Run:
    """A run over some hosts, which has the sessions of another and knows whom that did not reach."""
    limited = replace(run.options, limit=frozenset(batch))
    return Run(run.inventory, run.fleet, run.listener, run.playbooks, limited, run.topology, absent=dict(run.absent))
