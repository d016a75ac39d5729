"""The map stands by itself, no box covers another, and no text of a host is markup."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.trace.recordings import recorded
from wgorch.errors import Unfit
from wgorch.inventory.load import load, loads
from wgorch.outcome import Status
from wgorch.report.map.map import Map
from wgorch.topology.topology import build

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "inventory").glob("*.yaml"))
SVG = "{http://www.w3.org/2000/svg}"


def star(hosts: int) -> str:
    """A relay and so many spokes with a LAN each."""
    lines = [
        "network: {name: star, subnet: 10.99.0.0/16}",
        "hosts:",
        "  hub: {ssh: a, endpoint: 192.0.2.1:51820, relay: true}",
    ]
    lines += [f"  branch-{i}: {{ssh: a{i}, subnets: [10.{i + 1}.0.0/24]}}" for i in range(hosts - 1)]
    return "\n".join(lines)


def maps() -> list[tuple[str, Map]]:
    found = [(path.stem, Map(build(load(path)))) for path in EXAMPLES]
    return found + [(f"star{n}", Map(build(loads(star(n))))) for n in (3, 12, 60)]


@pytest.mark.parametrize(("name", "drawn"), maps(), ids=[name for name, _ in maps()])
def test_every_member_is_shown_and_none_is_covered(name: str, drawn: Map) -> None:
    root = ElementTree.fromstring(drawn.svg())
    shown = {g.get("data-name") for g in root.iter(f"{SVG}g") if g.get("data-name")}
    assert shown == set(drawn.topology.hosts)
    assert len(list(root.iter(f"{SVG}line"))) == len(drawn.edges)
    for one, other in combinations(drawn.boxes.values(), 2):
        apart_x = abs(one.x - other.x) >= (one.width + other.width) / 2
        apart_y = abs(one.y - other.y) >= (one.height + other.height) / 2
        assert apart_x or apart_y, f"{one.name} and {other.name} lie on each other"
    assert drawn.svg() == Map(drawn.topology).svg()


def test_tunnels_tell_their_state_without_colour_too() -> None:
    seen, _, _ = recorded("healthy")
    status = Status(0, seen, {}, {}, {name: host.wireguard["wg0"].public_key for name, host in seen.items()})
    drawn = Map(build(load(ROOT / "inventory" / "home-company.yaml")), status)

    assert {"up", "stale"} & {edge.state for edge in drawn.edges}
    assert all(edge.label[0] in "✓!✗" and "handshake" in edge.detail for edge in drawn.edges)
    style = (ROOT / "wgorch" / "report" / "map" / "map.css").read_text()
    dashes = {
        state: re.search(rf"\.tunnel\.{state} {{[^}}]*dasharray: ([^;]+)", style) for state in ("up", "stale", "down")
    }
    assert len({hit[1] for hit in dashes.values() if hit}) == 3


def test_a_page_needs_nothing_from_outside_and_takes_no_text_for_markup() -> None:
    evil = "</script><script>alert(1)</script><img src=x>"
    lost = {"branch-0": Unfit("branch-0", "connect", evil)}
    drawn = Map(build(loads(star(3))), Status(2, {}, {}, lost, {}))
    page = drawn.html()

    assert evil not in page
    assert "<img" not in page
    assert not re.findall(r'(?:src|href)="', page)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_message_of_an_error_does_not_change_the_shapes() -> None:
    def shapes(problem: str) -> list[tuple[str, str | None]]:
        lost = {"branch-0": Unfit("branch-0", "connect", problem)}
        drawn = Map(build(loads(star(3))), Status(2, {}, {}, lost, {}))
        return [(element.tag, element.get("class")) for element in ElementTree.fromstring(drawn.svg()).iter()]

    assert shapes("qwertzuiop") == shapes("relay: up, no handshake yet")


@pytest.mark.parametrize(
    "text", ["@DATA@", "@SVG@", "@NETWORK@", "' onfocus=x @DATA@", "</script><script>", '"><img src=x>']
)
def test_no_text_of_a_host_is_filled_in_again(text: str) -> None:
    topology = build(load(ROOT / "inventory" / "home-company.yaml"))
    status = Status(2, {}, {}, {"home": Unfit("home", "connect", text)}, {})
    page = Map(topology, status).html()

    assert 1 == page.count("<svg")
    assert 2 == page.count("<script")
    assert 1 == page.count('"paths":')
    assert escape(text, quote=False)[:12] in page or escape(text)[:12] in page


def test_the_policy_allows_the_page_s_own_script_and_style_and_no_other() -> None:
    page = Map(build(load(ROOT / "inventory" / "home-company.yaml"))).html()
    policy = re.search('content="(default-src[^"]*)"', page)
    assert policy
    assert "unsafe" not in policy[1]
    for kind, tag in (("script", "<script>"), ("style", "<style>")):
        blocks = re.findall(f"{tag}(.*?)</{kind}>", page, re.S)
        hashes = {f"'sha256-{b64encode(sha256(block.encode()).digest()).decode()}'" for block in blocks}
        listed = re.search(f"{kind}-src ([^;]*)", policy[1])
        assert listed
        assert hashes == set(listed[1].split())
