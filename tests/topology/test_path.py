"""Packets of the reference network hop by hop, and the reason where one is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from wgorch.inventory.load import load, loads
from wgorch.topology.desired import Desired
from wgorch.topology.path import round_trip, walk
from wgorch.topology.topology import build

TOPOLOGY = build(load(Path(__file__).parents[2] / "inventory" / "home-company.yaml"))
TARGET = ip_address("10.10.13.61")
LAN = ip_network("10.10.13.0/24")


def lan_interface(_host: str, _lan: object) -> str:
    return "ens192"


def other_than(name: str, change: Callable[[Desired], Desired]) -> Callable[[str], Desired]:
    """The network with one host that is not as it should be."""
    return lambda host: change(TOPOLOGY.desired(host)) if host == name else TOPOLOGY.desired(host)


def without(peer: str, *lost: str) -> Callable[[Desired], Desired]:
    """One peer's entry without some of its allowed-ips."""
    nets = set(map(ip_network, lost))

    def change(desired: Desired) -> Desired:
        links = (
            link._replace(allowed_ips=tuple(n for n in link.allowed_ips if n not in nets))
            if link.peer == peer
            else link
            for link in desired.links
        )
        return replace(desired, links=tuple(links))

    return change


def test_the_path_from_home_to_the_target_names_every_hop() -> None:
    expected = (
        "home.wg0 -> (tunnel) -> bcc.wg0 -> (forward) -> bcc.wg0 -> (tunnel) -> company.wg0 -> "
        "(forward, masquerade) -> company.ens192 -> 10.10.13.61"
    )

    assert expected == str(walk(TOPOLOGY, "home", TARGET, interface_of=lan_interface))


def test_a_peer_that_lacks_the_lan_is_named_with_what_it_lacks() -> None:
    dropped = walk(TOPOLOGY, "home", TARGET, desired=other_than("home", without("bcc", "10.10.13.0/24")))

    assert "home: peer bcc lacks 10.10.13.0/24" == dropped.dropped
    assert ("home",) == dropped.hosts


def test_the_same_on_the_relay_names_the_relay() -> None:
    dropped = walk(TOPOLOGY, "home", TARGET, desired=other_than("bcc", without("company", "10.10.13.0/24")))

    assert "bcc: peer company lacks 10.10.13.0/24" == dropped.dropped


def test_a_source_that_the_next_host_does_not_allow_names_that_host() -> None:
    dropped = walk(TOPOLOGY, "home", TARGET, desired=other_than("company", without("bcc", "192.168.2.0/24")))

    assert "company: peer bcc lacks 192.168.2.2/32" == dropped.dropped
    assert ("home", "bcc") == dropped.hosts


def test_a_relay_that_does_not_forward_is_named() -> None:
    still = other_than("bcc", lambda d: replace(d, forwards_between_peers=False))

    assert (
        "bcc does not forward between peers" == walk(TOPOLOGY, "home", ip_address("192.168.2.3"), desired=still).dropped
    )


def test_a_missing_route_is_named() -> None:
    lost = other_than("home", lambda d: replace(d, routes=()))

    assert "home: no route to 10.10.13.61 via wg0" == walk(TOPOLOGY, "home", TARGET, desired=lost).dropped


def test_a_loop_of_allowed_ips_ends_and_is_named() -> None:
    def swapped(name: str) -> Desired:
        desired = TOPOLOGY.desired(name)
        if name != "bcc":
            return replace(desired, forwards_between_peers=True, lans=())
        links = [
            link._replace(allowed_ips=(*link.allowed_ips, LAN) if link.peer == "home" else (ip_network("192.168.2.3"),))
            for link in desired.links
        ]
        return replace(desired, links=tuple(links))

    assert "routing loop: home is passed twice" == walk(TOPOLOGY, "home", TARGET, desired=swapped).dropped


@pytest.mark.parametrize(
    ("source", "origin", "target"),
    [
        ("home", None, "10.10.13.61"),
        ("bcc", None, "10.10.13.61"),
        ("company", None, "192.168.2.2"),
        ("company", "10.10.13.61", "192.168.2.2"),
        ("company", "10.10.13.61", "192.168.2.1"),
        ("home", None, "192.168.2.3"),
    ],
)
def test_the_network_works_in_both_directions(source: str, origin: str | None, target: str) -> None:
    path = walk(TOPOLOGY, source, ip_address(target), origin=ip_address(origin) if origin else None)

    assert "" == path.dropped


def test_an_address_outside_the_network_has_no_route() -> None:
    assert "home: no route to 10.99.0.1 via wg0" == walk(TOPOLOGY, "home", ip_address("10.99.0.1")).dropped


def test_a_tunnel_address_that_no_host_has_is_dropped_at_the_relay() -> None:
    path = walk(TOPOLOGY, "home", ip_address("192.168.2.77"))

    assert not path.arrives
    assert "bcc: no peer has 192.168.2.77/32" == path.dropped


NESTED = """\
network: {name: office, subnet: 192.168.2.0/24}
hosts:
  bcc: {ssh: root@203.0.113.13, address: 192.168.2.1, endpoint: "203.0.113.13:51820", relay: true}
  campus: {ssh: campus, address: 192.168.2.2, subnets: [10.0.0.0/8]}
  branch: {ssh: branch, address: 192.168.2.3, subnets: [10.20.0.0/24, 172.16.0.0/24]}
  desk: {ssh: desk, address: 192.168.2.4, subnets: [10.20.0.64/26]}
"""


@pytest.mark.parametrize(
    ("source", "address", "last"),
    [
        ("bcc", "10.20.0.7", "branch"),
        ("bcc", "10.20.0.65", "desk"),
        ("bcc", "10.21.0.7", "campus"),
        ("campus", "10.20.0.7", "branch"),
        ("campus", "10.20.0.65", "desk"),
        ("branch", "10.20.0.65", "desk"),
        ("desk", "10.20.0.7", "branch"),
        ("desk", "10.9.0.1", "campus"),
    ],
)
def test_of_nested_lans_the_innermost_gets_the_packet(source: str, address: str, last: str) -> None:
    inventory = loads(NESTED)
    there, back = round_trip(build(inventory), source, ip_address(address))

    assert there.arrives and back.arrives
    assert last == there.hosts[-1]
    assert inventory.is_in_lan(last, ip_address(address))
    assert [warning for warning in inventory.warnings if "lies inside hosts.campus.subnets[0]" in warning]
