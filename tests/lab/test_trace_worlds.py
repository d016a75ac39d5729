"""The same faults by IPv6, and over NATs that take a new port for every way: worlds of their own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import draw
from tests.lab.conftest import ROOT, Lab
from tests.lab.faults import FAULTS, FAULTS_6
from tests.lab.remedies import traced
from tests.lab.test_trace import mended
from wgorch.inventory.load import load
from wgorch.rehearsal.inventory_world import InventoryWorld, world_of
from wgorch.rehearsal.reference import ReferenceWorld

pytestmark = pytest.mark.slow(40)


def test_ipv6_inside_and_outside_over_hard_nat() -> None:
    world: InventoryWorld = world_of(load(ROOT / "inventory" / "dual-stack.yaml"), "trace-6", hard_nat=True)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(world.wgorch(*words), capture_output=True, text=True, timeout=120, check=False)

    def finding() -> dict:
        return json.loads(run("trace", "home", "fd10:13::61", "inventory.yaml", "--json").stdout)["finding"]

    with world:
        done = run("up", "inventory.yaml", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert finding() is None
        for fault in draw(list(FAULTS_6), 1):
            world.sh(fault.machine, fault.make)
            found = finding()
            if fault.mend:
                world.sh(fault.machine, fault.mend)
            mended = run("up", "inventory.yaml", "--yes", "--accept-new-key", "bcc")
            assert mended.returncode == 0, fault.name + mended.stdout + mended.stderr

            assert found is not None, fault.name
            assert (found["host"], fault.says in found["problem"]) == (fault.host, True), (fault.name, found)


def test_faults_over_hard_nat() -> None:
    """The same faults where routers take a new port for every way."""
    with ReferenceWorld(f"hard-{os.getpid()}", hard_nat=True) as world:
        assert isinstance(world, ReferenceWorld)
        lab = Lab(world, Path("/nonexistent"))
        lab.up()
        assert traced(lab, code=0)["finding"] is None
        for fault in draw(list(FAULTS), 1, salt="hard"):
            world.sh(fault.machine, fault.make)
            told = traced(lab, code=1)
            mended(lab, fault)

            assert (told["finding"]["host"], fault.says in told["finding"]["problem"]) == (fault.host, True), told
