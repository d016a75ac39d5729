"""A device connects to the relay that it names."""

from __future__ import annotations

import pytest

from wgorch.errors import InventoryError
from wgorch.inventory.assign import assign
from wgorch.inventory.dump import dump_text
from wgorch.inventory.load import loads
from wgorch.topology.path import round_trip
from wgorch.topology.topology import build

KEY = "Id0bZVRIPHIdOi6ur5ygZ6f4gs0thaLwBRhjeudYxng="
TEXT = f"""
network: {{name: office, subnet: 10.99.0.0/24}}
hosts:
  bcc: {{ssh: root@203.0.113.10, endpoint: "203.0.113.10:51820", relay: true}}
  bcc2: {{ssh: root@203.0.113.11, endpoint: "203.0.113.11:51820", relay: true}}
  home: {{ssh: root@192.168.0.9}}
devices:
  phone: {{public_key: "{KEY}", relay: bcc2}}
"""


def test_a_device_connects_to_the_relay_that_it_names() -> None:
    inventory = loads(TEXT)
    topology = build(inventory)
    assert ["bcc2"] == [link.peer for link in topology.desired("phone").links]
    assert "phone" in topology.peers("bcc2")
    assert "phone" not in topology.peers("bcc")
    phone = inventory.devices["phone"].addresses[0]
    there, back = round_trip(topology, "home", phone)
    assert there.hosts == ("home", "bcc", "bcc2", "phone")
    assert back.hosts == ("phone", "bcc2", "home")
    assert loads(dump_text(assign(inventory))).devices["phone"].chosen_relay == "bcc2"
    assert ["bcc"] == [link.peer for link in build(loads(TEXT.replace(", relay: bcc2", ""))).desired("phone").links]


@pytest.mark.parametrize("name", ["home", "bcc3"])
def test_a_name_that_is_no_relay_is_told(name: str) -> None:
    with pytest.raises(InventoryError) as error:
        loads(TEXT.replace("relay: bcc2", f"relay: {name}"))
    assert f"devices.phone.relay: {name} is no relay" in error.value.problems[0]
    assert "fix: one of: bcc, bcc2" in error.value.problems[0]
