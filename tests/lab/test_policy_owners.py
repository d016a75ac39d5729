"""A policy beside firewalld, ufw and Docker: no forbidden packet passes while they reload or restart.

Their own rules stand on company, the gateway; the policy is what `tests/lab/test_policy.py` has.
"""

from __future__ import annotations

import time

import pytest

from tests.conftest import draw
from tests.lab.conftest import Lab
from tests.lab.streams import ALLOWED, FORBIDDEN, counted
from tests.lab.test_firewalls import lab, start_firewalld
from tests.lab.test_owners import owner
from tests.lab.test_policy import LINES, TARGET, policy

pytestmark = pytest.mark.slow(40)

__all__ = ["lab"]

RELOADS = {
    "firewalld": ("firewall-cmd -q --reload", "systemctl restart firewalld"),
    "ufw": ("ufw reload",),
    "docker": ("systemctl restart docker.service",),
}


@pytest.mark.parametrize("name", draw(list(RELOADS), 1))
def test_no_forbidden_packet_passes_while_an_owner_reloads(lab: Lab, name: str) -> None:
    if name == "firewalld":
        start_firewalld(lab, "company", "ens192")
    else:
        owner(lab, "company", name)
    inventory = policy(lab, *LINES)
    lab.wgorch("up", inventory, "--yes")
    for command in RELOADS[name]:
        with counted(lab.world, "home", "target", TARGET, (ALLOWED, FORBIDDEN)) as found:
            lab.world.sh("company", command, timeout=90)
            time.sleep(1)
        print(f"{command}: {found.sent} sent, {len(found.arrived[ALLOWED])} allowed ones arrived")
        assert found.sent > 300
        assert not found.arrived[FORBIDDEN]
        assert found.arrived[ALLOWED]
        assert found.arrived[ALLOWED][-1] > found.sent - 100, "the allowed flow goes on"
    assert "No changes." in lab.wgorch("up", inventory).stdout
    lab.wgorch("teardown", inventory, "--yes")
    assert "wgorch" not in lab.world.sh("company", "nft list ruleset")
