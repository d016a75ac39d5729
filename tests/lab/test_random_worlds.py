"""What `check` says of a network is what ping says in its world: random small inventories, each built and tried."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.conftest import draw
from tests.lab.test_ways import Ways
from wgorch.inventory.load import load
from wgorch.inventory.model import Inventory
from wgorch.rehearsal.inventory_world import WHERE, world_of
from wgorch.topology.path import round_trip
from wgorch.topology.topology import build

pytestmark = pytest.mark.slow(40)

WORLDS = 30


def inventory(seed: int) -> str:
    """Two to five hosts; some public, some relays, some gateways, some links set or parted by hand."""
    chance = random.Random(seed)
    count = chance.randint(2, 5)
    public = [chance.random() < 0.5 for _ in range(count)]
    public[chance.randrange(count)] = True
    relays = [is_public and chance.random() < 0.6 for is_public in public]
    subnet = chance.choice(["10.99.0.0/24", "[10.99.0.0/24, 'fd99::/64']"])
    lines = [f"network: {{name: random, subnet: {subnet}}}", "hosts:"]
    for i in range(count):
        lines.append(f"  h{i}:")
        if public[i]:
            lines += [f"    ssh: root@203.0.113.{10 + i}", f'    endpoint: "203.0.113.{10 + i}:51820"']
            lines += ["    relay: true"] if relays[i] else []
        else:
            lines.append(f"    ssh: root@172.30.{i}.2")
        if chance.random() < 0.5:
            lines.append(f"    subnets: [{f'172.31.{i}.0/24' if public[i] else f'172.30.{i}.0/24'}]")
            lines += ["    masquerade: false"] if chance.random() < 0.3 else []
    rules = []
    for i in range(count):
        if not public[i] and sum(relays) > 1 and chance.random() < 0.5:
            rules.append(f"  - h{i} -- h{chance.choice([r for r in range(count) if relays[r]])}")
    plain = [i for i in range(count) if public[i] and not relays[i]]
    if plain and any(relays) and chance.random() < 0.5:
        one = chance.choice(plain)
        others = [i for i in range(count) if i != one and not relays[i]]
        rules += [f"  - h{one} -x- h{chance.choice(others)}"] if others else []
    return "\n".join([*lines, *(["links:", *rules] if rules else [])]) + "\n"


def flows(wanted: Inventory) -> list[tuple[str, str]]:
    """From every host to every other one, and to a machine in every LAN."""
    found = []
    for source in wanted.hosts.values():
        for goal in wanted.hosts.values():
            if goal is not source:
                found += [(source.name, str(a)) for a in goal.addresses if source.address_of(a.version)]
                found += [(source.name, str(lan[61])) for lan in goal.subnets]
    return found


@pytest.mark.parametrize("seed", draw(list(range(WORLDS)), 2))
def test_check_and_ping_agree(seed: int, tmp_path: Path) -> None:
    text = inventory(seed)
    path = tmp_path / "random.yaml"
    path.write_text(text)
    wanted = load(path)
    topology = build(wanted)
    asked = flows(wanted)
    told = {}
    for source, goal in asked:
        there, back = round_trip(topology, source, _address(goal))
        told[source, goal] = not (there.dropped or back.dropped)
    lans = [f"  - {s} -> {g}" for (s, g), arrives in told.items() if arrives and g.endswith(".61")]
    # What check refutes is asked for only after `up`, which refuses it.
    path.write_text(text + ("\n".join(["verify:", *lans]) + "\n" if lans else ""))
    world = world_of(load(path), f"random-{seed}-{os.getpid()}", systemd=False)
    with world:
        w = Ways(world)
        w.up()
        for (source, goal), arrives in told.items():
            answered = any(w.ping(source, goal, wait=1) for _ in range(4 if arrives else 1))
            assert answered == arrives, f"{source} -> {goal}: check says {arrives}, ping {answered}\n{text}"
        refused = [f"{s} -> {g}" for (s, g), arrives in told.items() if not arrives]
        if refused:
            world.write(world.layout.controller, f"{WHERE}/refused.yaml", f"{text}verify: ['{refused[0]}']\n")
            assert refused[0].split(" ")[0] in w.wgorch("check", "refused.yaml", code=3)
        w.wgorch("teardown", "inventory.yaml", "--yes")


def _address(text: str):  # type: ignore[no-untyped-def]
    import ipaddress

    return ipaddress.ip_address(text)
