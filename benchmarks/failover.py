"""How long traffic is interrupted when a relay or a link fails, and what the script that chooses costs.

python -m benchmarks.failover [--runs 3] [--interval 1s --misses 3] [--only KIND]

A world of two relays, home and company, with wireguard-go: 50 packets a second each way between home and a machine behind
company, and a TCP connection with a line every 20 ms. As root.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.lab.test_failover import CUTS, EXAMPLE, Network, built, outage_s, quick, streams

COST_S = 60


def main() -> None:
    """Measure and print a line for each kind of failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failover")
    parser.add_argument("--runs", type=int, default=3, metavar="COUNT", help="runs of each kind (3)")
    parser.add_argument("--interval", default="1s", help="between two pings of a relay (1s)")
    parser.add_argument("--misses", type=int, default=3, help="in a row until a relay is lost (3)")
    parser.add_argument("--only", choices=sorted(CUTS), help="one kind of failure")
    args = parser.parse_args()
    text = quick(EXAMPLE).replace("interval: 1s, misses: 3", f"interval: {args.interval}, misses: {args.misses}")
    with tempfile.TemporaryDirectory() as place, built(text, Path(place), "bench") as network:
        network.wgorch("up", "inventory.yaml", "--yes")
        time.sleep(5)
        for kind in [args.only] if args.only else CUTS:
            runs = [measure(network, kind) for _ in range(args.runs)]
            columns = (f"{statistics.median(c):.1f} ({min(c):.1f}-{max(c):.1f})" for c in zip(*runs, strict=True))
            print(f"{kind:26} there, back, TCP: {', '.join(columns)} s", flush=True)
        network.settle()
        for host in ("home", "bcc"):
            print(f"CPU of the script on {host}: {cost(network, host):.2f} % of a core")


def measure(network: Network, kind: str) -> tuple[float, float, float]:
    """The longest interruption each way, and of TCP, in seconds; infinite for a connection that broke."""
    network.settle()
    drops = CUTS[kind][0](network)
    with streams(network, 50) as (there, back, gaps):
        time.sleep(1)
        with network.cut(*drops):
            time.sleep(CUTS[kind][1] + 6)
    tcp = float("inf") if None in gaps else max(gap for gap in gaps if gap)
    return outage_s(there, 5001, 50), outage_s(back, 5004, 50), tcp


def cost(network: Network, host: str) -> float:
    """The part of a core that the failover service takes, in percent, over COST_S."""
    ask = "systemctl show -p CPUUsageNSec --value wgorch-office-failover"
    before = int(network.world.sh(host, ask))
    time.sleep(COST_S)
    return (int(network.world.sh(host, ask)) - before) / 1e9 / COST_S * 100


if __name__ == "__main__":
    main()
