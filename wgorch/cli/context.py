"""What a verb runs on: the inventory, a Run with its sessions, and the consoles."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

from wgorch.base.text import visible
from wgorch.cli.options import Options
from wgorch.errors import InventoryError, UsageError
from wgorch.report.console import LazyConsole

if TYPE_CHECKING:
    from rich.console import Console

    from wgorch.inventory.model import Host, Inventory
    from wgorch.plan.playbook import Playbooks
    from wgorch.remote.fleet import Fleet
    from wgorch.remote.root import Password
    from wgorch.remote.shell import Log
    from wgorch.report.progress import Progress
    from wgorch.run import Run
    from wgorch.run_options import RunOptions
    from wgorch.topology.path import Unreachable
    from wgorch.topology.topology import Topology
    from wgorch.workflow import OpenFleet


class Context(NamedTuple):
    """A run, the console of its results, its progress display, and how to open a fleet for other hosts."""

    run: Run
    out: Console
    progress: Progress
    open_fleet: OpenFleet


def load_inventory(options: Options, given: str | None = None, *, quiet: bool = False) -> Inventory:
    """Find and load the inventory, with addresses; warnings and its place go to stderr. Raises WgorchError."""
    from wgorch.inventory.load import load
    from wgorch.memory import find_inventory

    path, how = find_inventory(given or options.inventory)
    inventory = load(path, run_sources=options.run_sources)
    if any(len(host.given) < len(inventory.network.subnets) for host in inventory.members.values()):
        from wgorch.inventory.assign import assign
        from wgorch.memory import addresses_had

        inventory = assign(inventory, addresses_had(inventory))
    if how and not quiet:
        sys.stderr.write(f"inventory: {path} ({how})\n")
    for warning in inventory.warnings:
        sys.stderr.write(f"{warning}\n")
    return inventory


def build_topology(inventory: Inventory) -> Topology:
    """Build the topology, and refuse flows that no host could make work. Raises InventoryError."""
    from wgorch.topology.path import unreachable_flows
    from wgorch.topology.topology import build

    topology = build(inventory)
    if unreachable := unreachable_flows(topology):
        raise InventoryError(with_places(inventory, unreachable))
    return topology


def with_places(inventory: Inventory, unreachable: Iterable[Unreachable]) -> list[str]:
    """Contradictions as errors with their places in the file, and those of the policy's lines that they name."""
    where = inventory.locations.where
    if not inventory.locations:  # of a plan file, or of a revision: its own file is gone, or another by now
        return [f"{inventory.path}: error: {each}" for each in unreachable]

    def text(each: Unreachable) -> str:
        return re.sub(r"policy\[\d+\]", lambda hit: f"{hit[0]} at {where(hit[0])}", each.text)

    return [f"{inventory.path}:{where(each.path)}: error: {text(each)}" for each in unreachable]


def open_fleet(options: Options, hosts: Mapping[str, Host]) -> Fleet:
    """A fleet of some hosts, with the options that a login has."""
    return _fleet_opener(options)(hosts)


def fleet_opener(options: Options) -> OpenFleet:
    """How to open fleets: with sessions from here, or on the workers of a Dask scheduler.

    Passwords are asked for at once, so that all fleets share them.
    """
    open_here = _fleet_opener(options)
    if options.workers is None:
        return lambda inventory: open_here(inventory.hosts)
    workers, log = options.workers, _log(options)

    def on_workers(inventory: Inventory) -> Fleet:
        if _sudo_password(options) or options.ask_ssh_password:
            raise UsageError(
                "--workers would send passwords to the workers", "log in by a key, as a user who needs none"
            )
        if inventory.network.preshared_keys and not workers.startswith("tls://"):
            raise UsageError("--workers would send preshared keys unencrypted", "--workers tls://…")
        from wgorch.remote.cluster import ClusterFleet

        return ClusterFleet(inventory.hosts, workers, log, options.ssh_client)

    return on_workers


def _fleet_opener(options: Options) -> Callable[[Mapping[str, Host]], Fleet]:
    from wgorch.remote.answers import Answers
    from wgorch.remote.fleet import Fleet

    password, log = _sudo_password(options), _log(options)
    answers = Answers(password=options.ask_ssh_password)
    return lambda hosts: Fleet(hosts, log, password, answers=answers, client=options.ssh_client)


