"""`wgorch adopt`: generate the inventory of an existing WireGuard network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wgorch.cli.options import Options, login_options
from wgorch.errors import DONE

SUMMARY = "Generate an inventory from an existing WireGuard network (read-only)"
EXAMPLES = ("wgorch adopt root@203.0.113.13 root@192.168.0.9 -o inventory.yaml",)


class AdoptOptions(Options):
    """Options of `wgorch adopt`."""

    hosts: list[str]
    interface: str
    name: str
    output: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("hosts", nargs="+", metavar="USER@HOST", help="every host of the network that SSH reaches")
    interface = "their WireGuard interface (default: wg0)"
    parser.add_argument("--interface", default="wg0", metavar="NAME", help=interface)
    parser.add_argument("--name", default="office", help="name of the network (default: office)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="output file (default: stdout)")
    login_options(parser)


def run(options: AdoptOptions) -> int:
    """Read the hosts and write an inventory; notes, and fields to fill in, go to stderr."""
    from wgorch.cli.context import open_fleet, stdout
    from wgorch.interop.adopt import adopt_network
    from wgorch.inventory.load import loads
    from wgorch.inventory.model import Host
    from wgorch.inventory.targets import network_name, ssh_target
    from wgorch.report import files

    output = options.output
    if output:
        files.refuse_existing(output)
    network_name(options.name)
    hosts = {text: Host(text, ssh_target(text), (), 0) for text in options.hosts}
    fleet = open_fleet(options, hosts)
    try:
        adopted = adopt_network(fleet, options.interface, options.name)
    finally:
        fleet.close()
    sys.stderr.writelines(f"note: {note}\n" for note in adopted.notes)
    if output is None:
        sys.stdout.write(adopted.text)
    else:
        files.write_text(adopted.text, output)
    loads(adopted.text, str(output or "inventory.yaml"))
    if output:
        option = "" if adopted.recorded else " --adopt"
        stdout().print(f"✓ wrote {output}\nnext: wgorch plan {output}{option}; wgorch up {output}{option}")
    return DONE
