"""The network as a picture: sites as boxes, NAT, relays, LANs, and the tunnels with their state; SVG, or a page of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from wgorch.base.assets import asset
from wgorch.base.text import visible
from wgorch.base.value import value
from wgorch.errors import UsageError
from wgorch.inventory.model import Host
from wgorch.outcome import Status
from wgorch.report.status import STALE_S, size
from wgorch.topology.topology import Topology
from wgorch.verify.diagnose import Verdict

CHAR, LINE, PAD, GAP, GAP_Y = 7.3, 17.0, 10.0, 110.0, 60.0
"""Pixels: of a character, of a line, inside a box, between boxes side by side, and one above the other."""


MARGIN, WIDE = 40.0, 1.7


WAYS_FOR = 250
"""Up to so many hosts the page knows every way; they grow with the square of the hosts."""


TOLD = {"up": "answers", "old": "last handshake long ago", "down": "no session yet", "unknown": "not asked"}
"""A tunnel's state in words; its stroke says the same without colour."""


@value
class Box:
    """A host or device with what stands in it; `x`, `y` is its middle."""

    name: str
    lines: tuple[str, ...]
    lans: tuple[str, ...]
    nat: bool
    kind: str
    x: float = 0.0
    y: float = 0.0

    @cached_property
    def width(self) -> float:
        return max(len(line) for line in (self.name + "  ", *self.lines, *self.lans)) * CHAR + 2 * PAD + 16

    @cached_property
    def height(self) -> float:
        lans = sum(LINE + 6 for _ in self.lans)
        return LINE * (1 + len(self.lines)) + lans + 2 * PAD + (14 if self.nat else 0)


@value
class Edge:
    """A tunnel between two; `label` is short, `told` is all that is known."""

    one: str
    other: str
    state: str
    label: str
    told: str


