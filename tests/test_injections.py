"""Shell text in every field of inventory, ssh_config, playbook and environment: nothing of it is ever run."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tests.conftest import LONG, SEED
from tests.hostile import RECORDED, TOPOLOGY, Nothing, recorded
from wgorch.errors import HostsFailed, InventoryError, UsageError
from wgorch.gather.gather import NONCE, Ask, questions
from wgorch.gather.observed import observed
from wgorch.host.programs import fact_functions
from wgorch.inventory.load import loads
from wgorch.inventory.model import Inventory
from wgorch.plan.playbook import load, load_all
from wgorch.run import Run
from wgorch.topology.topology import build
from wgorch.trace.observe import script as observing
from wgorch.verify.measure import Targets
from wgorch.verify.measure import script as measuring

ROOT = Path(__file__).resolve().parents[1]
COUNT = 1000 if LONG else 120
CHUNK = 40

INVENTORY = """
network: {name: office, subnet: 192.168.2.0/24, interface: wg0, mtu: 1400, persistent_keepalive: 15, preshared_keys: true,
  ssh: {client: auto}}
hosts:
  bcc: {ssh: root@203.0.113.13, endpoint: "203.0.113.13:38371", address: 192.168.2.1, relay: true}
  home: {ssh: {host: 192.168.0.9, user: root, port: 22, identity: ~/.ssh/id}, address: 192.168.2.2, exit: bcc,
    dns: [10.10.13.61], listen_port: 51820, mtu: 1380}
  company: {ssh: {host: 10.10.13.62, user: root, via: root@198.51.100.66}, address: 192.168.2.3,
    subnets: [{lan: 10.10.13.0/24, as: 10.99.13.0/24}], lan_interface: ens192, masquerade: true}
devices:
  phone: {address: 192.168.2.9, public_key: "TR316HDlGAGpWvWZdGjzXNjT/pr6JjIJMVLHg04bFUs="}
links: [home -- bcc]
verify: [home -> 10.99.13.61]
"""

PLAYBOOK = """
stages:
  - stage: prepare
    steps: [install, keys, firewalld_prepare]
  - stage: tunnel
    steps: [forward_rules, input_rules, masquerade, map_lans, clamp_mss, nft_table, policy_chains, empty_tables, interface, addresses, kernel_routes, peers]
  - stage: traffic
    steps: [routes, firewalld, forwarding, exit_routes, {run: announce, on: [home], command: "true", undo: "true"}]
  - stage: stay
    steps: [dns, firewalld_permanent, drop_ins, persist]
"""

SSH_CONFIG = """
Host bcc
  HostName 203.0.113.13
  User root
  Port 22
  IdentityFile ~/.ssh/id
  HostKeyAlias bcc
  UserKnownHostsFile ~/.ssh/known
  Ciphers aes128-ctr
  KexAlgorithms curve25519-sha256
  ConnectTimeout 5
  ProxyJump jump.example
  IdentityAgent none
  CertificateFile ~/.ssh/cert
  AddressFamily inet
