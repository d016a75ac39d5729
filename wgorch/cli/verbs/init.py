"""`wgorch init`: inspect machines, ask about their LANs, and write a proposed inventory."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, login_options, yes_option
from wgorch.cli.terminal import yes_or_no
from wgorch.errors import ABSENT, DONE, HostsFailed, InventoryError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from wgorch.interop.proposal import Proposal
    from wgorch.inventory.model import SshTarget
    from wgorch.remote.fleet import Fleet

SUMMARY = "Inspect machines over SSH and write a proposed inventory (read-only)"
EXAMPLES = ("wgorch init root@203.0.113.13 root@192.168.0.9", "wgorch init --from-ssh-config")


class InitOptions(Options):
    """Options of `wgorch init`."""

    hosts: list[str]
    from_ansible: Path | None
    from_ssh_config: bool
    name: str | None
    output: Path
    yes: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("hosts", nargs="*", metavar="USER@HOST", help="machines to inspect (default: ask)")
    ansible = "take the machines from an Ansible inventory (INI or YAML)"
    parser.add_argument("--from-ansible", metavar="FILE", type=Path, help=ansible)
    parser.add_argument("--from-ssh-config", action="store_true", help="take the machines from ~/.ssh/config")
    parser.add_argument("--name", help="name of the network (default: office)")
    output, default = "output file (default: inventory.yaml)", Path("inventory.yaml")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, default=default, help=output)
    yes_option(parser, "do not ask; route every LAN")
    login_options(parser)


def run(options: InitOptions) -> int:
    """Write the inventory, then check it; on a terminal ask for what is not given."""
    from wgorch.cli.context import open_fleet, stdout
    from wgorch.inventory.model import Host
    from wgorch.report.files import refuse_existing

    refuse_existing(options.output)
    asks = sys.stdin.isatty() and not options.yes
    out = stdout()
    hosts = {text: Host(text, target, (), 0) for text, target in _machines(options, out, asks=asks).items()}
    fleet = open_fleet(options, hosts)
    try:
        proposal, some_skipped = _proposal(options, out, fleet, asks=asks)
        _write(options, out, proposal, asks=asks)
    finally:
        fleet.close()
    return ABSENT if some_skipped else DONE


def _machines(options: InitOptions, out: Console, *, asks: bool) -> dict[str, SshTarget]:
    """SSH targets as people name them, from the command line, from files of other tools, or else from a prompt. Raises UsageError."""
    from wgorch.base.text import visible
    from wgorch.interop.ansible import machines
    from wgorch.interop.sources import from_ssh_config
    from wgorch.inventory.targets import ssh_target

    texts = list(options.hosts)
    targets: dict[str, SshTarget] = {}
    try:
        if options.from_ansible:
            found = machines(options.from_ansible)
            sys.stderr.writelines(f"passed over: {visible(line)}\n" for line in found.passed_over)
            targets |= {str(target): target for target in found.targets}
        if options.from_ssh_config:
            names = from_ssh_config()
            # Names on the command line narrow the file's.
            texts = [text for text in texts if text not in names] + [n for n in names if not texts or n in texts]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the machines: {error}", "name them: wgorch init root@HOST …") from None
    if not texts and not targets and asks:
        out.print("Machines to inspect (user@host, or a name from ~/.ssh/config); an empty line ends the list.")
        while text := input("  machine: ").strip():
            texts.append(text)
    if not texts and not targets:
        raise UsageError("no machine given", "wgorch init root@HOST root@HOST …, or --from-ssh-config")
    return {text: ssh_target(text) for text in texts} | targets


def _proposal(options: InitOptions, out: Console, fleet: Fleet, *, asks: bool) -> tuple[Proposal, bool]:
    """Inspect the machines and propose a network; and whether some were skipped. Raises UsageError."""
    from wgorch.base.text import count
    from wgorch.interop.adopt import managed_networks
    from wgorch.interop.discover import look
    from wgorch.interop.propose import propose
    from wgorch.inventory.targets import network_name
    from wgorch.report.console import safe_text

    if sys.stderr.isatty():
        sys.stderr.write(f"inspecting {count(len(fleet.hosts), 'machine')} …\n")
    seen, failed = look(fleet, "wg0")
    for error in failed.values() if seen else ():
        out.print(safe_text(f"skipped: {error}", "yellow"))
    if not seen:
        raise HostsFailed(list(failed.values()))
    if failed and asks and not yes_or_no(f"{len(failed)} of {len(fleet.hosts)} skipped; go on without?", default=False):
        raise UsageError("aborted", "name the machines that can be reached")
    if (managed := managed_networks(seen)) and not options.name:
        where = "; ".join(f"{', '.join(hosts)}: in network {name} of wgorch already" for name, hosts in managed.items())
        some = " ".join(next(iter(managed.values())))
        raise UsageError(
            where, f"wgorch adopt {some} writes its inventory; --name NAME proposes another network beside it"
        )
    name = network_name(options.name) if options.name else _name(asks=asks)
    addresses = {text: fleet.address(text) for text in seen}
    return propose(seen, {text: fleet.hosts[text].ssh for text in seen}, name, addresses), bool(failed)


def _name(*, asks: bool) -> str:
    """The name of the network; asked for until it is one."""
    from wgorch.inventory.targets import network_name

    while True:
        name = (asks and input("Name of the network? [office] ").strip()) or "office"
        try:
            return network_name(name)
        except InventoryError as error:
            sys.stderr.write(f"{error}\n")


def _write(options: InitOptions, out: Console, proposal: Proposal, *, asks: bool) -> None:
    """Show the proposal, ask about each LAN, write the inventory, and check it. Raises InventoryError."""
    from wgorch.inventory.load import loads
    from wgorch.report import files
    from wgorch.report.console import safe_text

    for machine in proposal.machines:
        reached = f"reachable at {machine.endpoint}: {machine.why}" if machine.endpoint else machine.why
        out.print(safe_text(f"{machine.name} ({machine.ssh}): {reached}"))
        for lan, interface in machine.lans:
            shared = proposal.shared.get(machine.name, [])
            question = f"  route LAN {lan} ({interface}) into the tunnel?"
            if asks and lan in shared and not yes_or_no(question, default=True):
                shared.remove(lan)
    if proposal.relay:
        out.print(safe_text(f"relay: {proposal.relay}: {proposal.why_relay}"))
    out.print(safe_text(f"tunnel subnet: {proposal.subnet} ({proposal.why_subnet})"))
    for note in proposal.notes:
        out.print(safe_text(note, "yellow"))
    text = proposal.text()
    files.write_text(text, options.output)
    out.print(safe_text(f"✓ wrote {options.output}", "green"))
    loads(text, str(options.output))
    file = options.output
    out.print(safe_text(f"next: review it, then wgorch rehearse {file}; wgorch plan {file}; wgorch up {file}", "dim"))
