"""What hosts measure of a relay that is drained."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from wgorch.inventory.load import loads
from wgorch.topology.topology import build
from wgorch.verify.verify import _is_silent

TEXT = """\
network: {name: office, subnet: 10.0.0.0/24}
hosts:
  one: {ssh: root@192.0.2.1, address: 10.0.0.1, endpoint: "192.0.2.1:51820", relay: true}
  two: {ssh: root@192.0.2.2, address: 10.0.0.2, endpoint: "192.0.2.2:51820", relay: true}
  cloud: {ssh: root@192.0.2.3, address: 10.0.0.3, endpoint: "192.0.2.3:51820"}
  home: {ssh: root@192.168.0.9, address: 10.0.0.4}
"""


@pytest.mark.parametrize(
    ("host", "relay", "is_silent"),
    [("cloud", "one", True), ("cloud", "two", False), ("home", "one", False), ("two", "one", False)],
)
def test_a_drained_relay_is_pinged_by_those_that_have_another_path(host: str, relay: str, is_silent: bool) -> None:
    inventory = loads(TEXT)
    seen = {
        n: SimpleNamespace(failover=SimpleNamespace(drained="by me" if n == "one" else "")) for n in inventory.hosts
    }
    run = SimpleNamespace(inventory=inventory, topology=build(inventory), seen=seen)

    assert is_silent is _is_silent(run, host, inventory.hosts[relay].addresses[0])  # type: ignore[arg-type]
