"""Several endpoints of a host: each pair takes the best that both have, and neighbours in a LAN need no relay."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.conftest import LONG
from tests.interop.hosts import key_of
from wgorch.errors import InventoryError, UsageError
from wgorch.facts.links import Links, Route
from wgorch.interop.export import shared_peers
from wgorch.interop.formats.site import site_of
from wgorch.inventory.dump import dump, dump_text
from wgorch.inventory.load import loads
from wgorch.inventory.model import Inventory
from wgorch.steps.firewall import _input
from wgorch.steps.peers import differing, peer_of
from wgorch.topology.path import unreachable_flows
from wgorch.topology.topology import Topology, build

V4, V6 = frozenset({4}), frozenset({6})
BOTH = V4 | V6

TEXT = """
network: {name: office, subnet: 10.99.0.0/24}
groups: {near: [berlin, printer]}
hosts:
  bcc: {ssh: bcc, relay: true, endpoint: ["198.51.100.7:51820", "[2001:db8::7]:51821"]}
  gw:
    ssh: gw
    subnets: [10.1.0.0/24]
    endpoint: [{address: "203.0.113.9:443"}, {lan: "10.1.0.5:51820", only: [near]}, {lan: "10.1.0.5:7"}]
  berlin: {ssh: berlin, behind: gw}
  printer: {ssh: printer, behind: gw}
  other: {ssh: other, behind: gw}
  home: {ssh: home}
"""


def ends(topology: Topology, name: str) -> dict[str, str]:
    return {link.peer: str(link.endpoint) for link in topology.desired(name).links}


def test_each_pair_takes_the_best_that_both_have() -> None:
    inventory = loads(TEXT)
    topology = build(inventory, versions={"home": V6, "berlin": BOTH, "other": V4})
    assert ends(topology, "home") == {"bcc": "[2001:db8::7]:51821", "gw": "203.0.113.9:443"}
    assert ends(topology, "berlin") == {"bcc": "198.51.100.7:51820", "gw": "10.1.0.5:51820"}
    assert ends(topology, "other") == {"bcc": "198.51.100.7:51820", "gw": "10.1.0.5:7"}  # behind it, and not in `only`
    assert ends(topology, "gw")["bcc"] == "198.51.100.7:51820"  # nothing is known of it: the order of the file
    assert inventory.hosts["gw"].listen_port == 51820  # as its LAN sees it


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("known", [None, V4, V6, BOTH, frozenset()])
def test_the_lan_comes_first_then_what_is_within_reach_then_the_order(
    order: tuple[int, ...], known: frozenset[int] | None
) -> None:
    texts = ["203.0.113.9:1", "[2001:db8::9]:1", {"lan": "10.1.0.5:1", "only": ["near"]}]
    data = yaml.safe_load(TEXT)
    data["hosts"]["gw"]["endpoint"] = [texts[number] for number in order]
    versions = {} if known is None else {"home": known, "berlin": known}
    topology = build(loads(yaml.safe_dump(data, sort_keys=False)), versions=versions)
    assert ends(topology, "berlin")["gw"] == "10.1.0.5:1"
    public = [text for number in order if isinstance(text := texts[number], str)]
    if known in (V4, V6):
        public = [text for text in public if ("[" in text) == (known == V6)]
    assert ends(topology, "home")["gw"] == public[0]


SPOKES = """
network: {name: office, subnet: 10.99.0.0/24}
hosts:
  bcc: {ssh: bcc, relay: true, endpoint: "198.51.100.7:51820"}
  gw: {ssh: gw, subnets: [10.1.0.0/24], endpoint: [{lan: "10.1.0.5:51820"}]}
  berlin: {ssh: berlin, behind: gw}
  paris: {ssh: paris}
