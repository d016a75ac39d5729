"""A world whose process is killed at any moment is gone when the next one starts."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import SEED
from wgorch.rehearsal.cleanup import sweep
from wgorch.rehearsal.handle import attach
from wgorch.rehearsal.machine import PLACE, Interface, Machine
from wgorch.rehearsal.world import World

pytestmark = pytest.mark.slow(20)

ROOT = Path(__file__).resolve().parents[2]
MACHINES = {
    name: Machine(name, (Interface("eth0", "lan", (f"192.0.2.{number}/24",)),)) for number, name in enumerate("ab", 1)
}

BUILD = """
import sys, time
from tests.lab.test_worlds import MACHINES
from wgorch.rehearsal.world import World
world = World(sys.argv[1], MACHINES).up()
if sys.argv[2:]:
    world.keep()
print("up", flush=True)
time.sleep(60)
"""


def build(name: str, *words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", BUILD, name, *words]
    return subprocess.Popen(argv, cwd=ROOT, text=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ""})


def processes(name: str) -> list[str]:
    """Command lines of the processes of a world, as this machine sees them."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"/{name}/disks/" in line:
            found.append(line)
    return found


def test_a_world_whose_process_was_killed_is_gone_when_the_next_one_starts() -> None:
    chance = random.Random(SEED)
    for number in range(6):
        name = f"killed-{os.getpid()}-{number}"
        process = build(name)
        assert process.stdout is not None
        if number:
            time.sleep(chance.uniform(0.1, 0.8))
        else:
            assert process.stdout.readline() == "up\n"
            assert processes(name)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
        if (PLACE / name).exists() and not (PLACE / name / "world.json").exists():
            time.sleep(6)  # it was killed between two system calls
        with World(f"next-{os.getpid()}", MACHINES):
            assert not (PLACE / name).exists(), f"moment {number} of seed {SEED}"
            assert processes(name) == [], f"moment {number} of seed {SEED}"


def test_a_world_that_was_left_up_stays_until_it_is_removed() -> None:
    name = f"kept-{os.getpid()}"
    process = build(name, "keep")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.kill()
    process.wait(10)
    process.stdout.close()
    with World(f"next-{os.getpid()}", MACHINES):
        assert "eth0" in attach(name, MACHINES).sh("a", "ls /sys/class/net")
    sweep(name)
    assert not (PLACE / name).exists()
    assert processes(name) == []
