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
from pathlib import Path

from benchmarks.environments import environment

ROOT = Path(__file__).resolve().parent.parent
WGORCH = str(Path(sys.executable).parent / "wgorch")


def hub(hosts: int, relays: int = 10) -> str:
    """An inventory of relays and their spokes, a LAN behind each spoke."""
    lines = ["network: {name: large, subnet: 10.64.0.0/16}", "hosts:"]
    for i in range(relays):
        lines.append(
            f'  r{i}: {{ssh: root@198.51.100.{i + 1}, endpoint: "198.51.100.{i + 1}:51820", relay: true, address: 10.64.0.{i + 1}}}'
        )
    for i in range(hosts - relays):
        lines.append(
            f"  h{i}: {{ssh: root@h{i}.example, address: 10.64.{1 + i // 250}.{1 + i % 250}, subnets: [10.{100 + i // 250}.{i % 250}.0/24]}}"
        )
    return "\n".join([*lines, "verify:", "  - h1 -> 10.100.0.7"]) + "\n"


def mesh(hosts: int) -> str:
    """An inventory in which everybody can dial everybody."""
    lines = ["network: {name: mesh, subnet: 10.64.0.0/16}", "hosts:"]
    for i in range(hosts):
        ip = f"198.18.{i // 250}.{1 + i % 250}"
        lines.append(f'  h{i}: {{ssh: root@{ip}, endpoint: "{ip}:51820", address: 10.64.{i // 250}.{1 + i % 250}}}')
    return "\n".join(lines) + "\n"


PLANS = """
import sys, time, resource
from wgorch.inventory.load import load
from wgorch.topology.topology import build
from wgorch.topology.path import unreachable_flows
from wgorch.plan.playbook import load as playbook, shipped
from wgorch.plan.host import plan_host
from wgorch.plan.target import wanted
from wgorch.facts.parse import observed
from wgorch.base.wgkey import public_key
import base64, hashlib
began = time.monotonic()
inventory = load(sys.argv[1])
topology = build(inventory)
assert not unreachable_flows(topology)
steps = playbook(shipped() / "up.yaml")
keys = {n: base64.b64encode(hashlib.sha256(n.encode()).digest()).decode() for n in inventory.hosts}
TEXT = '''N moment
uptime 1.00 1.00
N host
uid 0
clock 1 1.00
kernel 6.1
boot_id 00000000-0000-0000-0000-000000000000
hostname x
machine_id 
ssh 
wireguard loaded
N tools
ip
wg
iptables
iptables-save
iptables-restore
N links
lo 65536 0x9 
eth0 1500 0x1003 
lan0 1500 0x1003 
N addresses
1: lo    inet 127.0.0.1/8 scope host lo
2: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0
default via 192.0.2.1 dev eth0
N rules
N sysctls
N udp
N files
N dns
N end
'''
rendered = 0
seen = observed("any", TEXT, "N")  # what a fresh host answers
for name in inventory.hosts:
    desired = topology.desired(name)
    want = wanted(desired, seen, keys, mtu=1420)
    plan = plan_host(name, inventory.network, want, seen, steps)
    if "render" in sys.argv:
        rendered += len(plan.do_program.text) + len(plan.undo_program.text) + len(plan.boot.text)
    topology._desired.pop(name)
print(round(time.monotonic() - began, 3), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, rendered)
"""


EXPORTS = """
import pathlib, tempfile
from wgorch.interop.export import wg_quick
place = pathlib.Path(tempfile.mkdtemp(dir=pathlib.Path(sys.argv[1]).parent))  # new files, as wg-meshconf writes them
for name in inventory.hosts:
    (place / f"{name}.conf").write_text(wg_quick(topology, name, seen, keys, {}, 1420))
    topology._desired.pop(name)
"""
HOSTS = "for name in inventory.hosts:"


def meshconf(directory: Path, hosts: int) -> list[str]:
    """wg-meshconf with a database of the same network; what it takes to write its files."""
    place = environment("wg-meshconf")
    database = directory / "database.csv"
    lines = [
        "Name,Address,Endpoint,AllowedIPs,ListenPort,PersistentKeepalive,FwMark,PrivateKey,DNS,MTU,Table,PreUp,PostUp,PreDown,PostDown,SaveConfig"
    ]
    for i in range(hosts):
        key = base64.b64encode(hashlib.sha256(b"%d" % i).digest()).decode()
        lines.append(
            f"h{i},10.64.{i // 250}.{1 + i % 250}/16,198.18.{i // 250}.{1 + i % 250},,51820,,,{key},,,,,,,,False"
        )
    database.write_text("\n".join(lines) + "\n")
    program = str(place / "bin" / "wg-meshconf")
    return [program, "-d", str(database), "genconfig", "-o", str(directory / "meshconf")]


def process(*argv: str, runs: int = 5) -> tuple[float, float]:
    """Median wall seconds and the largest MiB of a whole process."""
    walls, most = [], 0.0
    for _ in range(runs):
        began = time.monotonic()
        done = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
        _, status, used = os.wait4(done.pid, 0)
        walls.append(time.monotonic() - began)
        most = max(most, used.ru_maxrss / 1024)
        assert status in (0, 2 << 8), (argv, status)
    return round(statistics.median(walls), 3), round(most, 1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pure")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--mesh", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=10000)
    parser.add_argument("--exports", type=int, default=500)
    args = parser.parse_args()
    found: dict[str, tuple[float, float]] = {}
    directory = Path(tempfile.mkdtemp())
    found["python -c pass"] = process(sys.executable, "-c", "pass", runs=9)
    found["wgorch --help"] = process(WGORCH, "--help", runs=9)
    found["wgorch check, reference"] = process(WGORCH, "check", str(ROOT / "inventory" / "home-company.yaml"), runs=9)
    large = directory / "large.yaml"
    for hosts in (1000, args.hosts):
        large.write_text(hub(hosts))
        found[f"wgorch check, {hosts} hosts around 10 relays"] = process(WGORCH, "check", str(large), runs=3)
    # A plan of every host holds a route to every LAN, so this one grows with hosts times LANs; without LANs it does not.
    plain = directory / "plain.yaml"
    for hosts in (1000, 3000, args.hosts):
        plain.write_text(
            "\n".join(
                line.replace(line[line.find(", subnets") :], "}") if ", subnets" in line else line
                for line in hub(hosts).split("\n")
                if "->" not in line and "verify" not in line
            )
        )
        found[f"plan, {hosts} hosts around 10 relays"] = process(sys.executable, "-c", PLANS, str(plain), runs=3)
    meshed = directory / "mesh.yaml"
    meshed.write_text(mesh(args.mesh))
    found[f"full mesh of {args.mesh}: all programs rendered"] = process(
        sys.executable, "-c", PLANS, str(meshed), "render", runs=1
    )
    small = directory / "small.yaml"
    small.write_text(mesh(args.exports))
    exports = PLANS[: PLANS.index(HOSTS)] + EXPORTS
    found[f"wg-quick files of a mesh of {args.exports}"] = process(sys.executable, "-c", exports, str(small), runs=3)
    found["wg-meshconf, the same"] = process(*meshconf(directory, args.exports), runs=1)
    for name, (wall, memory) in found.items():
        print(f"| {name} | {wall:.3f} s | {memory:.0f} MiB |", flush=True)
    if args.output:
        args.output.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