"""


def test_neighbours_without_a_public_endpoint_need_no_relay() -> None:
    topology = build(loads(SPOKES))
    assert topology.path("berlin", "gw") == ["berlin", "gw"]
    assert topology.path("gw", "berlin") == ["gw", "berlin"]
    assert topology.path("paris", "gw") == ["paris", "bcc", "gw"]
    assert topology.path("berlin", "paris") == ["berlin", "bcc", "paris"]
    assert ends(topology, "berlin") == {"bcc": "198.51.100.7:51820", "gw": "10.1.0.5:51820"}
    assert ends(topology, "gw") == {"bcc": "198.51.100.7:51820", "berlin": "None"}
    nets = {link.peer: list(map(str, link.allowed_ips)) for link in topology.desired("berlin").links}
    assert nets == {"bcc": ["10.99.0.0/24"], "gw": ["10.1.0.0/24", "10.99.0.2/32"]}
    assert not topology.can_peer_directly("berlin", "gw")
    assert not unreachable_flows(topology)


def test_links_separate_neighbours_too() -> None:
    topology = build(loads(SPOKES.replace("paris: {ssh: paris}", "paris: {ssh: paris, behind: gw}")))
    assert topology.path("paris", "gw") == ["paris", "gw"]


def test_two_relays_and_a_neighbour() -> None:
    more = '  bcc2: {ssh: bcc2, relay: true, endpoint: ["198.51.100.8:51820", {lan: "10.1.0.8:7", only: [gw]}]}\n'
    topology = build(loads(SPOKES + more))
    assert ends(topology, "gw")["bcc2"] == "10.1.0.8:7"
    assert ends(topology, "berlin")["bcc2"] == "198.51.100.8:51820"
    assert topology.path("berlin", "gw") == ["berlin", "gw"]
    link = topology.desired("gw").link("berlin")
    assert link is not None
    assert link.interface in ("", "wg0")


@pytest.mark.parametrize("text", [TEXT, SPOKES])
def test_a_list_is_written_as_it_is_read(text: str) -> None:
    inventory = loads(text)
    again = loads(dump_text(inventory))
    assert dump(again) == dump(inventory)
    assert {n: h.ways for n, h in again.hosts.items()} == {n: h.ways for n, h in inventory.hosts.items()}


def changed(endpoint: str) -> str:
    return TEXT.replace(
        '[{address: "203.0.113.9:443"}, {lan: "10.1.0.5:51820", only: [near]}, {lan: "10.1.0.5:7"}]', endpoint
    )


MISTAKES = {
    "[]": "hosts.gw.endpoint: expected 1 to 16 endpoints",
    "[{}]": "hosts.gw.endpoint[0]: expected either address or lan",
    '[{address: "1.2.3.4:5", lan: "10.1.0.5:1"}]': "hosts.gw.endpoint[0]: expected either address or lan",
    '[{adress: "1.2.3.4:5"}]': 'hosts.gw.endpoint[0].adress: unknown field. Did you mean "address"?',
    '[{address: "1.2.3.4"}]': "hosts.gw.endpoint[0].address: port missing",
    '["203.0.113.1:1", "1.2.3.4"]': "hosts.gw.endpoint[1]: port missing",
    '[{lan: "10.1.0.5:1", only: berlin}]': "hosts.gw.endpoint[0].only: expected a list of members",
    '[{lan: "10.1.0.5:1", only: [berlni]}]': 'hosts.gw.endpoint[0]: "only" names no host, device or group "berlni". Did you',
    '[{lan: "10.1.0.5:1", only: [gw]}]': 'hosts.gw.endpoint[0]: "only" names gw itself alone',
    '[{lan: "10.1.0.5:1", only: [home]}]': "hosts.gw.endpoint[0]: home would reach 10.1.0.5 through the tunnel itself",
    '["10.1.0.5:1"]': "hosts.gw.subnets[0]: it contains the endpoint of gw 10.1.0.5",
    '["203.0.113.1:1", "10.99.0.7:1"]': "hosts.gw.endpoint[1]: 10.99.0.7 lies inside network.subnet",
    '["203.0.113.1:1", "198.51.100.7:51820"]': "hosts.gw.endpoint[1]: 198.51.100.7:51820 is also the endpoint of hosts.bcc",
    "[2001:db8::1]": "hosts.gw.endpoint: YAML reads [..] as a list",
}  # fmt: skip


@pytest.mark.parametrize("endpoint", MISTAKES)
def test_a_mistake_in_a_list_is_told_at_its_item(endpoint: str) -> None:
    with pytest.raises(InventoryError) as error:
        loads(changed(endpoint))
    assert any(MISTAKES[endpoint] in problem for problem in error.value.problems), error.value.problems


def test_a_port_forward_with_another_port_is_an_ordinary_case() -> None:
    inventory: Inventory = loads(
        changed('"203.0.113.9:443"').replace("subnets: [10.1", "listen_port: 51820\n    subnets: [10.1")
    )
    assert inventory.warnings == ()
    assert (str(inventory.hosts["gw"].endpoint), inventory.hosts["gw"].listen_port) == ("203.0.113.9:443", 51820)


def drawn(chance: random.Random) -> dict[str, Any]:
    """Sites of a gateway and hosts behind it, each with endpoints of some kinds, and relays."""
    hosts: dict[str, dict[str, Any]] = {}
    relays = chance.randint(1, 3)
    for number in range(relays):
        public = [f"198.51.100.{number + 1}:51820", f"[2001:db8::{number + 1}]:51820"]
        ends: Any = chance.choice([public[0], public, public[::-1]])
        hosts[f"r{number}"] = {"ssh": f"r{number}", "relay": True, "endpoint": ends}
    for site in range(chance.randint(1, 3)):
        gateway, names = f"g{site}", [f"s{site}h{n}" for n in range(chance.randint(0, 3))]
        hosts[gateway] = {"ssh": gateway, "subnets": [f"10.{site}.0.0/24"]}
        for name in names:
            hosts[name] = {"ssh": name, "behind": gateway}
        for number, name in enumerate([gateway, *names]):
            ways: list[Any] = []
            if chance.random() < 0.4:
                only = chance.sample(sorted({gateway, *names} - {name}), 1) if names and chance.random() < 0.5 else []
                ways.append({"lan": f"10.{site}.0.{number + 5}:51820"} | ({"only": only} if only else {}))
            if chance.random() < 0.3:
                ways.append({"address": f"203.0.113.{site * 20 + number}:{chance.choice([443, 51820])}"})
            if ways:
                chance.shuffle(ways)
                hosts[name]["endpoint"] = ways
    network: dict[str, Any] = {"name": "office", "subnet": "10.99.0.0/24"}
    if chance.random() < 0.2:
        network["direct"] = "try"
    data = {"network": network, "hosts": hosts}
    plain = [n for n in hosts if not hosts[n].get("relay")]
    if len(plain) > 1 and chance.random() < 0.4:
        one, other = chance.sample(plain, 2)
        data["links"] = [f"{one} -x- {other}"]
    return data


@pytest.mark.parametrize("seed", range(3000 if LONG else 150))
def test_peers_are_mutual_and_every_path_ends(seed: int) -> None:
    chance = random.Random(f"ways {seed}")
    data = drawn(chance)
    try:
        inventory = loads(yaml.safe_dump(data, sort_keys=False))
    except InventoryError as error:
        assert "neither" in str(error) or "share" in str(error) or "endpoint of" in str(error), error
        return
    versions = {name: chance.choice([V4, V6, BOTH]) for name in inventory.hosts if chance.random() < 0.7}
    topology = build(inventory, versions=versions)
    again = loads(dump_text(inventory))
    assert dump(again) == dump(inventory)
    for name in inventory.hosts:
        peers = list(topology.peers(name))
        assert len(peers) == len(set(peers)), (name, peers)
        for peer in peers:
            assert name in set(topology.peers(peer)), (name, peer)
            assert topology.endpoint_for(peer, name) or topology.endpoint_for(name, peer), (name, peer)
        by_interface: dict[str, list[Any]] = {}
        for link in topology.desired(name).links:
            by_interface.setdefault(link.interface or "wg0", []).extend(link.allowed_ips)
        for nets in by_interface.values():
            assert len(nets) == len(set(nets)), (name, nets)
        for other in inventory.hosts:
            if other == name:
                continue
            path = topology.path(name, other)
            assert path[:1] == [name], (name, other, path)
            assert path[-1] == other, (name, other, path)
            for here, there in itertools.pairwise(path):
                assert there in set(topology.peers(here)), (here, there, path)
                entry = topology.desired(here).link(there)
                assert entry is not None
                assert any(inventory.hosts[other].address in net for net in entry.allowed_ips), (here, there, other)


def changed_hosts(**hosts: Any) -> str:
    data = yaml.safe_load(TEXT)
    data["hosts"] |= hosts
    return yaml.safe_dump(data, sort_keys=False)


def test_a_host_in_a_lan_gets_no_route_into_the_tunnel_for_it_with_two_relays() -> None:
    more = '  bcc2: {ssh: bcc2, relay: true, endpoint: "198.51.100.8:51820"}\n'
    berlin = build(loads(SPOKES + more)).desired("berlin")
    routed = {str(net) for nets in berlin.routes_by_interface.values() for net in nets}
    assert "10.1.0.0/24" not in routed
    assert "10.99.0.2/32" in routed


def test_ends_that_choose_otherwise_are_no_drift() -> None:
    text = """
