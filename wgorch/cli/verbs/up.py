"""`wgorch up`: bring the network up, verified or rolled back."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wgorch.apply.lease import check_lease
from wgorch.cli.options import ChangeOptions, change_options, hold_option, plan_options, run_options
from wgorch.errors import HELD, UsageError

if TYPE_CHECKING:
    from wgorch.cli.context import Context
    from wgorch.outcome import Outcome
    from wgorch.plan.host import HostPlan
    from wgorch.workflow import Consent

SUMMARY = "Build the network and verify it, or roll back every host"
EXAMPLES = ("wgorch up inventory.yaml", "wgorch up --hold 30m", "wgorch up --limit home,company")


class UpOptions(ChangeOptions):
    """Options of `wgorch up`."""

    accept_new_key: list[str]
    accept_risk: str | None
    adopt: bool
    find_mtu: bool
    hold: int
    batch: str | None
    stop_after: int
    try_direct: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    run_options(parser)
    change_options(parser)
    plan_options(parser)
    hold_option(parser)
    batch = "change, prove and confirm hosts in batches (1,10%%,100%%; the last size repeats), relays first; a failure stops"
    parser.add_argument("--batch", metavar="SIZES", help=batch)
    stop = "with --batch: make so many batches, and exit 9 with the rest not begun"
    parser.add_argument("--stop-after", metavar="COUNT", type=int, default=0, help=stop)
    risk = "change hosts even if SSH reaches them only through the tunnel"
    parser.add_argument("--accept-risk", choices=("lose-ssh",), help=risk)
    direct = "with `direct: try`: attempt direct peering even without other changes"
    parser.add_argument("--try-direct", action="store_true", help=direct)


def run(options: UpOptions) -> int:
    """Bring the network up."""
    from wgorch.cli.context import open_run
    from wgorch.run_options import RunOptions

    check_lease(options.confirm_timeout)
    wanted = RunOptions(
        options.limit,
        frozenset(options.accept_new_key),
        redo_mtu=options.find_mtu,
        try_direct=options.try_direct,
        may_lose_ssh=options.accept_risk == "lose-ssh",
        adopt=options.adopt,
        strict=options.strict,
    )
    with open_run(options, wanted, draws=True, checks_flows=True) as context:
        if options.batch is None:
            return bring_up(options, context, options.hold)
        return _in_batches(options, context, options.batch)


def _in_batches(options: UpOptions, context: Context, sizes: str) -> int:
    """Bring the network up batch by batch. Raises UsageError for options that do not go together."""
    from wgorch import batches
    from wgorch.base.text import count
    from wgorch.cli.consent import consent_to_up

    if options.hold or options.stop_after < 0:
        raise UsageError("--hold leaves nothing confirmed for a next batch", "leave out --hold, or --batch")
    checked = batches.check_sizes(sizes)

    def announce(number: int, all_of: list[list[str]]) -> None:
        if not options.quiet and not options.json:
            names = ", ".join(all_of[number])
            context.out.print(f"batch {number + 1} of {len(all_of)}, {count(len(all_of[number]), 'host')}: {names}")

    def change() -> Outcome:
        consent = consent_to_up(options, context)
        more = {"stop_after": options.stop_after, "lease_s": options.confirm_timeout}
        return batches.up(context.run, consent, checked, announce=announce, **more)

    return _carry_out(options, context, change, 0)


def bring_up(options: ChangeOptions, context: Context, hold_s: int = 0, check: Consent | None = None) -> int:
    """Bring the network up, tear down hosts that left the inventory, and print the outcome.

    `check`: what refuses every plan but one before a question is asked.
    """
    from wgorch import workflow
    from wgorch.cli.consent import consent_to_up

    def change() -> Outcome:
        ask = consent_to_up(options, context)

        def consent(plans: Mapping[str, HostPlan]) -> bool | None:
            if check:
                check(plans)
            return ask(plans)

        lease_s, exact = options.confirm_timeout, check is not None
        return workflow.up(context.run, consent, lease_s=lease_s, hold_s=hold_s, exact=exact)

    return _carry_out(options, context, change, hold_s)


def _carry_out(options: ChangeOptions, context: Context, change: Callable[[], Outcome], hold_s: int) -> int:
    """Make a change, tear down hosts that left the inventory, and print the outcome."""
    from wgorch import departed, workflow

    run = context.run
    with context.progress:
        outcome = workflow.until_unlocked(run, options.wait, change)
    outcome = departed.prune(run, outcome, context.open_fleet, options.confirm_timeout)
    if options.json:
        from wgorch.report import as_json

        as_json.print_json(context.out, as_json.up_json(outcome))
    elif not options.quiet or outcome.code or any(outcome.orphans.values()):
        _render(options, context, outcome, hold_s)
    return outcome.code


def _render(options: ChangeOptions, context: Context, outcome: Outcome, hold_s: int) -> None:
    from wgorch.cli.context import stderr
    from wgorch.report import verdict as report

    out = context.out
    if outcome.verdict and (not options.quiet or not outcome.verdict.works):
        report.render_verdict(out, context.run.topology, outcome.verdict)
    report.render_outcome(out, outcome)
    report.render_absent(out, outcome.absent)
    if not options.quiet:
        _render_success(context, outcome)
    report.render_orphans(stderr(), outcome)
    if outcome.code == HELD:
        until = time.strftime("%H:%M:%S %Z", time.localtime(time.time() + hold_s))
        out.print(f"held: the change is in force and proven; every host rolls it back at {until}", style="yellow")
        out.print("next: wgorch confirm makes it permanent, or wgorch rollback", style="dim")
    report.render_failure(stderr(), outcome.code)


def _render_success(context: Context, outcome: Outcome) -> None:
    from wgorch.base.text import count

    out = context.out
    for pair in outcome.tried:
        path = f"stays on the relay: {pair.why}" if pair.why else "direct, without the relay"
        out.print(f"{pair.one} <-> {pair.other}: {path}", style="yellow" if pair.why else "green")
    for name in outcome.removed:
        out.print(f"✓ {name} left the inventory: dropped by its peers and restored", style="green")
    changes = sum(len(plan.changes) for plan in outcome.plans.values())
    if outcome.succeeded and changes:
        size = f"{count(changes, 'change')} on {count(len(outcome.plans), 'host')}"
        out.print(f"✓ up complete: {size}, confirmed", style="green")
        out.print("next: wgorch status, wgorch verify; wgorch teardown restores the hosts", style="dim")
    elif outcome.succeeded:
        out.print("next: wgorch verify tests every path", style="dim")
