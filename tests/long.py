"""The large counts, in portions: ``python -m tests.long [--seed S]``, or ``make long``.

A portion that has run on this commit with this seed is not run again: what was interrupted goes on. Each portion is a line
in `.long.jsonl`: commit, seed, portion, exit code, seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOG = ROOT / ".long.jsonl"
SOAK_ROUNDS, SOAK_PORTION = 500, 10
LIVE_NETWORKS, LIVE_PORTION = 300, 30


def portions(seed: int) -> Iterator[tuple[str, list[str]]]:
    """Name and arguments of Python of each portion."""
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    yield "10,000 hostile answers", [*pytest, "tests/test_hostile.py"]
    yield "1,300 injections", [*pytest, "tests/test_injections.py"]
    yield "10,000 inventories in 50 files", [*pytest, "tests/inventory/test_include.py"]
    yield "2,000 mistakes in files and sources", [*pytest, "tests/inventory/test_seeded_mistakes.py"]
    yield "2,000 ssh_config files", [*pytest, "tests/lab/test_ssh_config.py"]
    yield "50 rounds of sites that are off", [*pytest, "tests/lab/test_absent.py", "-k", "come_and_go"]
    yield "100 turns of two controllers", [*pytest, "tests/lab/test_members.py", "-k", "take_turns"]
    yield "500 crash points", [*pytest, "tests/lab/test_crash_points.py"]
    for portion in range(LIVE_NETWORKS // LIVE_PORTION):
        first = seed * 1000 + portion * LIVE_PORTION
        test = "tests/lab/test_adopt_networks.py::test_a_network_is_adopted_as_it_is_or_refused"
        yield f"live networks {first}", [*pytest, *(f"{test}[{first + n}]" for n in range(LIVE_PORTION))]
    yield "50 machines for init", [*pytest, "tests/lab/test_init_machines.py"]
    for portion in range(SOAK_ROUNDS // SOAK_PORTION):
        number = seed * 1000 + portion
        yield f"soak {number}", ["-m", "tests.soak", "--rounds", str(SOAK_PORTION), "--seed", str(number)]


def main() -> int:
    """Run what has not run yet; 1 where anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.long", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    lines = [json.loads(line) for line in LOG.read_text().splitlines()] if LOG.exists() else []
    done = {line["portion"]: line["exit"] for line in lines if (line["commit"], line["seed"]) == (commit, seed)}
    env = {**os.environ, "WGORCH_LONG": "1", "WGORCH_TEST_ALL": "1", "WGORCH_SEED": str(seed)}
    for name, argv in portions(seed):
        if done.get(name) == 0:
            continue
        began = time.monotonic()
        code = subprocess.run([sys.executable, *argv], cwd=ROOT, env=env, check=False).returncode
        done[name] = code
        line = {
            "commit": commit,
            "seed": seed,
            "portion": name,
            "exit": code,
            "seconds": round(time.monotonic() - began),
        }
        with LOG.open("a") as log:
            log.write(json.dumps(line) + "\n")
    failed = [name for name, code in done.items() if code]
    print(f"commit {commit[:9]}, seed {seed}: {len(done)} portions ran, failed: {failed or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
