"""Peering of small networks: relays, separated hosts, direct peers."""

from __future__ import annotations

from tests.networks import TUNNELS, make_host
from wgorch.inventory.flow import LinkRule
from wgorch.inventory.model import Inventory, Network
from wgorch.topology.desired import DirectPeer
from wgorch.topology.topology import Topology, build

PUBLIC, RELAY, SPOKE = (True, False), (True, True), (False, False)


def network(*kinds: tuple[bool, bool], links: tuple[LinkRule, ...] = ()) -> Inventory:
    """Hosts h0, h1, …, each public or not, and a relay or not."""
    hosts = [
        make_host(number, (4,), public=public, relay=relay, lans=(), masquerade=True, keepalive=25)
        for number, (public, relay) in enumerate(kinds)
    ]
    return Inventory("x.yaml", Network("office", (TUNNELS[4],)), {h.name: h for h in hosts}, links=links)


def peers(topology: Topology) -> dict[str, list[str]]:
    return {name: list(topology.peers(name)) for name in topology.hosts}


def test_hosts_without_an_endpoint_share_a_relay() -> None:
    topology = build(network(RELAY, SPOKE, SPOKE))

    assert {"h0": ["h1", "h2"], "h1": ["h0"], "h2": ["h0"]} == peers(topology)
    assert ["h1", "h0", "h2"] == topology.path("h1", "h2")


def test_the_first_relay_is_that_of_every_spoke_unless_a_link_gives_another() -> None:
    topology = build(network(RELAY, RELAY, SPOKE, SPOKE, links=(LinkRule("h3", "h1", True),)))

    assert ("h0", "h1", None) == (topology.relay_of("h2"), topology.relay_of("h3"), topology.relay_of("h1"))
    assert ["h2", "h0", "h1", "h3"] == topology.path("h2", "h3")


def test_separated_hosts_are_no_peers_and_use_a_common_relay() -> None:
    topology = build(network(RELAY, PUBLIC, PUBLIC, links=(LinkRule("h1", "h2", False),)))

    assert {"h0": ["h1", "h2"], "h1": ["h0"], "h2": ["h0"]} == peers(topology)
    assert ("h0", frozenset({"h2"})) == (topology.common_relay("h1", "h2"), topology.separated("h1"))
    assert ["h1", "h0", "h2"] == topology.path("h1", "h2")


def test_without_a_relay_two_spokes_have_no_path() -> None:
    topology = build(network(PUBLIC, SPOKE, SPOKE))

    assert ([], None) == (topology.path("h1", "h2"), topology.next_hop("h1", "h2"))
    assert not topology.can_peer_directly("h1", "h2")


def test_an_active_direct_peer_bypasses_the_relay_and_an_inactive_one_does_not() -> None:
    inventory = network(RELAY, SPOKE, SPOKE)
    for active, expected in ((True, ["h1", "h2"]), (False, ["h1", "h0", "h2"])):
        topology = build(inventory, {"h1": {"h2": DirectPeer(active=active)}, "h2": {"h1": DirectPeer(active=active)}})

        assert topology.can_peer_directly("h1", "h2")
        assert expected == topology.path("h1", "h2")
        assert ["h0", "h2"] == list(topology.peers("h1"))


def test_the_entry_of_the_relay_is_the_fall_back_of_an_active_direct_peer() -> None:
    topology = build(network(RELAY, SPOKE, SPOKE), {"h1": {"h2": DirectPeer(active=True)}})
    relay = topology.without_direct_peers.desired("h1").link("h0")

    assert (("h2", relay),) == topology.desired("h1").fall_backs
    assert () == topology.desired("h2").fall_backs


def test_hosts_with_the_same_view_of_a_peer_share_its_link() -> None:
    topology = build(network(PUBLIC, PUBLIC, PUBLIC))

    assert topology.desired("h1").link("h0") is topology.desired("h2").link("h0")
