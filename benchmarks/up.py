"""The command line's `up` with a part replaced: `wgorch up INVENTORY --yes --quiet` as a function."""

from __future__ import annotations

import gc
import os
import secrets
import sys

from wgorch import workflow
from wgorch.apply.transaction import Transaction
from wgorch.cli.parser import build_parser
from wgorch.errors import DONE
from wgorch.inventory.load import load
from wgorch.journal import Journal
from wgorch.memory import remember
from wgorch.plan.playbook import load_all
from wgorch.remote.fleet import Fleet
from wgorch.report.console import LazyConsole
from wgorch.report.progress import Progress
from wgorch.run import Run
from wgorch.run_options import RunOptions
from wgorch.topology.path import unreachable_flows
from wgorch.topology.topology import build


def up(
    inventory_path: str,
    *,
    fleet_type: type[Fleet] = Fleet,
    transaction_type: type[Transaction] = Transaction,
) -> int:
    """Make the network as the inventory says; the exit code. What the command line does besides is done, too."""
    gc.set_threshold(50_000, 20, 100)
    args = build_parser().parse_args(["up", inventory_path, "--yes", "--quiet"])
    inventory = load(args.inventory)
    playbooks = load_all(inventory.path, None, frozenset(inventory.hosts))
    topology = build(inventory)
    assert not unreachable_flows(topology)
    journal = Journal(inventory.network.name, secrets.token_hex(4))
    progress = Progress(LazyConsole(), list(inventory.hosts), journal, quiet=True)
    fleet = fleet_type(inventory.hosts)
    try:
        run = Run(inventory, fleet, progress, playbooks, RunOptions(), topology)
        with progress:
            outcome = workflow.up(run, lambda _plans: None, transaction_type=transaction_type)
    finally:
        fleet.close()
    if outcome.code == DONE:
        remember(inventory, {}, "")
    else:
        findings = outcome.verdict.findings if outcome.verdict else ()
        sys.stderr.writelines(f"{line}\n" for line in (*outcome.failed, *findings))
    return outcome.code


def end(code: int) -> None:
    """End the process without waiting for idle SSH threads, as the command line does."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
