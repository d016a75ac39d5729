"""`wgorch confirm`: make a held change permanent."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, inventory_argument, login_options, output_options

if TYPE_CHECKING:
    from wgorch.cli.context import Context
    from wgorch.outcome import Outcome

SUMMARY = "Make permanent what `up --hold` left unconfirmed"
EXAMPLES = ("wgorch confirm",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    inventory_argument(parser)
    output_options(parser)
    login_options(parser)


def run(options: Options) -> int:
    """Confirm on every host of the change, or roll it back on all of them."""
    from wgorch import held
    from wgorch.cli.context import open_run

    with open_run(options, draws=True) as context:
        with context.progress:
            outcome = held.confirm(context.run)
        print_outcome(options, context, outcome, "confirmed")
    return outcome.code


def print_outcome(options: Options, context: Context, outcome: Outcome, said: str) -> None:
    """Print what became of a held change. `said`: what was done where it succeeded."""
    from wgorch.cli.context import stderr
    from wgorch.report.verdict import render_absent, render_failure, render_outcome

    out = context.out
    if options.json:
        from wgorch.report import as_json

        as_json.print_json(out, as_json.held_json(outcome))
        return
    render_outcome(out, outcome)
    render_absent(out, outcome.absent, "rolls the change back by itself when the hold is over")
    if outcome.succeeded and not options.quiet:
        out.print(f"✓ {said} on {', '.join(sorted(outcome.standing))}", style="green")
        if left := ", ".join(context.run.removed):
            out.print(f"next: wgorch up takes down {left}, which left the inventory", style="dim")
    render_failure(stderr(), outcome.code)
