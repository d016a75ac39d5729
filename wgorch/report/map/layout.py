"""Lay out the map with igraph: no box covers another, and the same network is always the same picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wgorch.base.extras import optional
from wgorch.report.map.shapes import Box, Edge

GAP_X, GAP_Y = 110.0, 60.0
"""Pixels between boxes side by side, and one above the other."""

STRETCH = 1.7
"""Boxes are wide, and so are screens."""


def lay_out(boxes: Mapping[str, Box], edges: Sequence[Edge]) -> dict[str, Box]:
    """The boxes at their places. Raises UsageError without igraph."""
    igraph = optional("igraph", "the layout of the map")
    number = {name: i for i, name in enumerate(boxes)}
    graph = igraph.Graph(len(boxes), [(number[edge.one], number[edge.other]) for edge in edges])
    # A given start leaves nothing to chance; of several starts the best result is taken.
    order = sorted(range(len(boxes)), key=lambda i: (-graph.degree(i), i))
    starts = [graph.layout_circle(), graph.layout_circle(order=order), graph.layout_star(center=order[0], order=order)]
    results = [_spread(boxes, graph.layout_kamada_kawai(seed=start).coords) for start in starts]
    return min(results, key=lambda placed: (_crossings(placed, edges), _area(placed)))


def _spread(boxes: Mapping[str, Box], coordinates: list[list[float]]) -> dict[str, Box]:
    """The boxes at those coordinates, scaled up until none covers another."""
    places = [(x * STRETCH, y) for x, y in coordinates]
    sizes = [(box.width + GAP_X, box.height + GAP_Y) for box in boxes.values()]
    scale = 1.0
    for i, (x, y) in enumerate(places):
        for j in range(i):
            dx, dy = abs(x - places[j][0]), abs(y - places[j][1])
            need_x, need_y = (sizes[i][axis] / 2 + sizes[j][axis] / 2 for axis in (0, 1))
            scale = max(scale, min(need_x / dx if dx > 1e-6 else 1e9, need_y / dy if dy > 1e-6 else 1e9))
    scale = min(scale, 1e6)
    return {name: box.at(x * scale, y * scale) for (name, box), (x, y) in zip(boxes.items(), places, strict=True)}


def _crossings(placed: Mapping[str, Box], edges: Sequence[Edge]) -> int:
    """How often a tunnel runs beneath a box that is not one of its ends."""
    found = 0
    for edge in edges:
        one, other = placed[edge.one], placed[edge.other]
        points = [(one.x + (other.x - one.x) * k / 24, one.y + (other.y - one.y) * k / 24) for k in range(1, 24)]
        others = (box for name, box in placed.items() if name not in (edge.one, edge.other))
        found += sum(any(box.covers(x, y) for x, y in points) for box in others)
    return found


def _area(placed: Mapping[str, Box]) -> float:
    xs, ys = [box.x for box in placed.values()], [box.y for box in placed.values()]
    return (max(xs) - min(xs) + 1) * (max(ys) - min(ys) + 1)