network: {name: office, subnet: 10.99.0.0/24}
hosts:
  gw: {ssh: gw, endpoint: [{lan: "10.1.0.5:51820", only: [berlin]}, "198.51.100.7:51820"]}
  berlin: {ssh: berlin, endpoint: "198.51.100.8:51820"}
  far: {ssh: far, endpoint: "198.51.100.9:51820"}
"""
    topology = build(loads(text))
    link, far = topology.desired("gw").link("berlin"), topology.desired("gw").link("far")
    assert link is not None
    assert far is not None
    assert (link.roams, far.roams) == (True, False)
    wanted, live = peer_of(link, "key"), replace(peer_of(link, "key"), endpoint="10.1.0.6:51820")
    assert list(differing(wanted, live)) == []
    assert list(differing(wanted, replace(live, endpoint=None))) == ["endpoint is not set, not 198.51.100.8:51820"]
    moved = replace(peer_of(far, "key"), endpoint="10.1.0.6:51820")
    assert list(differing(peer_of(far, "key"), moved)) == ["endpoint is 10.1.0.6:51820, not 198.51.100.9:51820"]


def test_a_forwarded_port_is_no_drift() -> None:
    """A router gives what its host sends first a source port of its own."""
    text = """
network: {name: office, subnet: 10.99.0.0/24}
hosts:
  bcc: {ssh: bcc, relay: true, endpoint: "198.51.100.7:51820"}
  gw: {ssh: gw, endpoint: "203.0.113.9:443", listen_port: 51820}
  a: {ssh: a}
