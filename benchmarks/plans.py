"""Plan every host of an inventory without a connection, as if all were fresh.

python -m benchmarks.plans plan|render|export INVENTORY
"""

from __future__ import annotations

import base64
import hashlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from wgorch.base.assets import shipped
from wgorch.gather.observed import Observed, observed
from wgorch.inventory.load import load
from wgorch.inventory.model import Inventory
from wgorch.plan.host import HostPlan, plan_host
from wgorch.plan.playbook import load as playbook
from wgorch.steps import target_state
from wgorch.steps.target import Target
from wgorch.topology.path import unreachable_flows
from wgorch.topology.topology import Topology, build

FRESH = (Path(__file__).resolve().parent / "fresh-host.txt").read_text()
"""What a fresh host answers."""
MTU = 1420


class Facts:
    """An inventory, its topology, and what is needed of the hosts to plan: a key each, and nothing else."""

    def __init__(self, path: str) -> None:
        self.inventory: Inventory = load(path)
        self.topology: Topology = build(self.inventory)
        assert not unreachable_flows(self.topology)
        self.keys = {n: base64.b64encode(hashlib.sha256(n.encode()).digest()).decode() for n in self.inventory.hosts}
        self.fresh: Observed = observed("any", FRESH, "N")
        self.steps = playbook(shipped("playbooks") / "up.yaml")

    def each(self, work: Callable[[str], object]) -> None:
        """Do something for every host; what the topology keeps of a host is dropped then."""
        for name in self.inventory.hosts:
            work(name)
            self.topology._desired.pop(name)

    def plan(self, name: str) -> HostPlan:
        """The plan of a host that is fresh."""
        target = Target(self.topology.desired(name), self.fresh, self.keys, mtu=MTU)
        want = target_state(target, self.fresh.slices)
        return plan_host(name, self.inventory.network, want, self.fresh, self.steps)


def render(plan: HostPlan) -> int:
    """Render all scripts of a host; their length."""
    return len(plan.do_program.text) + len(plan.undo_program.text) + len(plan.boot.text)


def export(facts: Facts, directory: Path) -> None:
    """Write a wg-quick file for every host."""
    from wgorch.interop.export import wg_quick

    def write(name: str) -> None:
        text = wg_quick(facts.topology, name, facts.fresh, facts.keys, {}, MTU)
        (directory / f"{name}.conf").write_text(text)

    facts.each(write)


def main(what: str, path: str) -> None:
    """Plan all hosts, render their scripts, too, or export them instead."""
    facts = Facts(path)
    if what == "export":
        # New files, as wg-meshconf writes them.
        export(facts, Path(tempfile.mkdtemp(dir=Path(path).parent)))
    elif what == "render":
        facts.each(lambda name: render(facts.plan(name)))
    else:
        facts.each(facts.plan)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
