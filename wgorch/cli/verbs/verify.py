"""`wgorch verify`: test every path of the network."""

from __future__ import annotations

import argparse

from wgorch.cli.options import Options, run_options

SUMMARY = "Test every path from the hosts: handshakes, pings, full-size packets"
EXAMPLES = ("wgorch verify",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    run_options(parser, "test only the paths among these hosts")


def run(options: Options) -> int:
    """Measure from every host and print the verdict."""
    from wgorch import inspection
    from wgorch.cli.context import open_run
    from wgorch.report import as_json
    from wgorch.report.verdict import render_absent, render_verdict

    with open_run(options, draws=True) as context:
        with context.progress:
            outcome = inspection.verify(context.run)
        assert outcome.verdict is not None
        if options.json:
            as_json.print_json(context.out, as_json.verify_json(outcome))
        elif not options.quiet or outcome.code:
            render_verdict(context.out, context.run.topology, outcome.verdict)
            render_absent(context.out, outcome.absent)
    return outcome.code
