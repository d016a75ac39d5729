"""`wgorch undrain`: let hosts return to a relay."""

from __future__ import annotations

import argparse

from wgorch.cli.options import host_argument
from wgorch.cli.verbs.drain import DrainOptions, drain_options, set_drained

SUMMARY = "Let hosts return to a drained relay, each after its quiet time"
EXAMPLES = ("wgorch undrain bcc", "wgorch undrain home --from bcc")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    host_argument(parser, "host", metavar="HOST", help="a relay; with --from a host that left it")
    host_argument(parser, "--from", dest="relay", metavar="RELAY", help="the relay that HOST alone left")
    drain_options(parser)


def run(options: DrainOptions) -> int:
    """Remove the mark."""
    return set_drained(options, drained=False)
