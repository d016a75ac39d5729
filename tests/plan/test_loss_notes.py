"""What a plan says of a new port or key of running interfaces."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wgorch.inventory.load import loads
from wgorch.plan.notes import loss_notes
from wgorch.state.state import State
from wgorch.state.wireguard import Interface
from wgorch.topology.topology import build

HOSTS = """
network: {name: office, subnet: 10.99.0.0/24}
hosts:
  bcc: {ssh: bcc, relay: true, endpoint: "198.51.100.7:51820"}
  home: {ssh: home}
"""
SECOND = '  bcc2: {ssh: bcc2, relay: true, endpoint: "198.51.100.8:51820"}\n'


def state(port: int = 1, key: str = "old", drained: str = "") -> State:
    interface = Interface("wg0", "wgorch:office", 1420, port, key)
    return State("wgorch:office", "/x", interfaces={"wg0": interface}, drained=drained)


@pytest.mark.parametrize("relays", [1, 2])
@pytest.mark.parametrize("name", ["bcc", "home"])
@pytest.mark.parametrize(
    ("want", "what"),
    [(state(2), "port"), (state(1, "new"), "key"), (state(2, "new"), "port and key"), (state(), "")],
)
def test_it_says_what_is_lost_and_how_to_lose_nothing(relays: int, name: str, want: State, what: str) -> None:
    desired = build(loads(HOSTS + SECOND * (relays - 1))).desired(name)
    said = [note.text for note in loss_notes(desired, want, state())]
    assert bool(said) == bool(what)
    if what:
        assert said[0].startswith(f"a new {what}: its peers lose packets for about 0.3 s")
        assert ("wgorch drain bcc before" in said[0]) == (relays == 2 and name == "bcc")


def test_a_drained_relay_and_a_new_host_lose_nothing() -> None:
    desired = build(loads(HOSTS + SECOND)).desired("bcc")
    assert not list(loss_notes(desired, replace(state(2), drained="1 anna"), state()))
    assert not list(loss_notes(desired, state(2), State("wgorch:office", "/x")))
    assert not list(loss_notes(desired, state(1, "new"), state(1, "")))
