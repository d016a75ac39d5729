"""`wgorch rollback`: roll a held change back."""

from __future__ import annotations

import argparse

from wgorch.cli.options import Options, inventory_argument, login_options, output_options

SUMMARY = "Roll back what `up --hold` left unconfirmed"
EXAMPLES = ("wgorch rollback",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    inventory_argument(parser)
    output_options(parser)
    login_options(parser)


def run(options: Options) -> int:
    """Roll the change back on every host of it that can be reached."""
    from wgorch import held
    from wgorch.cli.context import open_run
    from wgorch.cli.verbs.confirm import print_outcome

    with open_run(options, draws=True) as context:
        with context.progress:
            outcome = held.roll_back(context.run)
        print_outcome(options, context, outcome, "rolled back")
    return outcome.code