def _log(options: Options) -> Log | None:
    from wgorch.report.progress import log_to_stderr

    return log_to_stderr(options.verbose)


def _sudo_password(options: Options) -> Password | None:
    """The sudo password from the environment, or if --ask-sudo-password from the keyring or a prompt."""
    from wgorch.remote.root import password_from

    return password_from(_prompt if options.ask_sudo_password else None)


def _prompt(text: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError("no terminal to ask for the sudo password on", "set WGORCH_SUDO_PASSWORD, or use a keyring")
    import getpass

    return getpass.getpass(text)


def open_progress(
    options: Options, out: Console, inventory: Inventory, limit: frozenset[str], *, draws: bool
) -> Progress:
    """Start the journal and the progress display of a run; silent unless `draws`."""
    import secrets

    from wgorch.inventory.commit import commit_of
    from wgorch.inventory.dump import digest
    from wgorch.journal import Journal
    from wgorch.membership import author
    from wgorch.report.progress import Progress

    journal = Journal(inventory.network.name, secrets.token_hex(4))
    about = {"user": author(), "digest": digest(inventory), "commit": commit_of(inventory.path)}
    journal.write(
        "begin", verb=options.verb, inventory=inventory.path, **{k: text for k, text in about.items() if text}
    )
    hosts = [name for name in inventory.hosts if not limit or name in limit]
    quiet = not draws or options.quiet or options.json
    return Progress(stderr() if options.json else out, hosts, journal, quiet=quiet, verbose=options.verbose)


@contextmanager
def open_run(
    options: Options,
    run_options: RunOptions | None = None,
    *,
    inventory: str | None = None,
    draws: bool = False,
    quiet: bool = False,
    checks_flows: bool = False,
) -> Iterator[Context]:
    """Open a run over the inventory; at the end close its sessions and print the report of --profile.

    `inventory`: in place of the option; `draws`: show progress; `quiet`: do not print where the inventory was found;
    `checks_flows`: refuse flows that no host could make work. Raises WgorchError.
    """
    from wgorch.plan.playbook import load_all
    from wgorch.run_options import RunOptions

    loaded = load_inventory(options, inventory, quiet=quiet or options.quiet)
    playbooks = load_all(loaded.path, options.playbooks, frozenset(loaded.hosts))
    topology = build_topology(loaded) if checks_flows else None
    wanted = run_options or RunOptions(options.limit, strict=options.strict)
    with run_over(options, loaded, playbooks, wanted, topology=topology, draws=draws) as context:
        yield context


@contextmanager
def run_over(
    options: Options,
    loaded: Inventory,
    playbooks: Playbooks,
    run_options: RunOptions,
    *,
    topology: Topology | None = None,
    draws: bool = False,
) -> Iterator[Context]:
    """Open a run over an inventory that is loaded. Raises WgorchError."""
    from wgorch.inventory.names import check_names
    from wgorch.run import Run

    run_options = replace(
        run_options,
        limit=check_names(loaded, sorted(run_options.limit)),
        accept_new_keys=check_names(loaded, sorted(run_options.accept_new_keys)),
        rotate_keys=check_names(loaded, sorted(run_options.rotate_keys)),
    )
    out = stdout()
    progress = open_progress(options, out, loaded, run_options.limit, draws=draws)
    try:
        opener = fleet_opener(options)
        run = Run(loaded, opener(loaded), progress, playbooks, run_options, topology)
        with closing(options, run):
            yield Context(run, out, progress, opener)
    finally:
        progress.close()


@contextmanager
def closing(options: Options, run: Run) -> Iterator[None]:
    """Close the sessions of a run at the end; unless it failed, print the report of --profile."""
    try:
        yield
    finally:
        run.fleet.close()
        for host, why in run.fleet.clients.fallbacks.items():
            sys.stderr.write(f"{host}: SSH by OpenSSH's client: {visible(why)}\n")
    if options.profile:
        from wgorch.report.timings import render_profile

        render_profile(stderr(), [run.fleet.timings])


def stdout() -> Console:
    """The console of results; rich is imported when something is first printed."""
    return cast("Console", LazyConsole())


def stderr() -> Console:
    """The console of messages beside the result."""
    return cast("Console", LazyConsole(stderr=True))
