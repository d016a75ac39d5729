"""Every command of every program is a crash point: some drawn by the seed, or (every variant) several hundred.

The full run writes ``crash-points.json`` beside this file: the points tried, what struck, and the violations (none).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ALL, SEED
from tests.lab.crash import HOSTS, KINDS, VERBS, Bench, Point
from wgorch.rehearsal.cleanup import sweep

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 4
COMMANDS_AT_MOST = {
    "up": (30, 28, 31),
    "revert": (48, 4, 5),
    "boot": (28, 13, 28),
    "teardown": (57, 40, 60),
    "policy": (55, 47, 49),
    "policy-revert": (76, 4, 4),
}
"""About how many commands each host runs in each verb; a point beyond the last command strikes nothing and is not counted."""


def _points(count: int) -> list[Point]:
    """Points over all verbs, hosts and kinds, drawn by the seed."""
    every = [
        Point(verb, host, k, kind)
        for verb in VERBS
        for host, last in zip(HOSTS, COMMANDS_AT_MOST[verb], strict=True)
        for k in range(1, last + 1)
        for kind in KINDS
    ]
    return random.Random(SEED).sample(every, count)


def test_at_every_crash_point_hosts_are_old_or_new_and_converge() -> None:
    told = _many(500) if ALL else _few(3)
    struck = [t for t in told if t.get("fired")]
    violations = [t for t in told if "violation" in t]

    if ALL:
        result = {"seed": SEED, "points": len(struck), "violations": len(violations), "tried": told}
        (Path(__file__).parent / "crash-points.json").write_text(json.dumps(result, indent=1) + "\n")
        assert len(struck) >= 400
    assert [] == violations
    assert struck


def _few(count: int) -> list[dict[str, object]]:
    with Bench(f"crash-{os.getpid()}") as bench:
        return [bench.attempt(point) for point in _points(count)]


def _many(count: int) -> list[dict[str, object]]:
    points = _points(count)
    names = [f"crash-{os.getpid()}-{n}" for n in range(WORKERS)]
    place = Path(tempfile.mkdtemp(prefix="crash-points-"))
    workers = []
    try:
        for n, name in enumerate(names):
            argv = [sys.executable, "-m", "tests.lab.crash", "--name", name, *map(str, points[n::WORKERS])]
            with (place / name).open("w") as file:
                workers.append(
                    subprocess.Popen(argv, cwd=ROOT, stdout=file, stdin=subprocess.DEVNULL, start_new_session=True)
                )
        codes = [worker.wait(50 * 60) for worker in workers]
        lines = [line for name in names for line in (place / name).read_text().split("\n") if line]

        assert [0] * WORKERS == codes, lines[-3:]
        return [json.loads(line) for line in lines]
    finally:
        for worker, name in zip(workers, names, strict=False):
            if worker.poll() is None:
                worker.kill()
                worker.wait(10)
            sweep(name)
