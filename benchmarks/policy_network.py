"""What a policy costs the reference network: the relay's CPU for a packet, with WireGuard, and `wgorch up`.

python -m benchmarks.policy_network [--lines 1000] [--rounds 4]

Packets of 1,000 bytes go from home to target by the relay; with and without the policy in turn. The CPU is that of the
relay's wireguard-go, in whose system calls the kernel forwards. As root.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.lab.conftest import INVENTORY, Lab
from wgorch.rehearsal.reference import ReferenceWorld

PACKETS, RATE = 40_000, 8_000
SEND = f"""
import socket, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
began = time.monotonic()
for i in range({PACKETS}):
    sender.sendto(bytes(1000), ("10.10.13.61", 5000))
    early = began + i / {RATE} - time.monotonic()
    if early > 0.001:
        time.sleep(early)
"""
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy_network")
    parser.add_argument("--lines", type=int, default=1000, metavar="COUNT", help="lines of the policy (1000)")
    parser.add_argument("--rounds", type=int, default=4, metavar="COUNT", help="rounds of each (4)")
    args = parser.parse_args()
    with ReferenceWorld(f"policy-{os.getpid()}") as world, tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        lab = Lab(world, Path(place))
        head = INVENTORY.read_text().partition("verify:")[0]
        files = {
            "without": lab.inventory(head, "without.yaml"),
            "one line": lab.inventory(f"{head}policy:\n  - home -> 10.10.13.61: udp 5000\n", "one.yaml"),
            "with": lab.inventory(f"{head}policy:\n{''.join(_lines(args.lines))}", "with.yaml"),
        }
        found: dict[str, list[float]] = {"without": [], "with": []}
        for name, its in list(found.items()) * args.rounds:
            lab.up(files[name])
            its.append(_cpu_of_a_packet(lab))
            print(f"{name}: {its[-1]:.2f} us of CPU a packet")
        print(", ".join(f"{name}: median {statistics.median(its):.2f}" for name, its in found.items()))
        for name in ("one line", "with") * min(3, args.rounds):
            lab.up(files["without"])
            print(f"{name}: up {_seconds(lab, files[name]):.2f} s, again {_seconds(lab, files[name]):.2f} s")


def _lines(count: int) -> Iterator[str]:
    chance = random.Random(1)  # noqa: S311 - the same lines each time
    yield "  - home -> 10.10.13.61: udp 5000\n"
    for _ in range(count - 1):
        source, protocol = chance.choice(("home", "bcc")), chance.choice(("tcp", "udp"))
        yield f"  - {source} -> 10.10.13.{chance.randrange(1, 255)}: {protocol} {chance.randrange(1, 65536)}\n"


def _cpu_of_a_packet(lab: Lab) -> float:
    before = _cpu_s(lab)
    lab.world.run("home", sys.executable, "-c", SEND)
    time.sleep(1)
    return (_cpu_s(lab) - before) / PACKETS * 1e6


def _cpu_s(lab: Lab) -> float:
    fields = lab.world.sh("bcc", "cat /proc/$(pidof wireguard-go)/stat").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _seconds(lab: Lab, inventory: Path) -> float:
    began = time.perf_counter()
    lab.up(inventory)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
