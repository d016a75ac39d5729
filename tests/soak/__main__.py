"""``python -m tests.soak``: see the package."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

from tests.soak.rounds import Round, Violation
from wgorch.rehearsal.reference import ReferenceWorld

IN_ONE_WORLD = 10
"""Rounds before the hosts are built anew, with or without systemd."""


def main() -> int:
    """Run rounds; 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    parser.add_argument("--only", type=int, help="run this round alone")
    args = parser.parse_args()
    own = os.getpid()
    # The world goes, too; a helper that pyroute2 forked ends alone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1) if os.getpid() == own else os._exit(1))
    print(f"seed {args.seed}", flush=True)
    numbers = [args.only] if args.only is not None else list(range(args.rounds))
    violations = 0
    for begin in range(0, len(numbers), IN_ONE_WORLD):
        violations += soak(args.seed, numbers[begin : begin + IN_ONE_WORLD])
    print(f"{len(numbers)} rounds, {violations} violations", flush=True)
    return 1 if violations else 0


def soak(seed: int, numbers: list[int]) -> int:
    """Run rounds by their numbers; the number of violations."""
    violations = 0
    left = list(numbers)
    while left:
        systemd = (seed + left[0] // IN_ONE_WORLD) % 2 == 1
        with ReferenceWorld(f"soak-{os.getpid()}", systemd=systemd) as world:
            while left:
                number = left.pop(0)
                if not _round(world, seed, number, systemd):
                    violations += 1
                    break  # the hosts are not as they were built
    return violations


def _round(world: ReferenceWorld, seed: int, number: int, systemd: bool) -> bool:
    began, one = time.monotonic(), Round(world, f"{seed}/{number}")
    try:
        one.run()
        outcome = "ok"
    except (Violation, AssertionError) as error:
        outcome = f"VIOLATION: {error}"
    seconds = time.monotonic() - began
    init = "systemd" if systemd else "no systemd"
    print(f"round {number} ({init}, {seconds:.0f} s): {'; '.join(one.log)}: {outcome}", flush=True)
    return outcome == "ok"


if __name__ == "__main__":
    sys.exit(main())
