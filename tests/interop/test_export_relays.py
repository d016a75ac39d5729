"""Files of a host with several relays describe one interface, with the relay that it prefers."""

from __future__ import annotations

from pathlib import Path

import pytest

from wgorch.errors import Unfit
from wgorch.interop.export import with_one_relay
from wgorch.inventory.load import load
from wgorch.topology.topology import build

TOPOLOGY = build(load(Path(__file__).parents[2] / "inventory" / "two-relays.yaml"))


def test_a_host_has_its_preferred_relay_alone() -> None:
    desired = with_one_relay(TOPOLOGY, "home").desired("home")

    assert ["bcc"] == [link.peer for link in desired.links]
    assert ("wg0",) == desired.interfaces
    assert {"192.168.2.0/24", "10.10.13.0/24"} == {str(net) for net in desired.links[0].allowed_ips}


def test_a_relay_beside_others_is_refused() -> None:
    with pytest.raises(Unfit, match="a file describes one"):
        with_one_relay(TOPOLOGY, "bcc")
