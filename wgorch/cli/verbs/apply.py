"""`wgorch apply`: make the change of a plan that was written to a file, and no other."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from wgorch.apply.lease import check_lease
from wgorch.cli.options import (
    ChangeOptions,
    change_options,
    hold_option,
    login_options,
    output_options,
    strict_option,
)

SUMMARY = "Make the change that a plan file holds, or refuse where its hosts are no longer as they were"
EXAMPLES = ("wgorch apply change.plan", "wgorch apply change.plan --hold 30m")


class ApplyOptions(ChangeOptions):
    """Options of `wgorch apply`."""

    file: Path
    hold: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="plan that wgorch plan -o wrote")
    strict_option(parser)
    output_options(parser)
    change_options(parser)
    hold_option(parser)
    login_options(parser)


def run(options: ApplyOptions) -> int:
    """Ask every host again, plan again, and change them only if the same programs would run."""
    from wgorch.cli.plan_files import open_planned, read_plan, read_signatures, refuse_others
    from wgorch.cli.verbs.up import bring_up

    check_lease(options.confirm_timeout)
    file = read_plan(options.file)
    signed = read_signatures(options.file, file)
    with open_planned(options, file, signed, strict=options.strict) as context:
        return bring_up(options, context, options.hold, partial(refuse_others, file, context.run))
