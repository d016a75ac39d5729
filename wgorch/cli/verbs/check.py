"""`wgorch check`: validate the inventory, its playbooks and its flows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, host_argument, inventory_argument, json_option, playbooks_option
from wgorch.errors import BAD_INPUT, DONE, InventoryError

if TYPE_CHECKING:
    from wgorch.inventory.model import Inventory
    from wgorch.topology.path import Unreachable

SUMMARY = "Validate the inventory; contacts no host"
EXAMPLES = ("wgorch check", "wgorch check --show home", "wgorch check --schema >inventory.schema.json")


class CheckOptions(Options):
    """Options of `wgorch check`."""

    schema: bool
    show: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    inventory_argument(parser)
    json_option(parser)
    playbooks_option(parser)
    clients = "print which SSH client would reach each host, and why"
    parser.add_argument("-v", "--verbose", action="count", default=0, help=clients)
    shows = "print what HOST has after defaults, groups and ranges, and where each value stands"
    host_argument(parser, "--show", metavar="HOST", help=shows)
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of inventories, for editors")


def run(options: CheckOptions) -> int:
    """Check without connecting to any host; problems go to stderr."""
    from wgorch.cli.context import load_inventory
    from wgorch.plan.playbook import load_all
    from wgorch.topology.path import unreachable_flows
    from wgorch.topology.topology import build

    if options.schema:
        import json

        from wgorch.inventory.schema import json_schema

        sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
        return DONE
    try:
        inventory = load_inventory(options)
        load_all(inventory.path, options.playbooks, frozenset(inventory.hosts))
    except InventoryError as error:
        if options.json:
            from wgorch.report.as_json import problems_json

            sys.stdout.write(f"{problems_json(error.problems)}\n")
        raise
    if options.show is not None:
        sys.stdout.writelines(f"{line}\n" for line in _shown(inventory, options.show))
        return DONE
    unreachable = unreachable_flows(build(inventory))
    _print(options, inventory, unreachable)
    return BAD_INPUT if unreachable else DONE


def _print(options: CheckOptions, inventory: Inventory, unreachable: list[Unreachable]) -> None:
    from wgorch.base.text import count
    from wgorch.cli.context import with_places

    if options.json:
        import json

        from wgorch.report.as_json import check_json

        sys.stdout.write(json.dumps(check_json(inventory, list(map(str, unreachable))), indent=2) + "\n")
    elif unreachable:
        sys.stderr.writelines(f"{line}\n" for line in with_places(inventory, unreachable))
    else:
        size = f"{count(len(inventory.hosts), 'host')}, {count(len(inventory.verify), 'flow')}"
        sys.stdout.write(f"{inventory.path}: OK ({size})\n")
        sys.stdout.writelines(f"{line}\n" for line in _warnings(inventory))
        sys.stdout.writelines(f"note: {line}\n" for line in (*_ports(inventory), *_endpoints(inventory)))
        for name, device in inventory.devices.items():
            if not device.public_key:
                sys.stdout.write(f"note: {name} has no public key yet: wgorch export {name} --write makes its key\n")
        if options.verbose:
            sys.stdout.writelines(f"{line}\n" for line in _clients(inventory))


def _warnings(inventory: Inventory) -> Iterator[str]:
    """What does not hold without one of several relays; lines of the policy that do nothing, and name servers that it refuses."""
    if not inventory.policy and not inventory.network.several_relays:
        return
    from wgorch.topology.path import lost_without, refused_name_servers
    from wgorch.topology.policy_changes import idle_lines
    from wgorch.topology.topology import build

    topology = build(inventory)
    lines = idle_lines(topology) if inventory.policy else ()
    found = [(f"policy[{number}]", f"{rule}: {reason}") for number, rule, reason in lines]
    found += [(each.path, each.text) for each in lost_without(topology)]
    found += [(each.path, each.text) for each in refused_name_servers(topology)]
    yield from (f"{inventory.path}:{inventory.locations.where(path)}: warning: {text}" for path, text in found)


def _ports(inventory: Inventory) -> Iterator[str]:
    """UDP ports that each of several relays must be reached at."""
    from wgorch.topology.topology import build

    topology = build(inventory)
    for name in topology.relays if inventory.network.several_relays else ():
        host, desired = inventory.hosts[name], topology.desired(name)
        others = {desired.interface_of(link): link.peer for link in desired.links}
        between = ", ".join(f"{port} ({others[interface]})" for interface, port in desired.ports.items())
        yield f"{name} listens on UDP {host.listen_port} (hosts), {between}"


def _endpoints(inventory: Inventory) -> Iterator[str]:
    """Where the peers of a host with several endpoints connect to it."""
    from wgorch.topology.topology import build

    if not any(member.ways for member in inventory.members.values()):
        return
    reaches = (frozenset({4, 6}), frozenset({4}), frozenset({6}))
    by_version = [build(inventory, versions=dict.fromkeys(inventory.members, versions)) for versions in reaches]
    for name, member in by_version[0].hosts.items():
        peers: dict[tuple[str, ...], list[str]] = {}
        for peer in by_version[0].peers(name) if member.ways else ():
            ends = tuple(str(topology.endpoint_for(name, peer) or "") for topology in by_version)
            peers.setdefault(ends, []).append(peer)
        for found, others in peers.items():
            if found[0]:
                some = ", ".join(others[:8]) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
                alone = zip((4, 6), found[1:], strict=True)
                more = (f"; by IPv{version} alone {end}" for version, end in alone if end != found[0])
                yield f"{some} -> {name}: {found[0]}{''.join(more)}"


def _shown(inventory: Inventory, name: str) -> Iterator[str]:
    """Raises UsageError for a name that is no host."""
    from wgorch.inventory.names import check_host
    from wgorch.inventory.show import show

    return show(inventory, check_host(inventory, name))


def _clients(inventory: Inventory) -> Iterator[str]:
    """The SSH client of each host, by the configuration alone. Raises UsageError."""
    from wgorch.base.text import visible
    from wgorch.remote.clients import Clients
    from wgorch.remote.timings import Timings

    clients = Clients(inventory.hosts, Timings())
    for name, host in inventory.hosts.items():
        if host.ssh.local:
            yield f"{name}: this machine, without SSH"
            continue
        choice = clients.choice(name)
        why = f": {visible(choice.why)}" if choice.why else ""
        yield f"{name}: {choice.client}, {visible(str(clients.route(name)))}{why}"
