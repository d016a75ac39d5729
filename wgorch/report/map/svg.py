"""Render the map as SVG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from wgorch.base.assets import asset
from wgorch.report.map.shapes import LAN_LINE, LINE, NAT_TITLE, PADDING, Box, Edge

MARGIN = 40.0

SYMBOLS = {"relay": "⇄ ", "device": "▯ "}
"""Before the name, by kind."""


def render_svg(title: str, boxes: Mapping[str, Box], edges: Sequence[Edge], *, sized: bool) -> str:
    """The map as one SVG element; `sized`: with width and height, for a file."""
    left = min(box.left for box in boxes.values()) - MARGIN
    top = min(box.top for box in boxes.values()) - MARGIN
    width = max(box.left + box.width for box in boxes.values()) + MARGIN - left
    height = max(box.top + box.height for box in boxes.values()) + MARGIN - top
    size = f' width="{width:.0f}" height="{height:.0f}"' if sized else ""
    view = f'viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}"'
    label = f'role="img" aria-label="{escape(title)}"'
    degrees = Counter(name for edge in edges for name in (edge.one, edge.other))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" id="map"{size} {view} {label}>',
        f"<title>{escape(title)}</title>",
        f"<style>{asset('report', 'map/map.css')}</style>",
        f'<rect class="paper" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}"/>',
        *(line for edge in edges for line in _edge(edge, boxes[edge.one], boxes[edge.other])),
        *(line for box in boxes.values() for line in _box(box)),
        *(line for edge in edges if edge.label for line in _label(edge, boxes, degrees)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _edge(edge: Edge, one: Box, other: Box) -> Iterator[str]:
    ends = f'data-one="{escape(edge.one)}" data-other="{escape(edge.other)}"'
    line = f'x1="{one.x:.0f}" y1="{one.y:.0f}" x2="{other.x:.0f}" y2="{other.y:.0f}"'
    yield f'<line class="tunnel {edge.state}" {ends} {line}>'
    yield f"<title>{escape(edge.detail)}</title></line>"


def _label(edge: Edge, boxes: Mapping[str, Box], degrees: Mapping[str, int]) -> Iterator[str]:
    """The label: in the middle, or nearer to the end with fewer tunnels, where it is less crowded."""
    one, other = sorted((boxes[edge.one], boxes[edge.other]), key=lambda box: degrees[box.name])
    (x1, y1), (x2, y2) = one.exit_towards(other), other.exit_towards(one)
    part = 0.5 if degrees[one.name] == degrees[other.name] else 0.38
    x, y = x1 + (x2 - x1) * part, y1 + (y2 - y1) * part
    width = len(edge.label) * 6.6 + 8
    yield f'<rect class="label" x="{x - width / 2:.0f}" y="{y - 8:.0f}" width="{width:.0f}" height="16" rx="4"/>'
    yield f'<text class="label {edge.state}" x="{x:.0f}" y="{y + 4:.0f}">{escape(edge.label)}</text>'


def _box(box: Box) -> Iterator[str]:
    """A box: the NAT around it, its name and lines, its LANs at the bottom."""
    title = escape(", ".join((box.name, *box.lines, *box.lans, *(["behind NAT"] if box.nat else []))))
    kind = f"box {box.kind}{' lost' if box.lost else ''}"
    yield f'<g class="{kind}" tabindex="0" role="button" data-name="{escape(box.name)}" aria-label="{title}">'
    yield f"<title>{title}</title>"
    left, top, width = box.left, box.top, box.width
    height = box.height - LAN_LINE * len(box.lans)
    if box.nat:
        yield f'<rect class="site" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{box.height:.0f}" rx="10"/>'
        yield f'<text class="small" x="{left + 10:.0f}" y="{top + 12:.0f}">NAT</text>'
        left, top, width, height = left + 6, top + NAT_TITLE, width - 12, height - NAT_TITLE - 6
    yield f'<rect class="body" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="6"/>'
    y = top + PADDING + 11
    yield f'<text class="name" x="{box.x:.0f}" y="{y:.0f}">{escape(SYMBOLS.get(box.kind, "") + box.name)}</text>'
    for number, line in enumerate(box.lines, 1):
        yield f'<text x="{box.x:.0f}" y="{y + LINE * number:.0f}">{escape(line)}</text>'
    for number, lan in enumerate(box.lans):
        y = top + height + 3 + LAN_LINE * number
        yield f'<rect class="lan" x="{left:.0f}" y="{y:.0f}" width="{width:.0f}" height="{LINE + 1:.0f}" rx="3"/>'
        yield f'<text class="small middle" x="{box.x:.0f}" y="{y + 13:.0f}">{escape(lan)}</text>'
    yield "</g>"
