"""Ask for consent before a change."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wgorch.cli.context import Context
from wgorch.cli.options import ChangeOptions
from wgorch.outcome import Declined

if TYPE_CHECKING:
    from wgorch.inventory.model import Host
    from wgorch.plan.host import HostPlan
    from wgorch.workflow import Consent


def consent_to_up(options: ChangeOptions, context: Context, removed: Mapping[str, Host]) -> Consent:
    """Show the plan of `up`; ask if it disrupts traffic or takes down hosts that left the inventory."""

    def consent(plans: Mapping[str, HostPlan]) -> bool:
        context.progress.stop()
        if not options.quiet and not options.json:
            from wgorch.report.plan import render_plan  # late: imports rich

            render_plan(context.out, plans, "up")
            for name, host in removed.items():
                context.out.print(f"- host {name} ({host.ssh}): left the inventory; torn down after its peers drop it")
        asks = not options.yes and (bool(removed) or any(plan.disruptive for plan in plans.values()))
        if asks:
            _confirm("apply this disruptive plan")
        context.progress.resume()
        return asks

    return consent


def consent_to_teardown(options: ChangeOptions, context: Context) -> Consent:
    """Show the plan of `teardown`, and ask if it has changes."""

    def consent(plans: Mapping[str, HostPlan]) -> bool:
        context.progress.stop()
        if not options.quiet and not options.json:
            from wgorch.report.plan import render_plan  # late: imports rich

            render_plan(context.out, plans, "teardown")
        asks = not options.yes and any(plan.changes for plan in plans.values())
        if asks:
            _confirm("tear down the network")
        context.progress.resume()
        return asks

    return consent


def _confirm(action: str) -> None:
    """Ask on the terminal. Raises Declined."""
    if not sys.stdin.isatty():
        raise Declined(f"refusing to {action}: no terminal to confirm on", "review the plan, then re-run with --yes")
    if input(f"wgorch: {action}? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Declined("aborted")