"""

ENVIRONMENT = [
    "WGORCH_INVENTORY",
    "XDG_STATE_HOME",
    "COLUMNS",
    "NO_COLOR",
    "TERM",
    "LANG",
    "WGORCH_SUDO_PASSWORD",
    "USER",
]


def payload(chance: Random, canary: Path) -> str:
    act = f"/usr/bin/touch {canary}"
    return chance.choice(
        [
            f"$({act})",
            f"`{act}`",
            f";{act};",
            f"a;{act} #",
            f"'; {act}; '",
            f'"; {act}; "',
            f"a\n{act}\n",
            f"a\r{act}\r",
            f"| {act}",
            f"&& {act} &&",
            f"${{IFS}}$({act})",
            f"%h$({act})",
            f"-oProxyCommand={act}",
            f"--; {act}",
            f"wg0'$({act})'",
            f"a\x00$({act})",
            f"::1%$({act})",
            f"root@$({act})",
            f"!!python/object/apply:os.system ['{act}']",
            f"x$(</dev/null {act})y",
        ]
    )


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all scalars and keys."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, ("key", key))
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, number))
    else:
        yield path


def replaced(value: Any, path: tuple[Any, ...], new: str, chance: Random) -> Any:
    """A copy with the scalar, or the key, at a place replaced, or something put behind it."""
    made = copy.deepcopy(value)
    place = made
    for step in path[:-1]:
        place = place[step]
    last = path[-1]
    if isinstance(last, tuple):
        place[new] = place.pop(last[1])
    else:
        place[last] = new if chance.random() < 0.6 else f"{place[last]}{new}"
    return made


def run_all(scripts: list[str], canary: Path) -> None:
    """Run scripts where no command is found and no network is; only what a shell itself expands could act."""
    for text in scripts:
        command = ["/usr/bin/unshare", "--net", "/bin/dash", "-c", f"cd {canary.parent} && . /dev/stdin"]
        subprocess.run(
            command, input=text, text=True, capture_output=True, timeout=20, check=False, env={"PATH": "/none"}
        )


def scripts_of(inventory: Inventory) -> Iterator[str]:
    """Every script that a run of the inventory would send."""
    network, topology = inventory.network, build(inventory)
    facts = recorded(RECORDED[0]).facts
    run = Run(inventory, Nothing(), None, load_all("", None))  # type: ignore[arg-type]
    names = [name for name in inventory.hosts if name in facts]
    run.seen = {name: observed(name, facts[name], NONCE) for name in names}
    for host in inventory.hosts.values():
        ask = Ask((host.listen_port,), host.private_key, tuple(str(e.host) for e in (host.endpoint,) if e))
        yield "\n".join([*fact_functions().values(), questions(network, ask)])
        own = [flow for flow in inventory.verify if flow.source == host.name]
        yield measuring(network.interface, Targets(list(host.addresses), list(host.addresses), own), 1400, 1)
    if inventory.hosts.keys() == TOPOLOGY.inventory.hosts.keys():
        probe = recorded(RECORDED[0]).probe
        yield observing(probe, "0a0a", (network.interface,), (51820,), "", window_s=1)
    try:
        plans = run.plans()
    except HostsFailed:
        return
    del topology
    for plan in plans.values():
        yield from (plan.do_program.text, plan.undo_program.text, plan.boot.text, plan.probe, plan.stay_program.text)


@pytest.mark.lab  # network namespaces need root
@pytest.mark.parametrize("chunk", range(COUNT // CHUNK))
def test_no_text_in_a_field_of_the_inventory_is_run(chunk: int, tmp_path: Path) -> None:
    canary, whole = tmp_path / "pwned", yaml.safe_load(INVENTORY)
    places = list(leaves(whole))
    loads(INVENTORY)
    for number in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        chance = Random(f"{SEED}/{number}")
        made = replaced(whole, chance.choice(places), payload(chance, canary), chance)
        try:
            inventory = loads(yaml.safe_dump(made))
        except InventoryError as error:
            assert all(c.isprintable() or c == "\n" for c in str(error)), number
            continue
        run_all(list(scripts_of(inventory)), canary)
        assert not canary.exists(), f"injection {SEED}/{number}"
    assert not canary.exists()


@pytest.mark.lab
def test_the_canary_of_these_tests_sings(tmp_path: Path) -> None:
    """A payload that stands in a script unquoted is noticed."""
    canary, noticed = tmp_path / "pwned", 0
    for seed in range(40):
        run_all([f"echo {payload(Random(seed), canary)}"], canary)
        noticed += canary.exists()
        canary.unlink(missing_ok=True)

    assert noticed > 20


def check(home: Path, words: list[str], env: dict[str, str]) -> None:
    """`wgorch check -v` as a user with another home; how it ends does not matter, but it must not be a traceback."""
    argv = [sys.executable, "-m", "wgorch", "check", "-v", *words]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), **env}
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=False, env=env, cwd=home, errors="replace"
    )
    assert "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("number", range(100 if LONG else 8))
def test_no_text_in_a_playbook_or_the_environment_is_run(number: int, tmp_path: Path) -> None:
    chance, canary = Random(f"{SEED}/e{number}"), tmp_path / "pwned"
    whole = yaml.safe_load(PLAYBOOK)
    places = [place for place in leaves(whole) if place[-1] not in ("command", "undo")]
    (tmp_path / "up.yaml").write_text(
        yaml.safe_dump(replaced(whole, chance.choice(places), payload(chance, canary), chance))
    )
    try:
        load(tmp_path / "up.yaml", frozenset({"home"}))
    except (InventoryError, UsageError) as error:
        assert all(c.isprintable() or c == "\n" for c in str(error))
    name = chance.choice(ENVIRONMENT)
    value = payload(chance, canary).replace("\0", "")
    check(tmp_path, [str(ROOT / "inventory" / "home-company.yaml")], {name: value})

    assert not canary.exists()


@pytest.mark.parametrize("number", range(200 if LONG else 12))
def test_no_text_in_a_field_of_ssh_config_is_run(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wgorch.remote.ssh.resolve import SshResolver

    chance, canary = Random(f"{SEED}/s{number}"), tmp_path / "pwned"
    lines = SSH_CONFIG.split("\n")
    at = chance.choice([i for i, line in enumerate(lines) if line.strip()])
    text = payload(chance, canary).replace("\0", "").replace("\n", " ").replace("\r", " ")
    word = lines[at].split(" ")[-1]
    lines[at] = lines[at].replace(word, text if chance.random() < 0.5 else f"{word}{text}")
    (tmp_path / ".ssh").mkdir(mode=0o700)
    (tmp_path / ".ssh" / "config").write_text("\n".join(lines))
    monkeypatch.setattr("wgorch.remote.ssh.resolve.home_directory", lambda: tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    inventory = loads(
        "network: {name: office, subnet: 192.168.2.0/24}\nhosts: {bcc: {ssh: bcc, endpoint: '203.0.113.13:1'}}\n"
    )
    try:
        SshResolver(inventory.hosts).of(inventory.hosts["bcc"])
    except UsageError as error:
        assert all(c.isprintable() or c == "\n" for c in str(error))

    assert not canary.exists()
