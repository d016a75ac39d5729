"""Turn the results into what docs/performance.md shows: tables, and a picture of how cost grows.

python -m benchmarks.report
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.growth import Growth, Row, draw, growths

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"
PICTURE = HERE.parent / "docs" / "pictures" / "growth.svg"
BEGIN, END = "<!-- results: python -m benchmarks.report -->", "<!-- end of results -->"
HEADS = (
    "runner",
    "wall s: median (min-max)",
    "× floor",
    "× wgorch",
    "controller CPU ms a host",
    "hosts CPU s",
    "handshakes, channels a host",
    "runs",
)


class Conditions(NamedTuple):
    """What the runs of one table have in common; tables are in this order."""

    rtt_ms: float
    jump: bool
    sudo: bool
    hosts: int
    again: bool

    def __str__(self) -> str:
        how = [f", {self.rtt_ms:g} ms round trip"] if self.rtt_ms else []
        how += [", through a jump host"] if self.jump else []
        how += [", as a user with sudo"] if self.sudo else []
        turn = "second run, nothing to change" if self.again else "first run"
        return f"{self.hosts} hosts{''.join(how)}, {turn}"


def tables(rows: list[Row]) -> Iterator[str]:
    """Medians by runner, with the ratio to the floor of the same size and under the same conditions."""
    found: dict[Conditions, list[Row]] = {}
    for row in rows:
        if row["peak_pss_mib"] is None:
            key = Conditions(row["rtt_ms"], row["jump"], row["sudo"], row["hosts"], row["again"])
            found.setdefault(key, []).append(row)
    for key in sorted(found):
        yield from ("", str(key), "", *_table(found[key], key))


def _table(rows: list[Row], key: Conditions) -> Iterator[str]:
    floor = _median(rows, "floor-read-only" if key.again else "floor")
    wgorch = _median(rows, "wgorch")
    yield f"| {' | '.join(HEADS)} |"
    yield f"|{' --- |' * len(HEADS)}"
    found = []
    for runner in dict.fromkeys(r["runner"] for r in rows):
        mine = [r for r in rows if r["runner"] == runner]
        wall = statistics.median(r["wall_s"] for r in mine)
        cells = _cells(mine, wall, key.hosts, floor, wgorch)
        found.append((wall, f"| {' | '.join([runner, *cells])} |"))
    yield from (line for _, line in sorted(found))


def _median(rows: list[Row], runner: str) -> float | None:
    walls = [r["wall_s"] for r in rows if r["runner"] == runner]
    return statistics.median(walls) if walls else None


def _cells(rows: list[Row], wall: float, hosts: int, floor: float | None, wgorch: float | None) -> list[str]:
    """The numbers of one runner; `floor` and `wgorch` are the walls to compare with."""
    walls = [r["wall_s"] for r in rows]
    wrong = sum(1 for r in rows if r["wrong"])
    return [
        f"{wall:.2f} ({min(walls):.2f}-{max(walls):.2f})",
        f"{wall / floor:.2f}" if floor else "-",
        f"{wall / wgorch:.2f}" if wgorch else "-",
        f"{statistics.median(r['controller_cpu_s'] for r in rows) * 1000 / hosts:.1f}",
        f"{statistics.median(r['hosts_cpu_s'] for r in rows):.2f}",
        f"{rows[0]['ssh_handshakes'] / hosts:.2g}, {rows[0]['ssh_channels'] / hosts:.2g}",
        f"{len(rows)}" + (f", {wrong} WRONG" if wrong else ""),
    ]


def memory(rows: list[Row]) -> Iterator[str]:
    """The largest PSS of each runner's processes in a first run."""
    watched = [r for r in rows if r["peak_pss_mib"] is not None]
    sizes = sorted({r["hosts"] for r in watched})
    if not sizes:
        return
    yield from ("", "Memory of the controller, MiB (PSS, first run)", "")
    yield f"| runner | {' | '.join(f'{n} hosts' for n in sizes)} |"
    yield f"| --- |{' --- |' * len(sizes)}"
    for runner in dict.fromkeys(r["runner"] for r in watched):
        mine = [r for r in watched if r["runner"] == runner and not r["again"]]
        peaks = [max((r["peak_pss_mib"] for r in mine if r["hosts"] == n), default=None) for n in sizes]
        yield f"| {runner} | {' | '.join('-' if peak is None else f'{peak:.0f}' for peak in peaks)} |"


def page(
    rows: list[Row], pure: dict[str, list[float]], versions: dict[str, str], lines: dict[str, Growth]
) -> Iterator[str]:
    """The generated part of docs/performance.md."""
    yield f"Measured with {', '.join(f'{name} {v}' for name, v in versions.items())}."
    yield from tables(rows)
    yield from memory(rows)
    yield from ("", "Without a connection (`python -m benchmarks.pure`)", "")
    yield from ("| what | wall | peak memory |", "| --- | --- | --- |")
    yield from (f"| {name} | {wall:.3f} s | {peak:.0f} MiB |" for name, (wall, peak) in pure.items())
    yield from ("", "How cost grows", "", "![cost against hosts](pictures/growth.svg)", "")
    yield from (f"- {name}: {line}" for name, line in lines.items())


def recorded() -> tuple[list[Row], dict[str, list[float]], dict[str, str]]:
    """The rows of all results, the costs without a connection, and the versions of all that was compared."""
    rows: list[Row] = []
    for path in sorted(RESULTS.glob("*.json")):
        if path.name != "pure.json":
            rows += json.loads(path.read_text())["rows"]
    pure = json.loads((RESULTS / "pure.json").read_text())
    return rows, pure, json.loads((RESULTS / "hosts-4-others.json").read_text())["versions"]


def main() -> int:
    """Write the tables into the page, and the picture beside it."""
    rows, pure, versions = recorded()
    lines = growths(rows, pure)
    draw(lines, PICTURE)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n".join([before + BEGIN, "", *page(rows, pure, versions, lines), "", END]) + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
