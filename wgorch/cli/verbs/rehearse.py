"""`wgorch rehearse`: build and test the network in namespaces of this machine."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, host_argument, inventory_argument
from wgorch.errors import DONE, FAULT, UsageError

if TYPE_CHECKING:
    from wgorch.inventory.model import Inventory

SUMMARY = "Build and test the network in local network namespaces; contacts no host"
EXAMPLES = (
    "wgorch rehearse inventory.yaml",
    "wgorch rehearse inventory.yaml --kill bcc",
    "wgorch rehearse inventory.yaml --keep",
)


class RehearseOptions(Options):
    """Options of `wgorch rehearse`."""

    hard_nat: bool
    keep: bool
    kill: str
    enter: list[str] | None
    end: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    inventory_argument(parser)
    nat = "simulate symmetric NAT (endpoint-dependent mapping)"
    parser.add_argument("--hard-nat", action="store_true", help=nat)
    kill = "cut RELAY off for a while, and say how long the lines of verify: are interrupted"
    host_argument(parser, "--kill", metavar="RELAY", default="", help=kill)
    parser.add_argument("--keep", action="store_true", help="keep the rehearsal running at the end")
    enter = "run COMMAND (default: a shell) on MACHINE of a kept rehearsal; must be last"
    parser.add_argument("--enter", nargs=argparse.REMAINDER, metavar="MACHINE [COMMAND]", help=enter)
    parser.add_argument("--end", action="store_true", help="stop a kept rehearsal")


def run(options: RehearseOptions) -> int:
    """Rehearse the inventory, or enter or end a kept rehearsal."""
    from wgorch.base.extras import optional
    from wgorch.cli.context import build_topology, load_inventory

    optional("pyroute2", "rehearse")
    from wgorch.rehearsal import rehearse as rehearsal
    from wgorch.rehearsal.cleanup import sweep
    from wgorch.rehearsal.machine import WorldError

    inventory = load_inventory(options)
    build_topology(inventory)
    if os.geteuid() != 0:
        raise UsageError("rehearse needs root to build network namespaces", "sudo wgorch rehearse …")
    try:
        if options.enter:
            rehearsal.enter(inventory, options.enter[0], options.enter[1:])
        if options.end:
            sweep(rehearsal.name_for(inventory))
            return DONE
        how = {"hard_nat": options.hard_nat, "keep": options.keep}
        return DONE if rehearsal.rehearse(inventory, **how, kill=_relay(inventory, options.kill)) else FAULT
    except WorldError as error:
        raise UsageError(f"cannot rehearse {inventory.path}: {error}") from None


def _relay(inventory: Inventory, name: str) -> str:
    """One of several relays, or none. Raises UsageError."""
    if not name:
        return ""
    from wgorch.inventory.names import check_host

    check_host(inventory, name)
    relays = [other for other, host in inventory.hosts.items() if host.relay]
    if name not in relays or len(relays) < 2:
        raise UsageError(f"{name} is not one of several relays", f"relays: {', '.join(relays) or 'none'}")
    return name
