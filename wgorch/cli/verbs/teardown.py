"""`wgorch teardown`: remove the network, with or without its inventory."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wgorch.apply.lease import check_lease
from wgorch.cli.options import ChangeOptions, change_options, host_argument, run_options
from wgorch.errors import DONE, UsageError

if TYPE_CHECKING:
    from wgorch.cli.context import Context
    from wgorch.inventory.model import Host
    from wgorch.outcome import ManagedNetwork, Outcome
    from wgorch.remote.fleet import Fleet

SUMMARY = "Remove the network and restore every host"
EXAMPLES = (
    "wgorch teardown",
    "wgorch teardown --network office",
    "wgorch teardown --host root@203.0.113.13",
)


class TeardownOptions(ChangeOptions):
    """Options of `wgorch teardown`."""

    purge: bool
    packages: bool
    keep_history: bool
    host: list[str]
    network: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    run_options(parser)
    change_options(parser)
    parser.add_argument("--purge", action="store_true", help="also delete private keys")
    parser.add_argument("--packages", action="store_true", help="also remove packages installed by wgorch")
    history = "leave the revisions and the journals on the hosts, for wgorch history and wgorch rollback"
    parser.add_argument("--keep-history", action="store_true", help=history)
    without = "remove every wgorch network of this host (with --network: that one), without an inventory"
    host_argument(parser, "--host", metavar="USER@HOST", action="append", default=[], help=without)
    by_name = "remove the network of this name, without an inventory: on each --host, else where it was last applied"
    parser.add_argument("--network", metavar="NAME", help=by_name)


def run(options: TeardownOptions) -> int:
    """Tear down the network of the inventory, or those found on --host or by --network."""
    from wgorch.cli.context import open_run

    check_lease(options.confirm_timeout)
    if options.host or options.network is not None:
        _check(options)
        return _teardown_on_hosts(options)
    with open_run(options, draws=True) as context:
        return _teardown(options, context)


def _check(options: TeardownOptions) -> None:
    """Refuse what --host and --network cannot mean. Raises UsageError."""
    if options.inventory:
        raise UsageError("both an inventory and --host or --network are given", "give one")
    if options.limit:
        raise UsageError("--limit names hosts of an inventory", "name the hosts by --host instead")
    if options.network == "":
        raise UsageError("the name of the network is empty", "name it, as in wgorch teardown --network office")


def _teardown_on_hosts(options: TeardownOptions) -> int:
    from wgorch.cli.context import closing

    code = DONE
    for context in _networks_on(options):
        with closing(options, context.run):
            code = max(code, _teardown(options, context))
    return code


def _teardown(options: TeardownOptions, context: Context) -> int:
    from wgorch import departed, workflow
    from wgorch.cli.consent import consent_to_teardown

    with context.progress:
        outcome = workflow.until_unlocked(
            context.run,
            options.wait,
            lambda: workflow.teardown(
                context.run,
                consent_to_teardown(options, context),
                lease_s=options.confirm_timeout,
                purge=options.purge,
                packages=options.packages,
                history=options.keep_history,
            ),
        )
    outcome = departed.tear_down_rest(context.run, outcome, context.open_fleet, options.confirm_timeout)
    if options.json:
        from wgorch.report import as_json

        as_json.print_json(context.out, as_json.teardown_json(outcome))
    else:
        _render(options, context, outcome)
    return outcome.code


def _render(options: TeardownOptions, context: Context, outcome: Outcome) -> None:
    from wgorch.base.sh import quote_words
    from wgorch.base.text import count
    from wgorch.cli.context import stderr
    from wgorch.report.console import safe_text
    from wgorch.report.verdict import render_absent, render_failure, render_orphans, render_outcome

    out = context.out
    render_outcome(out, outcome)
    render_absent(out, outcome.absent, "still has what wgorch set up; run teardown again when it is back")
    for host, names in outcome.others.items():
        for name in names:
            remedy = quote_words(["wgorch", "teardown", "--network", name])
            out.print(safe_text(f"{host}: has network {name} of wgorch ({remedy})", "yellow"))
    if outcome.succeeded and not options.quiet and outcome.standing:
        adopted = [n for n in outcome.standing if context.run.seen[n].files.boot_header.get("adopted") == "yes"]
        others = len(outcome.standing) - len(adopted)
        restored = f"; {count(others, 'host')} restored" if others else ""
        out.print(f"✓ teardown complete{restored}", style="green")
        if adopted:
            gone = f"{', '.join(adopted)}: {context.run.network.interface} was adopted, and is gone; start it as before"
            out.print(safe_text(gone, "yellow"))
        kept = [] if options.packages else ["installed packages (--packages removes them)"]
        kept += [] if options.purge else ["private keys (--purge deletes them)"]
        kept += ["revisions and journals"] if options.keep_history else []
        if kept:
            out.print(f"kept: {', '.join(kept)}", style="dim")
    render_orphans(stderr(), outcome)
    render_failure(stderr(), outcome.code)


def _networks_on(options: TeardownOptions) -> list[Context]:
    """A run for each wgorch network, or that of --network, that the hosts carry. Raises HostsFailed or UsageError."""
    from dataclasses import replace

    from wgorch.cli.context import Context, fleet_opener, stdout
    from wgorch.inventory.model import Inventory, Network
    from wgorch.plan.playbook import load_all
    from wgorch.report.progress import Progress
    from wgorch.run import Run

    playbooks = load_all("", options.playbooks)
    hosts = _hosts(options)
    out = stdout()
    open_fleet = fleet_opener(options)
    unknown = Network("", (), "", ipv6=True)
    found = _discover(open_fleet(Inventory("", unknown, hosts)))
    contexts = []
    wanted = {n for networks in found.values() for n in networks if options.network in (None, n.name)}
    for network in sorted(wanted, key=lambda n: (n.name, n.interface)):
        here = {name: host for name, host in hosts.items() if network in found[name]}
        inventory = Inventory("", replace(unknown, name=network.name, interface=network.interface), here)
        progress = Progress(out, list(here), quiet=options.quiet or options.json, verbose=options.verbose)
        run = Run(inventory, open_fleet(inventory), progress, playbooks)
        contexts.append(Context(run, out, progress, open_fleet))
    if not contexts:
        out.print("No wgorch resources found.")
    return contexts


def _hosts(options: TeardownOptions) -> dict[str, Host]:
    """The hosts of --host, else those that --network was last applied to. Raises UsageError."""
    from wgorch.inventory.model import Host
    from wgorch.inventory.targets import ssh_target
    from wgorch.memory import hosts_of

    if options.host:
        return {text: Host(text, ssh_target(text), (), 0) for text in options.host}
    if hosts := hosts_of(options.network or ""):
        return hosts
    raise UsageError(f"no network {options.network} was applied from this controller", "name its hosts: --host")


def _discover(fleet: Fleet) -> dict[str, list[ManagedNetwork]]:
    from wgorch.errors import HostsFailed
    from wgorch.interop.discover import discover

    try:
        found, failed = fleet.on_hosts(fleet.hosts, lambda name: discover(fleet, name))
    finally:
        fleet.close()
    if failed:
        raise HostsFailed(list(failed.values()))
    return found
