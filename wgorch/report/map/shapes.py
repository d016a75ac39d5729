"""The shapes of the map: a box for each member, an edge for each tunnel. Lengths are pixels."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property

from wgorch.base.value import value

CHAR, LINE, PADDING = 7.3, 17.0, 10.0
"""Width of a character, height of a line, space inside a box."""

LAN_LINE = LINE + 6
NAT_TITLE = 14.0


@value
class Box:
    """A host or device with its texts; `x`, `y` is its centre."""

    name: str
    lines: tuple[str, ...]
    lans: tuple[str, ...]
    nat: bool
    kind: str
    """``host``, ``relay`` or ``device``."""
    lost: bool = False
    """Not reached."""
    x: float = 0.0
    y: float = 0.0

    @cached_property
    def width(self) -> float:
        return max(len(line) for line in (self.name + "  ", *self.lines, *self.lans)) * CHAR + 2 * PADDING + 16

    @cached_property
    def height(self) -> float:
        title = NAT_TITLE if self.nat else 0
        return LINE * (1 + len(self.lines)) + LAN_LINE * len(self.lans) + 2 * PADDING + title

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    def at(self, x: float, y: float) -> Box:
        """The same box with its centre at a place."""
        return Box(self.name, self.lines, self.lans, self.nat, self.kind, self.lost, x, y)

    def covers(self, x: float, y: float) -> bool:
        """True if a point lies inside."""
        return abs(x - self.x) < self.width / 2 and abs(y - self.y) < self.height / 2

    def exit_towards(self, other: Box) -> tuple[float, float]:
        """The point at which a line to the centre of another box crosses the border."""
        dx, dy = other.x - self.x, other.y - self.y
        if not dx and not dy:
            return self.x, self.y
        scale = min(self.width / 2 / abs(dx) if dx else 1e9, self.height / 2 / abs(dy) if dy else 1e9)
        return self.x + dx * scale, self.y + dy * scale


class EdgeState(StrEnum):
    """State of a tunnel; the value is its CSS class."""

    UP = "up"
    STALE = "stale"
    DOWN = "down"
    UNKNOWN = "unknown"
    """No end was asked."""


LABELS = {
    EdgeState.UP: "session up",
    EdgeState.STALE: "session stale",
    EdgeState.DOWN: "no handshake yet",
    EdgeState.UNKNOWN: "state unknown",
}

MARKS = {EdgeState.UP: "✓", EdgeState.STALE: "!", EdgeState.DOWN: "✗"}
"""The state in the label, for those who do not see its colour; the dashes of the line show it as well."""


@value
class Edge:
    """A tunnel between two members."""

    one: str
    other: str
    state: EdgeState
    label: str = ""
    """Text on the line."""
    detail: str = ""
    """Everything known, for the tooltip."""
