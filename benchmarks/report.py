"""Turn the results into what docs/performance.md shows: tables, and a picture of how cost grows.

python -m benchmarks.report
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.environments import environment

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"
PICTURE = HERE.parent / "docs" / "pictures" / "growth.svg"
BEGIN, END = "<!-- results: python -m benchmarks.report -->", "<!-- end of results -->"

Row = dict[str, Any]


def tables(rows: list[Row]) -> Iterator[str]:
    """Medians by runner, with the ratio to the floor of the same size and under the same conditions."""
    keys = dict.fromkeys((r["hosts"], r["rtt_ms"], r["jump"], r["sudo"], r["again"]) for r in rows)
    for key in sorted(keys, key=lambda k: (k[1], k[2], k[3], k[0], k[4])):
        here = [r for r in rows if (r["hosts"], r["rtt_ms"], r["jump"], r["sudo"], r["again"]) == key]
        here = [r for r in here if r["peak_pss_mib"] is None]
        if here:
            yield from ("", title(*key), "", *_table(here, key[0], again=key[4]))


def title(hosts: int, rtt_ms: float, jump: bool, sudo: bool, again: bool) -> str:
    """What was measured, in words."""
    how = [f", {rtt_ms:g} ms round trip"] if rtt_ms else []
    how += [", through a jump host"] if jump else []
    how += [", as a user with sudo"] if sudo else []
    return f"{hosts} hosts{''.join(how)}, {'second run, nothing to change' if again else 'first run'}"


def _table(rows: list[Row], hosts: int, *, again: bool) -> Iterator[str]:
    floor = [r["wall_s"] for r in rows if r["runner"] == ("floor-read-only" if again else "floor")]
    base = statistics.median(floor) if floor else None
    ours = [r["wall_s"] for r in rows if r["runner"] == "wgorch"]
    own = statistics.median(ours) if ours else None
    yield "| runner | wall s: median (min-max) | × floor | × wgorch | controller CPU ms a host | hosts CPU s | handshakes, channels a host | runs |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    found = []
    for runner in dict.fromkeys(r["runner"] for r in rows):
        mine = [r for r in rows if r["runner"] == runner]
        walls = [r["wall_s"] for r in mine]
        wall = statistics.median(walls)
        cpu = statistics.median(r["controller_cpu_s"] for r in mine) * 1000 / hosts
        used = statistics.median(r["hosts_cpu_s"] for r in mine)
        bad = sum(1 for r in mine if r["wrong"])
        cells = [
            runner,
            f"{wall:.2f} ({min(walls):.2f}-{max(walls):.2f})",
            f"{wall / base:.2f}" if base else "-",
            f"{wall / own:.2f}" if own else "-",
            f"{cpu:.1f}",
            f"{used:.2f}",
            f"{mine[0]['ssh_handshakes'] / hosts:.2g}, {mine[0]['ssh_channels'] / hosts:.2g}",
            f"{len(mine)}" + (f", {bad} WRONG" if bad else ""),
        ]
        found.append((wall, f"| {' | '.join(cells)} |"))
    yield from (line for _, line in sorted(found))


def memory(rows: list[Row]) -> Iterator[str]:
    """The largest PSS of each runner's processes."""
    sizes = sorted({r["hosts"] for r in rows if r["peak_pss_mib"] is not None})
    if not sizes:
        return
    yield from ("", "Memory of the controller, MiB (PSS, first run)", "")
    yield f"| runner | {' | '.join(f'{n} hosts' for n in sizes)} |"
    yield f"| --- |{' --- |' * len(sizes)}"
    for runner in dict.fromkeys(r["runner"] for r in rows if r["peak_pss_mib"] is not None):
        cells = []
        for n in sizes:
            seen = [
                r["peak_pss_mib"]
                for r in rows
                if (r["runner"], r["hosts"], r["again"]) == (runner, n, False) and r["peak_pss_mib"] is not None
            ]
            cells.append(f"{max(seen):.0f}" if seen else "-")
        yield f"| {runner} | {' | '.join(cells)} |"


def growth(rows: list[Row], pure: dict[str, list[float]]) -> list[str]:
    """Draw cost against the number of hosts, with the line that fits; what the lines are, in words."""
    plain = [r for r in rows if not (r["rtt_ms"] or r["jump"] or r["sudo"]) and r["peak_pss_mib"] is None]
    lines: dict[str, list[tuple[float, float]]] = {}
    for name, runner, again in (
        ("up", "wgorch", False),
        ("up again", "wgorch", True),
        ("floor", "floor", False),
    ):
        sizes = sorted({r["hosts"] for r in plain if r["runner"] == runner})
        lines[name] = [
            (
                n,
                statistics.median(
                    r["wall_s"] for r in plain if (r["runner"], r["again"], r["hosts"]) == (runner, again, n)
                ),
            )
            for n in sizes
        ]
    lines["plan"] = [
        (int(hit[1]), wall) for name, (wall, _) in pure.items() if (hit := re.match(r"plan, (\d+) hosts", name))
    ]
    told, drawn = [], {}
    for name, points in lines.items():
        if len(points) < 3:
            continue
        slope, start = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
        worst = max(abs(start + slope * x - y) / y for x, y in points)
        told.append(
            f"- {name}: {start:.2f} s + {slope * 1000:.2f} ms a host (of {len(points)} sizes; {worst:.0%} off at most)"
        )
        drawn[name] = {"points": points, "slope": slope, "start": start}
    subprocess.run(
        [environment("plot") / "bin" / "python", "-c", _DRAW, PICTURE], input=json.dumps(drawn), text=True, check=True
    )
    return told


_DRAW = """
import json, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "wgorch"
import matplotlib.pyplot as plt
lines = json.load(sys.stdin)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
for name, line in lines.items():
    axes = right if name == "plan" else left
    xs, ys = zip(*line["points"])
    drawn = axes.plot(xs, ys, "o", label=name)[0]
    ends = [0, max(xs)]
    axes.plot(ends, [line["start"] + line["slope"] * x for x in ends], "-", linewidth=1, color=drawn.get_color())
for axes, title in ((left, "whole job"), (right, "plan, no connection")):
    axes.set(title=title, xlabel="hosts", ylabel="seconds", xlim=(0, None), ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
figure.tight_layout()
figure.savefig(sys.argv[1], metadata={"Date": None})
"""


def main() -> int:
    rows: list[Row] = []
    for path in sorted(RESULTS.glob("*cores*.json")):
        rows += json.loads(path.read_text())["rows"]
    pure = json.loads((RESULTS / "pure.json").read_text())
    versions = json.loads((RESULTS / "2-cores.json").read_text())["versions"]
    lines = [f"Measured with {', '.join(f'{name} {v}' for name, v in versions.items())}."]
    lines += [*tables(rows), *memory(rows), "", "Without a connection (`python -m benchmarks.pure`)", ""]
    lines += ["| what | wall | peak memory |", "| --- | --- | --- |"]
    lines += [f"| {name} | {wall:.3f} s | {peak:.0f} MiB |" for name, (wall, peak) in pure.items()]
    lines += ["", "How cost grows", "", "![cost against hosts](pictures/growth.svg)", "", *growth(rows, pure)]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n".join([before + BEGIN, "", *lines, "", END]) + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
