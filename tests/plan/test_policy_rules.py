"""Policy rules of others: those that take a network from the tunnel are named, with the route that does it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.interop.hosts import host
from wgorch.facts import links
from wgorch.inventory.load import load
from wgorch.plan.notes import routes_inside
from wgorch.topology.topology import build

TOPOLOGY = build(load(Path(__file__).parents[2] / "inventory" / "home-company.yaml"))
STANDARD = ["0:\tfrom all lookup local", "32766:\tfrom all lookup main", "32767:\tfrom all lookup default"]


def notes(rules: list[str], tables: list[str], name: str = "home") -> str:
    """Notes of a host with some rules, and with what their tables hold."""
    there = host(name, "wlp2s0 192.168.0.9/24", routes=("0.0.0.0/0 192.168.0.1 wlp2s0",))
    answers = {
        "addresses": [*STANDARD[:1], *rules, *STANDARD[1:], "2: wlp2s0    inet 192.168.0.9/24 scope global wlp2s0"],
        "links": ["lo 65536 0x9", "wlp2s0 1500 0x1003"],
        "policy-routes": tables,
    }
    read = links.read(answers)
    assert len(read.addresses) == 1
    assert not read.routes
    seen = replace(there, links=replace(there.links, rules=read.rules, tables=read.tables))
    return "\n".join(note.text for note in routes_inside(TOPOLOGY.desired(name), seen))


@pytest.mark.parametrize(
    ("rules", "tables", "said"),
    [
        (
            ["100:\tfrom all lookup 52"],
            ["table 52", "default dev tun0 scope link"],
            "takes 10.10.13.0/24 from the tunnel",
        ),
        (["100:\tfrom all lookup vpn"], ["table vpn", "10.0.0.0/8 via 192.168.0.7 dev wlp2s0"], "10.10.13.0/24"),
        (["100:\tfrom all to 10.10.0.0/16 unreachable"], [], "policy rule 100: from all to 10.10.0.0/16 unreachable"),
        (["32764:\tnot from all fwmark 0xca6c lookup 51820"], ["table 51820", "default dev wg9"], "51820"),
        (["90:\tfrom 192.168.2.2 lookup 7"], ["table 7", "blackhole default"], "192.168.2.0/24"),
        (
            ["50:\tfrom all lookup 5", "60:\tfrom all lookup 6"],
            ["table 5", "172.16.0.0/12 dev a", "table 6", "default dev b"],
            "from all lookup 6",
        ),
    ],
)
def test_a_rule_that_takes_a_network_is_named(rules: list[str], tables: list[str], said: str) -> None:
    found = notes(rules, tables)
    assert "is asked before the main table" in found
    assert said in found


@pytest.mark.parametrize(
    ("rules", "tables"),
    [
        ([], []),
        (["100:\tfrom all lookup 52"], ["table 52", "100.64.0.0/10 dev tailscale0"]),
        (["100:\tfrom all fwmark 0x80000/0xff0000 lookup 52"], ["table 52", "default dev tailscale0"]),
        (["100:\tfrom all lookup 52"], ["table 52", "throw default", "throw 10.0.0.0/8"]),
        (["100:\tfrom 172.20.0.0/16 lookup 8"], ["table 8", "default dev b"]),
        (["100:\tfrom all to 198.51.100.0/24 prohibit"], []),
        (
            ["50:\tfrom all lookup main suppress_prefixlength 0", "60:\tnot from all fwmark 0x1 lookup 9"],
            ["table 9", "default dev wg9"],
        ),
        (["100:\tfrom all lookup 52"], ["table 52", "192.168.2.0/24 dev wg0", "10.10.13.0/24 dev wg0"]),
        (["100:\tfrom all lookup 52 suppress_prefixlength 0"], ["table 52", "default dev b"]),
        (["32800:\tfrom all lookup 52"], ["table 52", "default dev b"]),
        (["11901:\tfrom all lookup 119051820 proto 119"], []),
        (["1000:\tfrom all lookup [l3mdev-table]"], []),
        (["100:\tfrom all nop", "101:\tfrom all goto 200"], []),
    ],
)
def test_a_rule_that_takes_nothing_is_not(rules: list[str], tables: list[str]) -> None:
    assert notes(rules, tables) == ""
