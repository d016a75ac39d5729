"""What `check` says of a policy is what real connections say: random small networks with random policies, each built and tried.

`up` connects for each line of `verify:` before it confirms; here these lines are the verdicts of the policy, both kinds.
"""

from __future__ import annotations

import os
import random
import re

import pytest

from tests.conftest import ALL, SEED
from tests.lab.test_random_worlds import inventory
from tests.lab.test_ways import Ways
from wgorch.inventory.load import loads
from wgorch.inventory.policy import PINGS, Service
from wgorch.rehearsal.inventory_world import world_of
from wgorch.topology.path import REFUSED, decision, round_trip
from wgorch.topology.topology import Topology, build

pytestmark = pytest.mark.slow(60)

WORLDS = 50 if ALL else 4
PORTS = (443, 8000, 8080)


def with_policy(seed: int) -> str:
    """A random network with a random policy, and in `verify:` what that allows and refuses."""
    chance = random.Random(f"policy of {seed}")
    text = inventory(seed)
    names = re.findall(r"^  (h\d):$", text, re.M)
    plain = loads(text)
    sides = [*names, *(f"{n}.lan" for n, host in plain.hosts.items() if host.subnets), "any", "10.99.0.0/30"]
    lines = [
        f"  - {chance.choice(sides)} -> {chance.choice(sides)}: {_services(chance)}"
        for _ in range(chance.randint(2, 8))
    ]
    text += "\n".join(["policy:", *dict.fromkeys(lines)]) + "\n"
    topology = build(loads(text))
    tests = dict.fromkeys(_tests(topology, chance))
    return text + "\n".join(["verify:", *tests]) + "\n" if tests else text


def _services(chance: random.Random) -> str:
    ports = f"tcp {chance.choice(PORTS)}"
    return chance.choice((ports, f"{ports}, ping", "ping", "tcp 8000-8100", "any", "udp"))


def _tests(topology: Topology, chance: random.Random) -> list[str]:
    """The verdict on some flows between hosts, and to machines in LANs, by ping and by TCP."""
    found = []
    for name, host in topology.hosts.items():
        for other in topology.hosts.values():
            goals = [*other.addresses, *(lan[61] for lan in other.subnets)] if other is not host else []
            for goal in goals:
                service = chance.choice((PINGS, *(Service("tcp", ((port, port),)) for port in PORTS)))
                own = host.address_of(goal.version)
                there, back = round_trip(topology, name, goal)
                if own is None or there.dropped or back.dropped:
                    continue
                arrow = "-x->" if decision(topology, there.hosts, own, goal, service) == REFUSED else "->"
                found.append(f"  - {name} {arrow} {goal}: {service}")
    return chance.sample(found, min(len(found), 12))


@pytest.mark.parametrize("number", range(WORLDS))
def test_verdicts_are_fates_through_the_whole_program(number: int, tmp_path: object) -> None:
    seed = SEED * 100 + number
    text = with_policy(seed)
    path = tmp_path / "inventory.yaml"  # type: ignore[operator]
    path.write_text(text)
    with world_of(loads(text, str(path)), f"policies-{os.getpid()}") as world:
        w = Ways(world)
        said = w.up(code=None)
        assert "confirmed" in said, f"seed {seed}\n{text}\n{said}"
        assert "No changes." in w.wgorch("plan", "inventory.yaml"), f"seed {seed}\n{text}"
        w.wgorch("verify", "inventory.yaml")
        w.wgorch("teardown", "inventory.yaml", "--yes")
        left = [host for host in loads(text).hosts if "wgorch" in world.sh(host, "nft list ruleset 2>/dev/null || :")]
        assert not left, f"seed {seed}"
