"""Draw how cost grows, from standard input: python plot.py FILE.svg. It runs in an environment that has matplotlib."""

from __future__ import annotations

import json
import sys

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "wgorch"
import matplotlib.pyplot as plt  # noqa: E402 - after the backend


def main() -> None:
    """Points and fitted lines: the whole job on the left, plans on the right."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    for name, line in json.load(sys.stdin).items():
        axes = right if name == "plan" else left
        xs, ys = zip(*line["points"], strict=True)
        drawn = axes.plot(xs, ys, "o", label=name)[0]
        ends = [0, max(xs)]
        fitted = [line["start"] + line["slope"] * x for x in ends]
        axes.plot(ends, fitted, "-", linewidth=1, color=drawn.get_color())
    for axes, title in ((left, "whole job"), (right, "plan, no connection")):
        axes.set(title=title, xlabel="hosts", ylabel="seconds", xlim=(0, None), ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(sys.argv[1], metadata={"Date": None})


if __name__ == "__main__":
    main()
