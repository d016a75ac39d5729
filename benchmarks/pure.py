"""What costs no connection: start-up, `check`, plans and exports of large inventories.

python -m benchmarks.pure [-o FILE]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.environments import environment
from benchmarks.inventories import hub, mesh
from benchmarks.runners import ROOT

WGORCH = [sys.executable, "-P", "-m", "wgorch"]
PLANS = [sys.executable, "-P", "-m", "benchmarks.plans"]
REFERENCE = str(ROOT / "inventory" / "home-company.yaml")
MESHCONF = (
    "Name,Address,Endpoint,AllowedIPs,ListenPort,PersistentKeepalive,FwMark,PrivateKey,DNS,MTU,Table,"
    "PreUp,PostUp,PreDown,PostDown,SaveConfig"
)

Cost = tuple[float, float]
"""Median wall seconds, and the largest memory in MiB."""


def meshconf(directory: Path, hosts: int) -> list[str]:
    """The command line of wg-meshconf that writes its files, with a database of the same network."""
    place = environment("wg-meshconf")
    database = directory / "database.csv"
    lines = [MESHCONF]
    for i in range(hosts):
        key = base64.b64encode(hashlib.sha256(b"%d" % i).digest()).decode()
        address, endpoint = f"10.64.{i // 250}.{1 + i % 250}/16", f"198.18.{i // 250}.{1 + i % 250}"
        lines.append(f"h{i},{address},{endpoint},,51820,,,{key},,,,,,,,False")
    database.write_text("\n".join(lines) + "\n")
    program = str(place / "bin" / "wg-meshconf")
    return [program, "-d", str(database), "genconfig", "-o", str(directory / "meshconf")]


def process(*argv: str, runs: int = 5) -> Cost:
    """The cost of a whole process."""
    walls, most = [], 0.0
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for _ in range(runs):
        began = time.monotonic()
        done = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=env)
        _, status, used = os.wait4(done.pid, 0)
        walls.append(time.monotonic() - began)
        most = max(most, used.ru_maxrss / 1024)
        assert status in (0, 2 << 8), (argv, status)
    return round(statistics.median(walls), 3), round(most, 1)


def costs(directory: Path, hosts: int, meshed: int, exported: int) -> Iterator[tuple[str, Cost]]:
    """Everything that is measured, by name."""

    def written(name: str, text: str) -> str:
        (directory / name).write_text(text)
        return str(directory / name)

    yield "python -c pass", process(sys.executable, "-c", "pass", runs=9)
    yield "wgorch --help", process(*WGORCH, "--help", runs=9)
    yield "wgorch check, reference", process(*WGORCH, "check", REFERENCE, runs=9)
    for n in (1000, hosts):
        cost = process(*WGORCH, "check", written("large.yaml", hub(n)), runs=3)
        yield f"wgorch check, {n} hosts around 10 relays", cost
    # A plan of every host holds a route to every LAN, so this one grows with hosts times LANs; without LANs it does not.
    for n in (1000, 3000, hosts):
        cost = process(*PLANS, "plan", written("plain.yaml", hub(n, lans=False)), runs=3)
        yield f"plan, {n} hosts around 10 relays", cost
    cost = process(*PLANS, "render", written("mesh.yaml", mesh(meshed)), runs=1)
    yield f"full mesh of {meshed}: all programs rendered", cost
    cost = process(*PLANS, "export", written("small.yaml", mesh(exported)), runs=3)
    yield f"wg-quick files of a mesh of {exported}", cost
    yield "wg-meshconf, the same", process(*meshconf(directory, exported), runs=1)


def main() -> int:
    """Measure and print a row of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pure")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--mesh", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=10000)
    parser.add_argument("--exports", type=int, default=500)
    args = parser.parse_args()
    found: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory() as directory:
        for name, (wall, memory) in costs(Path(directory), args.hosts, args.mesh, args.exports):
            found[name] = wall, memory
            print(f"| {name} | {wall:.3f} s | {memory:.0f} MiB |", flush=True)
    if args.output:
        args.output.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
