"""`wgorch init` on machines with interfaces, routes and names drawn by a seed: what it writes passes `check` and `plan`."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator

import pytest

from tests.conftest import SEED
from tests.lab.conftest import HOSTS, Lab, own_lab
from tests.lab.test_init import MACHINES
from tests.lab.test_ssh_ways import config

ROUNDS = 50 if os.environ.get("WGORCH_LONG") else 12 if os.environ.get("WGORCH_TEST_ALL") else 3
FIRST = SEED * 1000

INTERFACES = [
    "type bridge;172.17.0.1/16",
    "type bridge;10.88.0.1/16",
    "type bridge;10.99.0.7/24",
    "type bridge;192.168.178.20/24",
    "type bridge;10.1.2.3/8",
    "type bridge;100.101.5.6/32",
    "type bridge;198.18.0.1/15",
    "type bridge;169.254.7.7/16",
    "type bridge;2001:db8:7::5/64",
    "type bridge;fd12:3456::1/48",
    "type bridge;192.168.0.77/24",
    "type vlan id 7;172.20.4.1/22",
    "type wireguard;10.6.0.1/24",
]
NAMES = [
    "docker0",
    "podman0",
    "eth5",
    "lxdbr0",
    "wg0",
    "wg-mullvad",
    "vlan7",
    "br-lan",
    "tailscale0",
    "x.7",
    "dmz@lan",
    "no",
]
ROUTES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "10.10.13.0/24", "0.0.0.0/1", "blackhole 10.98.0.0/16"]
HOSTNAMES = [
    "localhost",
    "no",
    "Büro",
    "ip-10-0-0-5.eu-west-1.compute.internal",
    "VPS_01",
    "x" * 60,
    "192",
    "same",
    "same",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("machines", tmp_path_factory, systemd=False) as lab:
        config(lab, "Host 10.10.13.62\n  ProxyJump root@198.51.100.66\n")
        yield lab


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
def test_the_proposal_passes_or_says_what_to_give(lab: Lab, seed: int) -> None:
    rng = random.Random(f"init {seed}")
    undo: list[tuple[str, str]] = []
    log = [f"seed {seed}"]
    try:
        for host in HOSTS:
            for do, back in _drawn(lab, host, rng):
                done = lab.world.run(host, "sh", "-c", do, check=False)
                log.append(f"{host}: {do} ({done.returncode})")
                undo.append((host, back))
        _judge(lab, log)
    finally:
        for host, back in reversed(undo):
            lab.world.sh(host, back, check=False)


def _drawn(lab: Lab, host: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Commands that change a machine, each with its inverse."""
    was = lab.world.sh(host, "cat /proc/sys/kernel/hostname").strip()
    if rng.random() < 0.5:
        yield f"hostname '{rng.choice(HOSTNAMES)}'", f"hostname {was}"
    for name in rng.sample(NAMES, rng.randrange(0, 4)):
        kind, _, address = rng.choice(INTERFACES).partition(";")
        link = "link eth0" if "vlan" in kind and host == "bcc" else ""
        kind = kind if "vlan" not in kind or link else "type bridge"
        make = f"ip link add {link} name '{name}' {kind} && ip address add {address} dev '{name}' && ip link set '{name}' up"
        yield make, f"ip link delete '{name}'"
    for route in rng.sample(ROUTES, rng.randrange(0, 2)):
        via = "" if "blackhole" in route else "$(ip route show default | sed 's/default//; s/proto.*//; s/metric.*//')"
        yield f"ip route add {route} {via}", f"ip route delete {route}"


def _judge(lab: Lab, log: list[str]) -> None:
    path = lab.directory / "machines.yaml"
    path.unlink(missing_ok=True)
    said = lab.wgorch("init", *MACHINES, "-o", path, "--yes", code=None)
    log += [said.stdout, said.stderr]
    shown = "\n".join(log)
    assert "Traceback" not in shown
    for name in re.findall(r"^skipped: (\S+): cannot connect: ", said.stdout + said.stderr, re.M):
        # Addresses and routes of its own cut it off: ssh does not get there, either; through a jump it waits without end.
        ssh = ("timeout", "30", "ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", name, "true")
        assert lab.world.run("controller", *ssh, check=False).returncode in (255, 124), shown
    assert said.returncode == (7 if "\nskipped: " in f"\n{said.stdout}{said.stderr}" else 0), shown
    path.chmod(0o644)
    checked = lab.wgorch("check", path, code=None)
    plan = lab.wgorch("plan", path, code=None)
    shown += f"\n{path.read_text()}\n{checked.stdout}{checked.stderr}{plan.stdout}{plan.stderr}"
    assert checked.returncode == 0, shown
    if plan.returncode != 2:
        assert re.search(r"in use: choose another", said.stdout), shown
