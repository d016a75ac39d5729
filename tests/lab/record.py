"""Record the answers of hosts during a trace, for the pure tests: ``python -m tests.lab.record`` (root)."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.lab.crash import InWorldFleet, Silent
from tests.lab.faults import FAULTS
from wgorch import run as runs
from wgorch import workflow
from wgorch.gather.gather import NONCE
from wgorch.inventory.load import load
from wgorch.inventory.model import Inventory
from wgorch.plan.playbook import load_all
from wgorch.rehearsal.reference import ReferenceWorld
from wgorch.run import Run
from wgorch.run_options import RunOptions
from wgorch.trace import follow
from wgorch.trace.probe import Probe

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "tests" / "trace" / "recorded"
TARGET = "10.10.13.61"


def run(world: ReferenceWorld, inventory: Inventory) -> Run:
    return Run(inventory, InWorldFleet(world, inventory), Silent(), load_all(inventory.path, None))


def up(world: ReferenceWorld, inventory: Inventory) -> None:
    work = run(world, inventory)
    work.options = RunOptions(accept_new_keys=frozenset(inventory.hosts))
    workflow.up(work, lambda _plans: None)
    work.fleet.close()


def record(world: ReferenceWorld, inventory: Inventory, name: str) -> None:
    """Trace one packet and keep every answer as it came."""
    kept: dict[str, dict[str, str]] = {"facts": {}, "seen": {}}
    probes: list[Probe] = []
    real_gather, real_parse = runs.gather, follow.parse

    def gather(shell, *asked):  # type: ignore[no-untyped-def]
        exchange = shell.exchange

        def keep(*words, **more):  # type: ignore[no-untyped-def]
            answer = exchange(*words, **more)
            kept["facts"][shell.host] = re.sub(rf"{NONCE}-[0-9a-f]{{16}}", NONCE, answer)
            return answer

        shell.exchange = keep
        try:
            return real_gather(shell, *asked)
        finally:
            shell.exchange = exchange

    def parse(host: str, text: str, probe: Probe):  # type: ignore[no-untyped-def]
        kept["seen"][host] = text
        probes[:] = [probe]
        return real_parse(host, text, probe)

    runs.gather, follow.parse = gather, parse  # type: ignore[assignment]
    work = run(world, inventory)
    try:
        follow.trace(work, "home", TARGET)
    finally:
        runs.gather, follow.parse = real_gather, real_parse
        work.fleet.close()
    probe = probes[0]
    answers = {"size": probe.size, "full_size": probe.full_size, "nonce": NONCE, **kept}
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    (PLACE / f"{slug}.json").write_text(json.dumps(answers, indent=0, ensure_ascii=False) + "\n")


def main() -> None:
    inventory = load(ROOT / "inventory" / "home-company.yaml")
    with ReferenceWorld("record") as world:
        assert isinstance(world, ReferenceWorld)
        up(world, inventory)
        record(world, inventory, "healthy")
        for fault in FAULTS:
            world.sh(fault.machine, fault.make)
            record(world, inventory, fault.name)
            if fault.mend:
                world.sh(fault.machine, fault.mend)
            up(world, inventory)


if __name__ == "__main__":
    main()
