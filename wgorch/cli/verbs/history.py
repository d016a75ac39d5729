"""`wgorch history`: list the revisions of a network."""

from __future__ import annotations

import argparse
import sys

from wgorch.cli.options import Options, inventory_argument, login_options, output_options, revision
from wgorch.errors import DONE

SUMMARY = "List the confirmed changes of the network, as its relays keep them, or print the inventory of one"
EXAMPLES = ("wgorch history", "wgorch history --show 7 >inventory.yaml")


class HistoryOptions(Options):
    """Options of `wgorch history`."""

    show: int | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    inventory_argument(parser)
    shows = "print the inventory of a revision"
    parser.add_argument("--show", type=revision, metavar="REVISION", help=shows)
    output_options(parser)
    login_options(parser)


def run(options: HistoryOptions) -> int:
    """Read the revisions, and print them."""
    from wgorch import history
    from wgorch.cli.context import open_run
    from wgorch.report import as_json
    from wgorch.report import history as report
    from wgorch.report.verdict import render_absent

    with open_run(options) as context:
        known = history.revisions(context.run)
        if options.show is not None:
            sys.stdout.write(report.inventory_text(history.revision(known, options.show)))
        elif options.json:
            as_json.print_json(context.out, report.history_json(known))
        else:
            report.render(context.out, known)
            render_absent(context.out, context.run.absent)
    return DONE
