"""What stands against a plan: an interface without its mark is a fault, unless a run is making it just now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.samples import TOPOLOGY
from tests.trace.recordings import recorded
from wgorch.errors import Locked, Unfit
from wgorch.facts.files import Lock
from wgorch.gather.observed import Observed
from wgorch.plan.blockers import mark_blockers

NETWORK = TOPOLOGY.inventory.network


def unmarked(lock: Lock | None) -> Observed:
    """Home, whose interface has the network's key and no mark."""
    seen = recorded("healthy")[0]["home"]
    devices = {**seen.links.devices}
    devices["wg0"] = replace(devices["wg0"], alias="")
    key = seen.wg(NETWORK).public_key
    return replace(
        seen,
        links=replace(seen.links, devices=devices),
        keys=replace(seen.keys, public=key),
        files=replace(seen.files, lock=lock),
    )


SEEN = unmarked(None)
LATER, BOOT = SEEN.clock.uptime + 30, SEEN.system.boot_id


@pytest.mark.parametrize(
    ("lock", "kind"),
    [
        (None, Unfit),
        (Lock("anna@laptop", 0, LATER, BOOT, "1"), Locked),
        (Lock("anna@laptop", 0, SEEN.clock.uptime, BOOT, "1"), Unfit),
        (Lock("anna@laptop", 0, LATER, "another boot", "1"), Unfit),
    ],
    ids=["no run", "a run", "one whose time is over", "one of another boot"],
)
def test_an_interface_without_its_mark_is_a_fault_unless_a_run_is_making_it(
    lock: Lock | None, kind: type[Exception]
) -> None:
    assert [kind] == [type(error) for error in mark_blockers("home", NETWORK, unmarked(lock))]
