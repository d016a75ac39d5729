"""What a policy costs a relay: loading and reading its rules, and each packet that it forwards.

python -m benchmarks.policy [--lines 1000]

Thirty sites and a relay, lines between random ones; packets go through the relay's rules in a bare namespace, in by one tun
interface and out by it again, without WireGuard. As root.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from tests import policies
from tests.lab import firewall
from tests.lab.test_policy_engine import rules, setup
from wgorch.topology.topology import build

PACKETS = 30_000


def main() -> None:
    """Measure and print; again in a network namespace of its own first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy")
    parser.add_argument("--lines", type=int, default=1000, metavar="COUNT", help="lines of the policy (1000)")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.inside:
        argv = ["unshare", "-n", sys.executable, "-m", "benchmarks.policy", *sys.argv[1:], "--inside"]
        sys.exit(subprocess.run(argv, check=False).returncode)
    began = time.perf_counter()
    topology = build(policies.loaded(sites(args.lines)))
    text = rules(topology, "h0", "nft")["nft"]
    print(f"{args.lines} lines, {text.count(chr(10))} lines of rules; planned in {time.perf_counter() - began:.3f} s")
    device = firewall.tun("wg0")
    firewall.run(["ip", "link", "set", "wg0", "up"])
    for name in firewall.INTERFACES[1:]:
        firewall.tun(name)
        firewall.run(["ip", "link", "set", name, "up"])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    firewall.set_up(setup(topology, "h0"))
    for name, loaded in (("without", ""), ("with", text)) * 2:
        began = time.perf_counter()
        firewall.run(["nft", "-f", "-"], f"flush ruleset\n{loaded}")
        took = time.perf_counter() - began
        print(f"{name} rules: loaded in {took:.3f} s, {forward(device):.2f} us of CPU a packet")
    began = time.perf_counter()
    subprocess.run(["nft", "-s", "list", "table", "inet", "wgorch-random"], stdout=subprocess.DEVNULL, check=True)
    print(f"read in {time.perf_counter() - began:.3f} s")


def sites(lines: int) -> dict[str, object]:
    """A relay and 29 sites with a LAN each, and lines of one port between them; the last one is what is sent."""
    chance = random.Random(1)  # noqa: S311 - the same lines each time
    hosts: dict[str, object] = {
        f"h{i}": {"ssh": f"root@198.51.100.{10 + i}", "subnets": [f"10.70.{i}.0/24"]} for i in range(1, 30)
    }
    relay = {"ssh": "root@198.51.100.10", "endpoint": "203.0.113.10:51820", "relay": True}
    policy = []
    for _ in range(lines - 1):
        one, other = chance.sample(range(1, 30), 2)
        source = chance.choice([f"h{one}", f"h{one}.lan", f"10.70.{one}.{chance.randint(1, 250)}"])
        target = chance.choice([f"h{other}.lan", f"10.70.{other}.{chance.randint(1, 250)}"])
        policy.append({f"{source} -> {target}": f"tcp {chance.randint(1, 60000)}"})
    network = {"name": "random", "subnet": "10.40.0.0/24"}
    return {"network": network, "hosts": {"h0": relay, **hosts}, "policy": [*policy, {"h1 -> h2.lan": "udp 5001"}]}


def forward(device: int) -> float:
    """CPU of one packet through the relay, in microseconds; it is forwarded as it is written."""
    packet = firewall.Packet("wg0", "10.40.0.2", "10.70.2.9", "udp", 40000, 5001).bytes(1)
    began = time.process_time()
    for _ in range(PACKETS):
        os.write(device, packet)
        os.read(device, 2000)
    return (time.process_time() - began) / PACKETS * 1e6


if __name__ == "__main__":
    main()
