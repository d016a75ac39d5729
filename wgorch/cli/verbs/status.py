"""`wgorch status`: show sessions and drift, once or repeatedly."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wgorch.cli.options import Options, run_options
from wgorch.errors import DONE, UNTOUCHED

SUMMARY = "Show sessions, and drift from the inventory"
EXAMPLES = ("wgorch status", "wgorch status --watch", "wgorch status --prometheus wgorch.prom")


class StatusOptions(Options):
    """Options of `wgorch status`."""

    watch: float | None
    prometheus: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    run_options(parser, "show only these hosts")
    watch = "refresh every SECONDS (default 2) with transfer rates; q quits"
    parser.add_argument("--watch", nargs="?", type=_interval, const=2.0, metavar="SECONDS", help=watch)
    prometheus = "write Prometheus metrics to FILE (default: stdout)"
    parser.add_argument("--prometheus", nargs="?", const="-", metavar="FILE", help=prometheus)


def _interval(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text} is not 0.1 to 86400 seconds")
    return seconds


def run(options: StatusOptions) -> int:
    """Read every host and print its state; with --watch until q is pressed."""
    from wgorch import inspection
    from wgorch.cli.context import open_run
    from wgorch.report import as_json, prometheus
    from wgorch.report.status import render_status

    with open_run(options, quiet=options.prometheus is not None) as context:
        run, out = context.run, context.out
        if options.watch is not None:
            from wgorch.report.watch import watch

            watch(out, lambda: (run.topology, inspection.status(run)), options.watch)
            return DONE
        status = inspection.status(run)
        if options.prometheus == "-":
            sys.stdout.write(prometheus.exposition(run.topology, status))
        elif options.prometheus is not None:
            prometheus.write(prometheus.exposition(run.topology, status), Path(options.prometheus))
        elif options.json:
            keys = frozenset(status.keys.values())
            as_json.print_json(out, as_json.status_json(run.topology, status), keys)
        elif not options.quiet or status.code:
            render_status(out, run.topology, status, verbose=options.verbose > 0)
    return UNTOUCHED if options.strict and run.absent else status.code
