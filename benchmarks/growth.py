"""How cost grows with the number of hosts: points, and the line that fits them."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.environments import environment

HERE = Path(__file__).resolve().parent
Row = dict[str, Any]
Points = list[tuple[float, float]]
"""Hosts, and seconds."""

WHOLE_JOBS = (("up", "wgorch", False), ("up again", "wgorch", True), ("floor", "floor", False))
"""What is drawn of the measured runs: name, runner, and whether it is a second run."""


class Growth(NamedTuple):
    """Points of one kind of run, and the line through them: seconds = start + slope * hosts."""

    points: Points
    slope: float
    start: float

    def __str__(self) -> str:
        worst = max(abs(self.start + self.slope * x - y) / y for x, y in self.points)
        line = f"{self.start:.2f} s + {self.slope * 1000:.2f} ms a host"
        return f"{line} (of {len(self.points)} sizes; {worst:.0%} off at most)"


def growths(rows: Sequence[Row], pure: dict[str, list[float]]) -> dict[str, Growth]:
    """The growth of each kind of run that was measured at three sizes at least. `pure`: costs without a connection."""
    plain = [r for r in rows if not (r["rtt_ms"] or r["jump"] or r["sudo"]) and r["peak_pss_mib"] is None]
    points = {name: list(_medians(plain, runner, again=again)) for name, runner, again in WHOLE_JOBS}
    points["plan"] = [
        (int(hit[1]), wall) for name, (wall, _) in pure.items() if (hit := re.match(r"plan, (\d+) hosts", name))
    ]
    return {name: _fit(those) for name, those in points.items() if len(those) >= 3}


def _medians(rows: Sequence[Row], runner: str, *, again: bool) -> Iterator[tuple[float, float]]:
    mine = [r for r in rows if r["runner"] == runner and r["again"] == again]
    for size in sorted({r["hosts"] for r in mine}):
        yield size, statistics.median(r["wall_s"] for r in mine if r["hosts"] == size)


def _fit(points: Points) -> Growth:
    slope, start = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
    return Growth(points, slope, start)


def draw(lines: dict[str, Growth], picture: Path) -> None:
    """Draw the lines as SVG."""
    text = json.dumps({name: line._asdict() for name, line in lines.items()})
    python = environment("plot") / "bin" / "python"
    subprocess.run([python, HERE / "plot.py", picture], input=text, text=True, check=True)
