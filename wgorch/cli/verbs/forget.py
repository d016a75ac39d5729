"""`wgorch forget`: strike a host from the record of the network's members whose hardware is gone."""

from __future__ import annotations

import argparse

from wgorch.apply.lease import check_lease
from wgorch.cli.options import ChangeOptions, change_options, inventory_option, login_options, output_options
from wgorch.errors import UsageError

SUMMARY = "Forget a host that left the inventory and can never be taken down: its hardware is gone"
EXAMPLES = ("wgorch forget branch",)


class ForgetOptions(ChangeOptions):
    """Options of `wgorch forget`."""

    host: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", metavar="HOST", help="host that left the inventory")
    inventory_option(parser)
    output_options(parser)
    change_options(parser)
    login_options(parser)


def run(options: ForgetOptions) -> int:
    """Write the record of the members without the host; change nothing else."""
    from wgorch.cli.context import open_run
    from wgorch.cli.verbs.up import bring_up

    check_lease(options.confirm_timeout)
    with open_run(options, draws=True) as context:
        run = context.run
        if options.host in run.inventory.hosts:
            raise UsageError(f"{options.host} is in {run.inventory.path}", "delete it there first, then wgorch up")
        run.gather(run.names)
        if options.host not in run.removed:
            known = ", ".join(run.removed) or "none"
            raise UsageError(
                f"no host {options.host} left the network (left, and not taken down: {known})", "wgorch plan"
            )
        run.forgotten = frozenset([options.host])
        return bring_up(options, context)
