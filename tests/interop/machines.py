"""Machines as people have them, drawn by a seed: clouds, homes, offices, containers, names and routes of every kind."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.interop.hosts import host
from wgorch.gather.observed import Observed

NAMES = [
    "bcc",
    "home",
    "company",
    "localhost",
    "",
    "no",
    "null",
    "ip-10-0-0-5",
    "192",
    "Büro-Server",
    "VPS_01",
    "x" * 64,
    "nas.lan",
]
NAMES += ["debian", "debian", "raspberrypi", "🦊", "-gw-", "on", "true", "OpenWrt", "fw01.example.org"]
PUBLIC = ["203.0.113.{}/24", "198.51.100.{}/26", "192.0.2.{}/32", "203.0.113.{}/31"]
PRIVATE = [
    "192.168.1.{}/24",
    "192.168.0.{}/24",
    "192.168.178.{}/24",
    "10.0.0.{}/24",
    "10.{}.0.2/16",
    "172.16.{}.9/20",
    "10.1.2.{}/8",
    "100.64.{}.7/10",
]
OTHERS = [
    "docker0 172.17.0.1/16",
    "virbr0 192.168.122.1/24",
    "lxdbr0 10.143.7.1/24",
    "tailscale0 100.101.5.6/32",
    "cni0 10.42.0.1/24",
]
OTHERS += [
    "tun0 10.8.0.2/24",
    "wg0 10.99.0.7/24",
    "eth1 169.254.3.4/16",
    "eth9 198.18.0.1/15",
    "podman0 10.88.0.1/16",
    "eth2 2001:db8:7::5/64",
    "eth0 fe80::1/64",
]
ROUTES = [
    "10.0.0.0/8 {} eth0",
    "172.16.0.0/12 {} eth0",
    "192.168.0.0/16 {} eth0",
    "10.99.0.0/16 {} eth0",
    "0.0.0.0/1 {} eth0",
    "198.51.100.0/24 {} eth0",
]


def machine(rng: random.Random, number: int) -> tuple[str, Observed]:
    """A machine and the SSH target that it was read from."""
    kind = rng.choice(["cloud", "cloud behind NAT", "home", "home", "office", "only IPv6"])
    own = {
        "cloud": rng.choice(PUBLIC),
        "cloud behind NAT": "10.0.0.{}/24",
        "only IPv6": "2001:db8::{}/64",
    }.get(kind) or rng.choice(PRIVATE)
    address = own.format(10 * number + rng.randrange(2, 11))
    ip, _, _ = address.partition("/")
    gateway = ip.rpartition(".")[0] + ".1" if "." in ip else "2001:db8::1"
    routes = [f"0.0.0.0/0 {gateway} eth0"] if "." in ip and rng.random() < 0.9 else []
    routes += [route.format(gateway) for route in ROUTES if "." in ip and rng.random() < 0.08]
    more = [other.replace("7::5", f"7::{number + 1}") for other in OTHERS if rng.random() < 0.12]
    name = rng.choice(NAMES)
    seen = host(name, "lo 127.0.0.1/8", f"eth0 {address}", *more, routes=tuple(routes))
    seen = replace(seen, system=replace(seen.system, machine_id=f"{number:032x}", boot_id=f"{number}"))
    reached = f"198.51.100.{100 + number}" if kind == "cloud behind NAT" else ip
    return rng.choice([f"root@{reached}", f"ops@{reached}", reached if "." in reached else f"root@{reached}"]), seen


def machines(seed: int) -> dict[str, Observed]:
    """Two to six of them."""
    rng = random.Random(f"machines {seed}")
    return dict(machine(rng, number) for number in range(rng.randrange(2, 7)))
