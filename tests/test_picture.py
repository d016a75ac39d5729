"""The map: a picture that stands by itself, in which no box covers another and nothing of a host's is markup."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.trace.recordings import recorded
from wgorch.errors import Unfit
from wgorch.inventory.load import load, loads
from wgorch.outcome import Status
from wgorch.report.map import Picture
from wgorch.topology.topology import build

ROOT = Path(__file__).resolve().parents[1]
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


def pictures() -> list[tuple[str, Picture]]:
    found = [(path.stem, Picture(build(load(path)))) for path in EXAMPLES]
    return found + [(f"star{n}", Picture(build(loads(star(n))))) for n in (3, 12, 60)]


@pytest.mark.parametrize(("name", "picture"), pictures(), ids=[name for name, _ in pictures()])
def test_everyone_is_in_it_and_nobody_is_covered(name: str, picture: Picture) -> None:
    root = ElementTree.fromstring(picture.svg())
    shown = {g.get("data-name") for g in root.iter(f"{SVG}g") if g.get("data-name")}
    assert shown == set(picture.topology.hosts)
    assert len(list(root.iter(f"{SVG}line"))) == len(picture.edges)
    for one, other in combinations(picture.boxes.values(), 2):
        apart_x = abs(one.x - other.x) >= (one.width + other.width) / 2
        apart_y = abs(one.y - other.y) >= (one.height + other.height) / 2
        assert apart_x or apart_y, f"{one.name} and {other.name} lie on each other"
    assert picture.svg() == Picture(picture.topology).svg()


def test_tunnels_tell_their_state_without_colour_too() -> None:
    seen, _, _ = recorded("healthy")
    status = Status(0, seen, {}, {}, {name: host.wireguard["wg0"].public_key for name, host in seen.items()})
    picture = Picture(build(load(ROOT / "inventory" / "home-company.yaml")), status)

    assert {"up", "old"} & {edge.state for edge in picture.edges}
    assert all(edge.label[0] in "✓!✗" and "handshake" in edge.told for edge in picture.edges)
    style = (ROOT / "wgorch" / "report" / "picture.css").read_text()
    dashes = {
        state: re.search(rf"\.tunnel\.{state} {{[^}}]*dasharray: ([^;]+)", style) for state in ("up", "old", "down")
    }
    assert len({hit[1] for hit in dashes.values() if hit}) == 3


def test_a_page_needs_nothing_from_outside_and_takes_no_text_for_markup() -> None:
    evil = "</script><script>alert(1)</script><img src=x>"
    lost = {"branch-0": Unfit("branch-0", "connect", evil)}
    picture = Picture(build(loads(star(3))), Status(2, {}, {}, lost, {}))
    page = picture.html()

    assert evil not in page
    assert "<img" not in page
    assert not re.findall(r'(?:src|href)="', page)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page)
