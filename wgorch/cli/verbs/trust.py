"""`wgorch trust`: show the SSH host key of a host, and add it to known_hosts after comparison."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, host_argument, inventory_argument, login_options, yes_option
from wgorch.errors import DONE, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from wgorch.inventory.model import Host
    from wgorch.remote.fleet import Fleet
    from wgorch.remote.ssh.route import SshRoute

SUMMARY = "Add a host's SSH host key to known_hosts after comparing it"
EXAMPLES = ("wgorch trust home", "wgorch trust root@203.0.113.13")


class TrustOptions(Options):
    """Options of `wgorch trust`."""

    host: str
    yes: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    host_argument(parser, "host", help="host of the inventory, or USER@HOST before there is one")
    inventory_argument(parser)
    yes_option(parser)
    login_options(parser)


def run(options: TrustOptions) -> int:
    """Trust the host and each jump host before it."""
    from wgorch.cli.context import open_fleet, stdout

    hosts = _hosts(options)
    fleet, out = open_fleet(options, hosts), stdout()
    try:
        if hosts[options.host].ssh.local:
            out.print(f"{options.host} is this machine; it has no host key to trust")
            return DONE
        for hop in fleet.clients.route(options.host).hops:
            _trust(fleet, options, hop, out)
    finally:
        fleet.close()
    return DONE


def _hosts(options: TrustOptions) -> Mapping[str, Host]:
    """The hosts of the inventory; or that of USER@HOST alone, which needs none. Raises UsageError."""
    from wgorch.cli.context import load_inventory
    from wgorch.inventory.model import Host
    from wgorch.inventory.names import check_host
    from wgorch.inventory.targets import ssh_target

    if "@" in options.host and options.inventory is None:
        return {options.host: Host(options.host, ssh_target(options.host), (), 0)}
    inventory = load_inventory(options)
    check_host(inventory, options.host)
    return inventory.hosts


def _trust(fleet: Fleet, options: TrustOptions, hop: SshRoute, out: Console) -> None:
    """Add the key that a hop presents to known_hosts. Raises UsageError if it has another one, or is declined."""
    import base64
    from dataclasses import replace

    from wgorch.remote.ssh.host_keys import HostKeyRefused, name_of, verify
    from wgorch.remote.ssh.known_hosts import fingerprint, load

    key, name = fleet.clients.scan(options.host, hop), name_of(hop)
    known = load(Path(p) for p in hop.known_hosts_files)
    with contextlib.suppress(HostKeyRefused):
        verify(options.host, replace(hop, host_key=None), known, key)
        out.print(f"{name}: already trusted ({fingerprint(key.blob)})")
        return
    if any(not k.marker or k.blob == key.blob for k in known.keys(name)):
        problem = f"{options.host}: {name} presents {key}, but known_hosts has another key"
        hint = f"if the host was reinstalled: ssh-keygen -R '{name}', then wgorch trust {options.host}"
        raise UsageError(problem, hint)
    out.print(f"{name} presents {key}")
    out.print(f"compare it on the host itself: ssh-keygen -lf /etc/ssh/ssh_host_{_short(key.kind)}_key.pub")
    if not options.yes:
        _confirm(name)
    file = Path(hop.known_hosts_files[0])
    _append(file, f"{name} {key.kind} {base64.b64encode(key.blob).decode()}\n")
    out.print(f"✓ {name} added to {file}")
    fleet.clients.forget_known_hosts()


def _confirm(name: str) -> None:
    if not sys.stdin.isatty():
        problem = f"refusing to trust {name}: no terminal to confirm on"
        raise UsageError(problem, "compare the fingerprints, then re-run with --yes")
    if input("Do the fingerprints match? [y/N] ").strip().lower() not in ("y", "yes"):
        raise UsageError("aborted")


def _short(kind: str) -> str:
    return "ed25519" if "ed25519" in kind else "ecdsa" if "ecdsa" in kind else "rsa"


def _append(path: Path, line: str) -> None:
    """Append a line to a file; start a new line if the last one is not complete."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "rb+") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode())
