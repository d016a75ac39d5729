"""`wgorch map`: draw the network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, inventory_argument, login_options
from wgorch.errors import DONE, UsageError

if TYPE_CHECKING:
    from wgorch.report.map.map import Map

SUMMARY = "Draw the network as SVG, or as an interactive HTML page"
EXAMPLES = ("wgorch map -o network.html", "wgorch map -o network.svg --offline")


class MapOptions(Options):
    """Options of `wgorch map`."""

    output: Path
    offline: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    inventory_argument(parser)
    output = "output file: .svg, or .html (one self-contained page)"
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help=output)
    parser.add_argument("--offline", action="store_true", help="draw from the inventory only (offline)")
    login_options(parser)


def run(options: MapOptions) -> int:
    """Draw what the inventory declares and, unless --offline, what the hosts report."""
    from wgorch.base.text import count
    from wgorch.cli.context import stdout
    from wgorch.report import files

    suffix = options.output.suffix
    if suffix not in (".svg", ".html"):
        raise UsageError(f"{options.output} is neither .svg nor .html", "-o network.svg, or -o network.html")
    network_map = _offline(options) if options.offline else _online(options)
    files.write_text(network_map.html() if suffix == ".html" else network_map.svg(), options.output)
    size = f"{count(len(network_map.members), 'member')}, {count(len(network_map.edges), 'tunnel')}"
    stdout().print(f"✓ wrote {options.output} ({size})")
    return DONE


def _offline(options: MapOptions) -> Map:
    from wgorch.cli.context import load_inventory
    from wgorch.report.map.map import Map
    from wgorch.topology.topology import build

    return Map(build(load_inventory(options)))


def _online(options: MapOptions) -> Map:
    from wgorch import inspection
    from wgorch.cli.context import open_run
    from wgorch.report.map.map import Map

    with open_run(options, quiet=True) as context:
        status = inspection.status(context.run)
        return Map(context.run.topology, status, inspection.measured(context.run))
