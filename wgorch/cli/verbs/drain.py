"""`wgorch drain`: let hosts leave a relay, without a lost packet, before it is rebooted or upgraded."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wgorch.apply.lease import check_lease
from wgorch.cli.options import (
    ChangeOptions,
    change_options,
    host_argument,
    inventory_option,
    login_options,
    output_options,
    playbooks_option,
)

if TYPE_CHECKING:
    from wgorch.cli.context import Context

SUMMARY = "Let hosts leave a relay while it still forwards, for maintenance; or one host with --from"
EXAMPLES = ("wgorch drain bcc", "wgorch drain home --from bcc")

PATIENCE_S = 90
"""Seconds to wait until the relay forwards nothing."""


class DrainOptions(ChangeOptions):
    """Options of `wgorch drain` and of `wgorch undrain`."""

    host: str
    relay: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    host_argument(parser, "host", metavar="HOST", help="a relay; with --from a host that is to leave it")
    host_argument(parser, "--from", dest="relay", metavar="RELAY", help="the relay that HOST alone is to leave")
    drain_options(parser)


def drain_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `drain` and `undrain` have in common."""
    inventory_option(parser)
    output_options(parser)
    change_options(parser)
    playbooks_option(parser)
    login_options(parser)


def run(options: DrainOptions) -> int:
    """Mark the relay, or the host that leaves it, and wait until nothing is forwarded."""
    return set_drained(options, drained=True)


def set_drained(options: DrainOptions, *, drained: bool) -> int:
    """Drain or undrain a relay or, with --from, a host of it."""
    from wgorch import drain
    from wgorch.cli.context import open_run
    from wgorch.cli.verbs.up import bring_up
    from wgorch.inventory.names import check_host
    from wgorch.run_options import RunOptions

    check_lease(options.confirm_timeout)
    pair = (options.host, options.relay or options.host)
    wanted = RunOptions(frozenset([options.host]), drains={pair: drained})
    with open_run(options, wanted, draws=True) as context:
        run = context.run
        for name in pair:
            check_host(run.inventory, name)
        if drained:
            drain.check_names(run, options.host, options.relay)
            run.gather(run.involved, traffic=False)
            run.require(options.host)
            if options.relay:
                drain.check_spoke(run, options.host, options.relay)
            else:
                drain.check_relay(run, options.host)
        code = bring_up(options, context)
        if not code and drained and not options.relay:
            _wait(options, context)
        return code


def _wait(options: DrainOptions, context: Context) -> None:
    from wgorch import drain
    from wgorch.base.text import count

    emptied = drain.wait_until_empty(context.run, options.host, PATIENCE_S)
    if options.json or options.quiet:
        return
    if devices := drain.devices_of(context.run, options.host):
        context.out.print(f"{', '.join(devices)}: connect to {options.host} alone, and stay", style="yellow")
    if emptied.is_empty:
        context.out.print(
            f"✓ {options.host} forwards nothing: it may be rebooted, upgraded or torn down", style="green"
        )
    else:
        packets = count(max(1, round(emptied.rate)), "packet")
        said = f"{options.host} still forwards {packets} a second after {PATIENCE_S} s; they may be of something else"
        context.out.print(f"! {said}", style="yellow")
    context.out.print(f"next: wgorch undrain {options.host}", style="dim")