@dataclass
class Picture:
    """Boxes and edges of a topology, coloured by what a status and a verdict know of them."""

    topology: Topology
    status: Status | None = None
    verdict: Verdict | None = None

    @cached_property
    def members(self) -> Mapping[str, Host]:
        return self.topology.hosts

    @cached_property
    def edges(self) -> list[Edge]:
        pairs = {tuple(sorted((name, peer))): None for name in self.members for peer in self.topology.peers(name)}
        return [self._edge(one, other) for one, other in pairs]

    def _edge(self, one: str, other: str) -> Edge:
        sides = [side for side in (self._side(one, other), self._side(other, one)) if side]
        rtt = next((ms for ms in (self._rtt(one, other), self._rtt(other, one)) if ms is not None), None)
        if not sides:
            return Edge(one, other, "unknown", "", f"{one} — {other}: {TOLD['unknown']}")
        age = min((age for age, _, _ in sides if age is not None), default=None)
        state = "down" if age is None else "old" if age > STALE_S else "up"
        received, sent = max(side[1] for side in sides), max(side[2] for side in sides)
        label = {"up": "✓", "old": "!", "down": "✗"}[state] + (f" {rtt:.1f} ms" if rtt is not None else "")
        parts = [TOLD[state], f"handshake {age} s ago" if age is not None else "", f"{size(received)} and {size(sent)}"]
        parts += [f"{rtt:.1f} ms there and back"] if rtt is not None else []
        return Edge(one, other, state, label, f"{one} — {other}: {', '.join(filter(None, parts))}")

    def _side(self, name: str, peer: str) -> tuple[int | None, int, int] | None:
        """Handshake's age, bytes received and sent, as one end has it."""
        if self.status is None or name not in self.status.seen or peer not in self.status.keys:
            return None
        seen = self.status.seen[name]
        traffic = seen.wg(self.topology.inventory.network).traffic.get(self.status.keys[peer])
        if traffic is None:
            return (None, 0, 0)
        age = max(0, seen.clock.time - traffic.handshake) if traffic.handshake else None
        return age, traffic.received, traffic.sent

    def _rtt(self, name: str, peer: str) -> float | None:
        measured = self.verdict.measured.get(name) if self.verdict else None
        found = [measured.pings.get(address) for address in self.members[peer].addresses] if measured else []
        return next((ping.rtt_ms for ping in found if ping), None)

    @cached_property
    def boxes(self) -> dict[str, Box]:
        return _placed({name: self._box(name, host) for name, host in self.members.items()}, self.edges)

    def _box(self, name: str, host: Host) -> Box:
        lines = [str(address) for address in host.addresses]
        if host.endpoint:
            lines.append(str(host.endpoint))
        lans = [f"LAN {lan}" if host.real(lan) == lan else f"LAN {host.real(lan)} as {lan}" for lan in host.subnets]
        kind = "device" if host.is_device else "relay" if host.relay else "host"
        if self.status and (error := self.status.unreachable.get(name)):
            lines.append(f"not reached: {visible(error.problem)}"[:40])
            kind += " lost"
        return Box(name, tuple(lines), tuple(lans), not host.endpoint and not host.is_device, kind)

    # --- as text

    def svg(self, *, alone: bool = True) -> str:
        """The picture; `alone`: with a size of its own, for a file."""
        boxes = self.boxes.values()
        left, top = min(b.x - b.width / 2 for b in boxes) - MARGIN, min(b.y - b.height / 2 for b in boxes) - MARGIN
        width = max(b.x + b.width / 2 for b in boxes) + MARGIN - left
        height = max(b.y + b.height / 2 for b in boxes) + MARGIN - top
        network = self.topology.inventory.network
        told = f"WireGuard network {network.name}: {len(self.members)} members, {len(self.edges)} tunnels"
        sized = f' width="{width:.0f}" height="{height:.0f}"' if alone else ""
        view = f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}"
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" id="map"{sized} viewBox="{view}" role="img" aria-label="{escape(told)}">',
            f"<title>{escape(told)}</title>",
            f"<style>{asset('report', 'picture.css')}</style>",
            f'<rect class="paper" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}"/>',
            *(line for edge in self.edges for line in self._edge_svg(edge)),
            *(line for box in boxes for line in _box_svg(box)),
            *(line for edge in self.edges for line in self._label_svg(edge)),
            "</svg>",
        ]
        return "\n".join(lines) + "\n"

    def _ends(self, edge: Edge) -> tuple[Box, Box]:
        return self.boxes[edge.one], self.boxes[edge.other]

    def _edge_svg(self, edge: Edge) -> Iterator[str]:
        one, other = self._ends(edge)
        pair = f'data-one="{escape(edge.one)}" data-other="{escape(edge.other)}"'
        yield f'<line class="tunnel {edge.state}" {pair} x1="{one.x:.0f}" y1="{one.y:.0f}" x2="{other.x:.0f}" y2="{other.y:.0f}">'
        yield f"<title>{escape(edge.told)}</title></line>"

    def _label_svg(self, edge: Edge) -> Iterator[str]:
        if not edge.label:
            return
        one, other = self._ends(edge)
        # Where many meet at one end, the label stands nearer to the other.
        crowd = {name: sum(name in (e.one, e.other) for e in self.edges) for name in (edge.one, edge.other)}
        if crowd[edge.one] > crowd[edge.other]:
            one, other = other, one
        (x1, y1), (x2, y2) = _leaves(one, other), _leaves(other, one)
        part = 0.5 if crowd[edge.one] == crowd[edge.other] else 0.38
        x, y = x1 + (x2 - x1) * part, y1 + (y2 - y1) * part
        wide = len(edge.label) * 6.6 + 8
        yield f'<rect class="label" x="{x - wide / 2:.0f}" y="{y - 8:.0f}" width="{wide:.0f}" height="16" rx="4"/>'
        yield f'<text class="label {edge.state}" x="{x:.0f}" y="{y + 4:.0f}">{escape(edge.label)}</text>'

    def html(self) -> str:
        """A page that works by itself, without a network."""
        names = list(self.members)
        ways = (
            {a: {b: self.topology.path(a, b) for b in names if b != a} for a in names} if len(names) <= WAYS_FOR else {}
        )
        told: dict[str, Any] = {
            "ways": ways,
            "boxes": {name: [name, *box.lines, *box.lans] for name, box in self.boxes.items()},
            "tunnels": {f"{e.one} {e.other}": e.told for e in self.edges},
        }
        # No text of the data can end the script that holds it.
        data = json.dumps(told).replace("<", "\\u003c")
        page = asset("report", "picture.html")
        network = escape(self.topology.inventory.network.name)
        for word, text in (("NETWORK", network), ("SVG", self.svg(alone=False)), ("DATA", data)):
            page = page.replace(f"@{word}@", text)
        return page


def _leaves(box: Box, towards: Box) -> tuple[float, float]:
    """Where a line from the middle of a box to another one leaves the box."""
    dx, dy = towards.x - box.x, towards.y - box.y
    if not dx and not dy:
        return box.x, box.y
    scale = min(box.width / 2 / abs(dx) if dx else 1e9, box.height / 2 / abs(dy) if dy else 1e9)
    return box.x + dx * scale, box.y + dy * scale