"""
    topology = build(loads(text))
    link, back = topology.desired("bcc").link("gw"), topology.desired("gw").link("bcc")
    assert link is not None
    assert back is not None
    assert (link.roams, back.roams) == (True, False)
    live = replace(peer_of(link, "key"), endpoint="203.0.113.9:51820")
    assert list(differing(peer_of(link, "key"), live)) == []
    listed = build(loads(text.replace('"203.0.113.9:443"', '["203.0.113.9:443"]')))
    assert [link.roams for link in listed.desired("bcc").links] == [True, False]


REFUSED = {
    "a group without members": (
        TEXT.replace("near: [berlin, printer]", "near: []"),
        'hosts.gw.endpoint[1]: "only" names the group near, which has no member',
    ),
    "a host that reaches none": (
        "network: {name: office, subnet: 10.99.0.0/24}\nhosts:\n"
        '  a: {ssh: a, endpoint: [{lan: "10.1.0.5:1", only: [b]}]}\n  b: {ssh: b}\n  c: {ssh: c}\n',
        "hosts: c can connect to no host",
    ),
    "two spokes without a relay": (
        'network: {name: office, subnet: 10.99.0.0/24}\nhosts:\n  pub: {ssh: p, endpoint: ["198.51.100.7:1"]}\n'
        "  a: {ssh: a}\n  b: {ssh: b}\n",
        "b and a cannot connect to each other, and no host is a relay",
    ),
    "another gateway's LAN": (
        changed_hosts(far={"ssh": "far", "subnets": ["10.2.0.0/24"]}).replace("10.1.0.5:7", "10.2.0.5:7"),
        "hosts.gw.endpoint[2]: berlin would reach 10.2.0.5 through the tunnel itself: 10.2.0.0/24 of far is routed",
    ),
    "a device's own, inside the tunnel": (
        TEXT + 'devices: {phone: {endpoint: [{address: "10.99.0.77:5", only: [bcc]}]}}\n',
        "devices.phone.endpoint[0]: 10.99.0.77 lies inside network.subnet",
    ),
    "one machine twice in a LAN": (
        TEXT.replace("{ssh: printer, behind: gw}", '{ssh: printer, behind: gw, endpoint: [{lan: "10.1.0.5:51820", only: [berlin]}]}'),
        "10.1.0.5:51820, as berlin reaches it, is also of hosts.gw",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_list_cannot_mean_is_said(case: str) -> None:
    text, expected = REFUSED[case]
    try:
        said = list(loads(text).warnings)
    except InventoryError as error:
        said = list(error.problems)
    assert any(expected in each for each in said), said


def test_what_is_written_for_others_has_every_endpoint() -> None:
    device = 'devices: {router: {listen_port: 51900, endpoint: [{lan: "10.1.0.7:40000", only: [berlin]}]}}\n'
    inventory = loads(TEXT + device.replace("router: {", "router: {public_key: " + key_of("router") + ", "))
    assert loads(dump_text(inventory)).devices["router"].listen_port == 51900
    topology = build(inventory, versions={"home": V6})
    site = site_of(topology, "router", {name: key_of(name) for name in inventory.members}, None, ())
    assert site.listen_port == 51900
    with pytest.raises(UsageError, match="has several endpoints"):
        shared_peers(topology, {})


def test_separated_neighbours_stay_separated_with_direct_peers() -> None:
    text = SPOKES.replace("10.99.0.0/24}", "10.99.0.0/24, direct: try}")
    topology = build(loads(text + "links: [berlin -x- gw]\n"))
    assert not topology.can_peer_directly("berlin", "gw")
    assert topology.path("berlin", "gw") == ["berlin", "bcc", "gw"]


def test_the_default_route_of_a_version_is_one_that_leads_somewhere() -> None:
    anywhere = ip_network("::/0")
    unreachable = Route(anywhere, "lo", "", "static", 0, kind="unreachable")
    assert Links({}, (), (unreachable,)).egress_interface(6, "wg0") is None
    assert Links({}, (), (unreachable, Route(anywhere, "eth0", "", "ra", 100))).egress_interface(6, "wg0") == "eth0"


@pytest.mark.parametrize(
    ("endpoint", "versions"),
    [
        ('"198.51.100.7:51820"', {4}),
        ('["198.51.100.7:51820", "[2001:db8::7]:51820"]', {4, 6}),
        ('[{lan: "10.1.0.5:51820"}]', {4}),
        ('[{address: "[2001:db8::7]:51820", only: [home]}]', {6}),
    ],
)
def test_the_port_is_let_in_over_each_version_of_each_endpoint(endpoint: str, versions: set[int]) -> None:
    text = f"network: {{name: office, subnet: 10.99.0.0/24}}\nhosts:\n  a: {{ssh: a, endpoint: {endpoint}}}\n  home: {{ssh: home, behind: a}}\n"
    topology = build(loads(text.replace("{ssh: a,", "{ssh: a, subnets: [10.1.0.0/24],")))
    target = SimpleNamespace(desired=topology.desired("a"), network=topology.inventory.network, tunnels=("wg0",))
    opened = {version for version in (4, 6) if any("--dport 51820" in str(r) for r in _input(target, version))}  # type: ignore[arg-type]
    assert opened == versions
