"""`wgorch forget`: strike a host from the record of the network's members whose hardware is gone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, inventory_option, login_options, output_options, yes_option
from wgorch.errors import ABSENT, DONE, UsageError

if TYPE_CHECKING:
    from wgorch.cli.context import Context
    from wgorch.inventory.model import Host

SUMMARY = "Forget a host that left the inventory and can never be taken down: its hardware is gone"
EXAMPLES = ("wgorch forget branch",)


class ForgetOptions(Options):
    """Options of `wgorch forget`."""

    host: str
    yes: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", metavar="HOST", help="host that left the inventory")
    inventory_option(parser)
    output_options(parser)
    yes_option(parser)
    login_options(parser)


def run(options: ForgetOptions) -> int:
    """Write the record of the members without the host; change nothing else."""
    from wgorch import departed
    from wgorch.cli.consent import confirm
    from wgorch.cli.context import open_run

    with open_run(options, draws=True) as context:
        host = _host(options, context)
        if not options.yes:
            confirm(f"forget {options.host} ({host.ssh})")
        with context.progress:
            kept_by = list(departed.forget(context.run, options.host))
        absent = context.run.absent
        _render(options, context, kept_by)
    return ABSENT if absent else DONE


def _host(options: ForgetOptions, context: Context) -> Host:
    """The host to forget. Raises UsageError if it is in the inventory, or did not leave it."""
    run = context.run
    if options.host in run.inventory.hosts:
        raise UsageError(f"{options.host} is in {run.inventory.path}", "delete it there first, then wgorch up")
    with context.progress:
        run.gather(run.names, traffic=False)
    if options.host not in run.removed:
        known = ", ".join(run.removed) or "none"
        raise UsageError(f"no host {options.host} left the network (left, and not taken down: {known})", "wgorch plan")
    return run.removed[options.host]


def _render(options: ForgetOptions, context: Context, kept_by: list[str]) -> None:
    from wgorch.base.text import count
    from wgorch.report.verdict import render_absent

    out, name, absent = context.out, options.host, context.run.absent
    if options.json:
        from wgorch.report import as_json

        as_json.print_json(out, as_json.forget_json(name, kept_by, absent))
        return
    render_absent(out, absent)
    if options.quiet:
        return
    where = f"the record of {count(len(kept_by), 'host')} ({', '.join(kept_by)})" if kept_by else "this controller"
    out.print(f"✓ {name} is struck from {where}; nothing else was changed", style="green")
    if peers := _peers(context, name):
        out.print(f"{', '.join(peers)}: still a peer of {name}; wgorch up drops it", style="yellow")


def _peers(context: Context, name: str) -> list[str]:
    """The hosts that have an entry for the forgotten one."""
    from wgorch.plan.members import newest, parse

    run = context.run
    members = parse(newest(run.seen))
    key = members.keys.get(name) if members else None
    return [
        host
        for host, seen in run.seen.items()
        if key and any(key in peers for peers in seen.state(run.network).peers.values())
    ]
