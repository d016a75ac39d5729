"""Plans that strike hosts from the record of the members, and change nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from wgorch.gather.observed import Observed
from wgorch.inventory.model import Network
from wgorch.plan.host import HostPlan, changes_between
from wgorch.plan.members import Members, compose, newest, parse, recorded_files
from wgorch.plan.script import script
from wgorch.steps.members import STEP


def plan_forget(
    network: Network, seen: Mapping[str, Observed], names: Collection[str], now: int, author: str
) -> dict[str, HostPlan]:
    """A plan for each host that keeps a record; none where the record has none of `names`, or does not parse.

    `now`: UNIX time; `author`: ``user@host`` of this controller.
    """
    record = newest(seen)
    members = parse(record)
    if not members or not _mentions(members, names):
        return {}
    kept = {name: host for name, host in members.inventory.hosts.items() if name not in names}
    leaving = {name: host for name, host in members.leaving.items() if name not in names}
    inventory = replace(members.inventory, hosts=kept)
    text = compose(inventory, members.keys, leaving, recorded_files(record))
    plans = {}
    for name, there in seen.items():
        if there.slices.get("members"):
            have = there.state(network)
            want = replace(have, members=text, revision=f"{record.number + 1} {now} {author}")
            stay = tuple(changes_between(want, have, [STEP]))
            nothing = partial(script, "no change", want, ())
            plans[name] = HostPlan(name, want, have, (), (), stay, make_undo=tuple, make_boot=nothing, make_probe=str)
    return plans


def _mentions(members: Members, names: Collection[str]) -> bool:
    return any(name in members.inventory.hosts or name in members.leaving for name in names)
