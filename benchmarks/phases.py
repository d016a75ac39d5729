"""What each phase of `up` costs a host, in CPU time by its own control group: python -m benchmarks.phases [--hosts 16]."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable

from benchmarks.bench import Bench
from benchmarks.job import Node
from benchmarks.lab import Lab
from benchmarks.watched import NOTE

Used = dict[str, list[float]]
"""CPU milliseconds by phase: of all spokes, and of the relay."""


def main() -> int:
    """Print the phases of a first run and of a second one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phases")
    parser.add_argument("--hosts", type=int, default=16)
    hosts = parser.parse_args().hosts
    with Lab(hosts) as lab:
        bench = Bench(lab)
        bench.runners["watched"] = lambda _again: [sys.executable, "-P", "-m", "benchmarks.watched", "inventory.yaml"]
        lab.reset()
        bench.prepare()
        for again in (False, True):
            lab.everywhere(NOTE.format("in login", ">"))
            wrong = bench.time("watched", again=again)["wrong"]
            lab.everywhere("sleep 0.5; " + NOTE.format("after all", ">>"))
            used = sums(zip(lab.nodes, lab.everywhere("cat /run/cpu.log"), strict=True))
            print(f"\n{'second' if again else 'first'} run, {hosts} hosts {wrong or ''}")
            used["all"] = [sum(column) for column in zip(*used.values(), strict=True)]
            for what, (spokes, hub) in used.items():
                print(f"| {what} | {spokes / (hosts - 1):.1f} ms | {hub:.1f} ms |")
    return 0


def sums(logs: Iterable[tuple[Node, str]]) -> Used:
    """Sum up the notes of all hosts: what was used from each note to the next."""
    used: Used = defaultdict(lambda: [0.0, 0.0])
    for node, text in logs:
        rows = [line.split(" ", 1) for line in text.strip().split("\n")]
        for (start, what), (end, _) in zip(rows, rows[1:], strict=False):
            used[what][node.hub] += (int(end) - int(start)) / 1000
    return used


if __name__ == "__main__":
    sys.exit(main())
