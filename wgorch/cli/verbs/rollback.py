"""`wgorch rollback`: roll a held change back, or go back to an earlier revision by a change like any other."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wgorch.apply.lease import check_lease
from wgorch.cli.options import (
    ChangeOptions,
    change_options,
    hold_option,
    inventory_option,
    login_options,
    output_options,
    playbooks_option,
    revision,
    strict_option,
)
from wgorch.errors import UsageError

if TYPE_CHECKING:
    from wgorch.inventory.model import Inventory

SUMMARY = "Roll back what `up --hold` left unconfirmed, or bring an earlier revision up again"
EXAMPLES = ("wgorch rollback", "wgorch rollback 7")


class RollbackOptions(ChangeOptions):
    """Options of `wgorch rollback`."""

    revision: int | None
    hold: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "revision to bring up again (default: roll the held change back)"
    parser.add_argument("revision", type=revision, nargs="?", metavar="REVISION", help=what)
    inventory_option(parser)
    strict_option(parser)
    output_options(parser)
    change_options(parser)
    hold_option(parser)
    playbooks_option(parser)
    login_options(parser)


def run(options: RollbackOptions) -> int:
    """Roll the held change back on every host of it, or bring the network up as a revision has it."""
    from wgorch import held
    from wgorch.cli.context import open_run
    from wgorch.cli.verbs.confirm import print_outcome

    if options.revision is not None:
        return _to_revision(options, options.revision)
    if options.hold:
        raise UsageError("--hold is for a REVISION that is brought up again", "wgorch rollback REVISION --hold TIME")
    with open_run(options, draws=True) as context:
        with context.progress:
            outcome = held.roll_back(context.run)
        print_outcome(options, context, outcome, "rolled back")
    return outcome.code


def _to_revision(options: RollbackOptions, number: int) -> int:
    """Plan the inventory of a revision against the hosts as they are, and bring it up like any other."""
    from wgorch.cli.context import build_topology, run_over, stderr
    from wgorch.cli.verbs.up import bring_up
    from wgorch.plan.playbook import load_all
    from wgorch.run_options import RunOptions

    check_lease(options.confirm_timeout)
    inventory = _inventory_of(options, number)
    playbooks = load_all(inventory.path, options.playbooks, frozenset(inventory.hosts))
    wanted, topology = RunOptions(strict=options.strict), build_topology(inventory)
    with run_over(options, inventory, playbooks, wanted, topology=topology, draws=True) as context:
        code = bring_up(options, context, options.hold)
    if not code and not options.quiet and not options.json:
        stderr().print(f"the file is as it was; to keep this: wgorch history --show {number} >{inventory.path}")
    return code


def _inventory_of(options: RollbackOptions, number: int) -> Inventory:
    """The inventory of a revision, with what no record keeps (key files, tests) of the present one. Raises UsageError."""
    from dataclasses import replace

    from wgorch import history
    from wgorch.cli.context import open_run
    from wgorch.plan.revisions import inventory_of

    with open_run(options) as context:
        now = context.run.inventory
        found = inventory_of(history.revision(history.revisions(context.run), number), now.path)
    if found is None:
        raise UsageError(f"revision {number} cannot be read by this version", "wgorch history")
    hosts = {
        name: replace(host, ssh=now.hosts[name].ssh, lan_interface=now.hosts[name].lan_interface)
        if name in now.hosts
        else host
        for name, host in found.hosts.items()
    }
    verify = tuple(
        flow for flow in now.verify if flow.source in hosts and (flow.target in hosts or flow.target not in now.hosts)
    )
    return replace(found, hosts=hosts, verify=verify, loaded_at=now.loaded_at)
