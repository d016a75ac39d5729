"""`wgorch rotate-key`: replace a host's key without downtime."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
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
    strict_option,
)
from wgorch.errors import UsageError

if TYPE_CHECKING:
    from wgorch.inventory.model import Inventory

SUMMARY = "Rotate a host's key without downtime: peers learn the new key first, the old key is destroyed last"
EXAMPLES = ("wgorch rotate-key home",)


class RotateOptions(ChangeOptions):
    """Options of `wgorch rotate-key`."""

    hosts: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    host_argument(parser, "hosts", nargs="+", metavar="HOST", help="hosts of the inventory")
    inventory_option(parser)
    strict_option(parser)
    output_options(parser)
    change_options(parser)
    playbooks_option(parser)
    login_options(parser)


def run(options: RotateOptions) -> int:
    """Bring the network up with new keys for some hosts."""
    from wgorch.cli.context import open_run
    from wgorch.cli.verbs.up import bring_up
    from wgorch.run_options import RunOptions

    check_lease(options.confirm_timeout)
    wanted = RunOptions(rotate_keys=frozenset(options.hosts), strict=options.strict)
    with open_run(options, wanted, draws=True, checks_flows=True) as context:
        refuse_imported(context.run.inventory, options.hosts)
        return bring_up(options, context)


def refuse_imported(inventory: Inventory, names: Iterable[str]) -> None:
    """Refuse to replace keys that come from elsewhere. Raises UsageError."""
    for name in names:
        if source := inventory.hosts[name].private_key:
            raise UsageError(f"the key of {name} comes from: {' '.join(source)}", "change it there, then wgorch up")