def _box_svg(box: Box) -> Iterator[str]:
    x, y = box.x - box.width / 2, box.y - box.height / 2
    told = escape(", ".join((box.name, *box.lines, *box.lans, *(["behind NAT"] if box.nat else []))))
    yield f'<g class="box {box.kind}" tabindex="0" role="button" data-name="{escape(box.name)}" aria-label="{told}">'
    yield f"<title>{told}</title>"
    inner = y
    if box.nat:
        yield f'<rect class="site" x="{x:.0f}" y="{y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="10"/>'
        yield f'<text class="small" x="{x + 10:.0f}" y="{y + 12:.0f}">NAT</text>'
        inner += 14
    lans = sum(LINE + 6 for _ in box.lans)
    side = 6.0 if box.nat else 0.0
    wide, high = box.width - 2 * side, box.height - (inner - y) - lans - side
    yield f'<rect class="body" x="{x + side:.0f}" y="{inner:.0f}" width="{wide:.0f}" height="{high:.0f}" rx="6"/>'
    sign = {"relay": "⇄ ", "device": "▯ "}.get(box.kind.split()[0], "")
    at = inner + PAD + 11
    yield f'<text class="name" x="{box.x:.0f}" y="{at:.0f}">{escape(sign + box.name)}</text>'
    for line in box.lines:
        at += LINE
        yield f'<text x="{box.x:.0f}" y="{at:.0f}">{escape(line)}</text>'
    at = inner + high + 3
    for lan in box.lans:
        yield f'<rect class="lan" x="{x + side:.0f}" y="{at:.0f}" width="{wide:.0f}" height="{LINE + 1:.0f}" rx="3"/>'
        yield f'<text class="small middle" x="{box.x:.0f}" y="{at + 13:.0f}">{escape(lan)}</text>'
        at += LINE + 6
    yield "</g>"


def _placed(boxes: dict[str, Box], edges: list[Edge]) -> dict[str, Box]:
    """The boxes where igraph puts them, so far apart that none covers another."""
    try:
        import igraph
    except ImportError:
        raise UsageError("map needs igraph for its layout", "pip install igraph") from None
    number = {name: i for i, name in enumerate(boxes)}
    graph = igraph.Graph(len(boxes), [(number[e.one], number[e.other]) for e in edges])
    # From a given start it has nothing to draw by lot: the same network is the same picture. Of some starts, the best end.
    order = sorted(range(len(boxes)), key=lambda i: (-graph.degree(i), i))
    starts = [graph.layout_circle(), graph.layout_circle(order=order), graph.layout_star(center=order[0], order=order)]
    ends = [_apart(boxes, graph.layout_kamada_kawai(seed=start).coords) for start in starts]
    return min(ends, key=lambda placed: (_covered(placed, edges), _extent(placed)))


def _apart(boxes: dict[str, Box], places: list[list[float]]) -> dict[str, Box]:
    """The boxes at those places, all drawn apart alike until none covers another."""
    # Boxes are wide, and so are screens.
    places = [[x * WIDE, y] for x, y in places]
    sizes = [(box.width + GAP, box.height + GAP_Y) for box in boxes.values()]
    scale = 1.0
    for i, (x, y) in enumerate(places):
        for j in range(i):
            dx, dy = abs(x - places[j][0]), abs(y - places[j][1])
            need_x, need_y = (sizes[i][k] / 2 + sizes[j][k] / 2 for k in (0, 1))
            scale = max(scale, min(need_x / dx if dx > 1e-6 else 1e9, need_y / dy if dy > 1e-6 else 1e9))
    scale = min(scale, 1e6)
    at = ((x * scale, y * scale) for x, y in places)
    return {n: Box(n, b.lines, b.lans, b.nat, b.kind, x, y) for (n, b), (x, y) in zip(boxes.items(), at, strict=True)}


def _covered(placed: dict[str, Box], edges: list[Edge]) -> int:
    """How many tunnels run beneath a box that is none of their ends."""
    found = 0
    for edge in edges:
        one, other = placed[edge.one], placed[edge.other]
        for name, box in placed.items():
            if name not in (edge.one, edge.other):
                points = (
                    (one.x + (other.x - one.x) * k / 24, one.y + (other.y - one.y) * k / 24) for k in range(1, 24)
                )
                found += any(abs(x - box.x) < box.width / 2 and abs(y - box.y) < box.height / 2 for x, y in points)
    return found


def _extent(placed: dict[str, Box]) -> float:
    xs, ys = [b.x for b in placed.values()], [b.y for b in placed.values()]
    return (max(xs) - min(xs) + 1) * (max(ys) - min(ys) + 1)
