"""`wgorch add`: inspect one more machine, and add it to the inventory."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, inventory_argument, login_options, yes_option
from wgorch.cli.terminal import yes_or_no
from wgorch.errors import DONE, HostsFailed, UsageError

if TYPE_CHECKING:
    from wgorch.interop.proposal import Proposal
    from wgorch.inventory.model import Inventory

SUMMARY = "Inspect a machine over SSH and add it to the inventory (changes the file only)"
EXAMPLES = ("wgorch add root@198.51.100.7", "wgorch add root@198.51.100.7 --name branch")


class AddOptions(Options):
    """Options of `wgorch add`."""

    host: str
    name: str | None
    yes: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", metavar="USER@HOST", help="machine to add")
    inventory_argument(parser)
    parser.add_argument("--name", help="name of the host in the inventory (default: its own)")
    yes_option(parser, "do not ask; route every LAN")
    login_options(parser)


def run(options: AddOptions) -> int:
    """Inspect the machine, and write it at the end of the hosts."""
    from wgorch.cli.context import load_inventory, open_fleet, stdout
    from wgorch.interop.discover import look
    from wgorch.interop.propose import propose
    from wgorch.inventory.edit import add_member
    from wgorch.inventory.model import Host
    from wgorch.inventory.targets import ssh_target
    from wgorch.report.console import safe_text
    from wgorch.report.files import edit_inventory

    inventory = load_inventory(options)
    _refuse_twins(options, inventory)
    if options.name:
        _refuse_taken(options.name, inventory)
    fleet = open_fleet(options, {options.host: Host(options.host, ssh_target(options.host), (), 0)})
    try:
        seen, failed = look(fleet, inventory.network.interface, inventory.network.name)
        if failed:
            raise HostsFailed(list(failed.values()))
        addresses = {options.host: fleet.address(options.host)}
        proposal = propose(seen, {options.host: fleet.hosts[options.host].ssh}, inventory.network.name, addresses)
    finally:
        fleet.close()
    _choose_lans(options, inventory, proposal)
    name = options.name or proposal.machines[0].name
    _refuse_taken(name, inventory)
    lines = list(proposal.host_lines(proposal.machines[0]))
    edit_inventory(inventory.path, lambda text: add_member(text, "hosts", name, lines), run_sources=options.run_sources)
    stdout().print(
        safe_text(f"✓ added {name} to {inventory.path}\nnext: review it, then wgorch plan; wgorch up", "green")
    )
    return DONE


def _refuse_twins(options: AddOptions, inventory: Inventory) -> None:
    from wgorch.inventory.targets import ssh_target

    target = ssh_target(options.host)
    for name, host in inventory.hosts.items():
        if (host.ssh.host, host.ssh.port) == (target.host, target.port):
            raise UsageError(f"{options.host} is {name} of {inventory.path} already", "wgorch plan")


def _choose_lans(options: AddOptions, inventory: Inventory, proposal: Proposal) -> None:
    """Leave out LANs that overlap what the network has, and those that the person declines."""
    machine, asks = proposal.machines[0], sys.stdin.isatty() and not options.yes
    taken = [*inventory.network.subnets, *(lan for host in inventory.hosts.values() for lan in host.subnets)]
    shared = proposal.shared.get(machine.name, [])
    for lan, interface in machine.lans:
        overlap = next((net for net in taken if net.version == lan.version and net.overlaps(lan)), None)
        if overlap and lan in shared:
            sys.stderr.write(f"LAN {lan} ({interface}) is not routed: it overlaps {overlap} of the network\n")
            shared.remove(lan)
        elif asks and lan in shared and not yes_or_no(f"route LAN {lan} ({interface}) into the tunnel?", default=True):
            shared.remove(lan)


def _refuse_taken(name: str, inventory: Inventory) -> None:
    if name in inventory.members:
        raise UsageError(f"{inventory.path} has a {name} already", "--name NAME gives another name")
