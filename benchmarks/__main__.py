"""Run the whole job by every runner, interleaved, and keep the results.

python -m benchmarks [--hosts 4,16,64] [--runs 3] [--runners floor,wgorch,…] [--rtt MS] [--jump] [--sudo] [-o FILE]
python -m benchmarks --runners wgorch,wgorch-before --before DIR     # compare with another checkout
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.delay import delayed
from benchmarks.environments import versions
from benchmarks.lab import Lab
from benchmarks.report import tables
from benchmarks.runners import DEFAULT, ROOT, runners


def main() -> int:
    """Measure and print; 1 if the checker found a run wrong."""
    args = _arguments()
    rows: list[dict[str, Any]] = []
    for count in args.hosts:
        with _lab(count, args) as bench:
            for row in _runs(bench, count, args):
                rows.append(row)
                print(json.dumps(row), flush=True)
    print(*tables(rows), sep="\n")
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        args.output.write_text(json.dumps({"versions": versions(), "rows": rows}, indent=1) + "\n")
    return 1 if any(row["wrong"] for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    add = parser.add_argument
    add("--hosts", type=_numbers, default="4,16,64", metavar="COUNT,…", help="numbers of hosts (4,16,64)")
    add("--runs", type=int, default=3, metavar="COUNT", help="runs of each runner (3)")
    add("--slow-runs", type=int, default=1, metavar="COUNT", help="runs of Ansible at 64 hosts (1)")
    add(
        "--runners",
        default=",".join(DEFAULT),
        metavar="NAME,…",
        help="default: all but wgorch-before and wgorch-openssh",
    )
    add("--rtt", type=float, default=0, metavar="MS", help="round trip between controller and hosts")
    add("--jump", action="store_true", help="reach the hosts through a jump host")
    add("--sudo", action="store_true", help="log in as a user with sudo")
    add("--before", type=Path, metavar="DIR", help="another checkout, for the runner wgorch-before")
    add("--memory", action="store_true", help="one more run of each, with memory watched")
    add("-o", "--output", type=Path, metavar="FILE", help="file for the results")
    args = parser.parse_args()
    args.runners = args.runners.split(",")
    args.before = (args.before or ROOT).resolve()
    if unknown := set(args.runners) - set(runners(args.before)):
        parser.error(f"no runner {', '.join(sorted(unknown))}; there are {', '.join(runners(args.before))}")
    # Modules move between versions; that the package can be run stays.
    checkout = args.before != ROOT and (args.before / "wgorch" / "__main__.py").is_file()
    if "wgorch-before" in args.runners and not checkout:
        parser.error("wgorch-before needs another checkout: --before DIR")
    return args


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


@contextmanager
def _lab(count: int, args: argparse.Namespace) -> Iterator[Bench]:
    """The world for some number of hosts, as the arguments want it."""
    with Lab(count) as lab:
        if args.sudo:
            lab.add_user()
        with delayed(lab.world, args.rtt / 2000):
            yield Bench(lab, jump=args.jump, sudo=args.sudo, before=args.before)


def _runs(bench: Bench, count: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Run all runners in turn, each twice: a first run, and a second one in which nothing is to be changed."""
    conditions = {"hosts": count, "rtt_ms": args.rtt, "jump": args.jump, "sudo": args.sudo}
    for turn in range(args.runs + (1 if args.memory else 0)):
        for name in args.runners:
            if name.startswith("ansible") and count >= 64 and turn >= args.slow_runs:
                continue
            bench.lab.reset()
            bench.prepare()
            for again in (False, True):
                yield conditions | bench.time(name, again=again, with_memory=args.memory and turn == args.runs)


if __name__ == "__main__":
    sys.exit(main())
