"""`wgorch history`: list the revisions of a network."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, inventory_argument, login_options, output_options, revision
from wgorch.errors import ABSENT, DIFFERS, DONE, UsageError

if TYPE_CHECKING:
    from wgorch.cli.context import Context

SUMMARY = "List the confirmed changes of the network, as its relays keep them, or print the inventory of one"
EXAMPLES = ("wgorch history", "wgorch history --show 7 >inventory.yaml", "wgorch history --check")


class HistoryOptions(Options):
    """Options of `wgorch history`."""

    show: int | None
    check: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    inventory_argument(parser)
    shows = "print the inventory of a revision"
    parser.add_argument("--show", type=revision, metavar="REVISION", help=shows)
    checks = "check that no line of the hosts' journals was edited, moved or removed; exit code 2 if one was"
    parser.add_argument("--check", action="store_true", help=checks)
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
        if options.check and options.show is not None:
            raise UsageError("--check and --show do not go together", "give one of them")
        if options.check:
            return _check(options, context)
        known = history.revisions(context.run)
        if options.show is not None:
            sys.stdout.write(report.inventory_text(history.revision(known, options.show)))
        elif options.json:
            as_json.print_json(context.out, report.history_json(known))
        else:
            report.render(context.out, known)
            render_absent(context.out, context.run.absent)
    return DONE


def _check(options: HistoryOptions, context: Context) -> int:
    """Check the journals, and print what is wrong with them."""
    from wgorch import history
    from wgorch.report import as_json
    from wgorch.report import history as report
    from wgorch.report.verdict import render_absent

    absent = context.run.absent
    found = history.check_journals(context.run)
    if options.json:
        as_json.print_json(context.out, report.check_json(found, [*absent]))
    else:
        report.render_check(context.out, found)
        render_absent(context.out, absent, "its journal is not checked")
    return DIFFERS if found.faults else ABSENT if absent else DONE
