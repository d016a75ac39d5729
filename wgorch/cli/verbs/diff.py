"""`wgorch diff`: show what differs between two revisions of a network."""

from __future__ import annotations

import argparse
import sys

from wgorch.cli.options import Options, inventory_option, login_options, output_options, revision
from wgorch.errors import DIFFERS, DONE

SUMMARY = "Show what differs between two revisions of the network"
EXAMPLES = ("wgorch diff 7 9", "wgorch diff 7")


class DiffOptions(Options):
    """Options of `wgorch diff`."""

    before: int
    after: int | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", type=revision, metavar="REVISION", help="the earlier one")
    parser.add_argument(
        "after", type=revision, nargs="?", metavar="REVISION", help="the later one (default: the latest)"
    )
    inventory_option(parser)
    output_options(parser)
    login_options(parser)


def run(options: DiffOptions) -> int:
    """Print the lines that differ; the exit code is 2 if there are any."""
    from wgorch import history
    from wgorch.cli.context import open_run
    from wgorch.report import as_json
    from wgorch.report import history as report

    with open_run(options) as context:
        known = history.revisions(context.run)
        before = history.revision(known, options.before)
        after = history.revision(known, max(known) if options.after is None else options.after)
        lines = report.difference(before, after)
        if options.json:
            as_json.print_json(context.out, report.diff_json(before, after, lines))
        else:
            sys.stdout.writelines(f"{line}\n" for line in lines)
    return DIFFERS if lines else DONE
