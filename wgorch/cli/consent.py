"""Ask for consent before a change."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wgorch.apply.interrupts import at_prompt
from wgorch.base.text import count
from wgorch.cli.context import Context
from wgorch.cli.options import ChangeOptions
from wgorch.outcome import Declined

if TYPE_CHECKING:
    from wgorch.inventory.model import Host
    from wgorch.plan.host import HostPlan
    from wgorch.workflow import Consent

MAX_QUESTIONS = 3
"""How often a question is put whose answer is neither yes nor no."""


def consent_to_up(options: ChangeOptions, context: Context) -> Consent:
    """Show the plan of `up`; ask if it disrupts traffic, takes down hosts, or undoes changes made from elsewhere.

    On a terminal also before hosts get a tunnel that have none.
    """

    def consent(plans: Mapping[str, HostPlan]) -> bool:
        removed, undone = context.run.removed, context.run.undone
        _show(options, context, plans, "up", removed)
        question = _question(plans, removed, undone)
        first = [name for name, plan in plans.items() if plan.is_first]
        if not question and first and sys.stdin.isatty():
            question = f"set up {_names(first)}"
        if asks := bool(question) and not options.yes:
            confirm(question)
        context.progress.resume()
        return asks

    return consent


def _question(plans: Mapping[str, HostPlan], removed: Mapping[str, Host], undone: list[str]) -> str:
    """What a plan of `up` needs consent for; empty where it needs none."""
    names = [name for name, plan in plans.items() if plan.disruptive]
    number = sum(change.disruptive for name in names for change in plans[name].changes)
    parts = [f"make {count(number, 'disruptive change')} on {_names(names)}"] if names else []
    parts += [f"take down {_names(list(removed))}"] if removed else []
    parts += ["undo changes made from elsewhere"] if undone else []
    return " and ".join(parts)


def consent_to_teardown(options: ChangeOptions, context: Context) -> Consent:
    """Show the plan of `teardown`, and ask if it has changes."""

    def consent(plans: Mapping[str, HostPlan]) -> bool:
        removed = context.run.removed
        _show(options, context, plans, "teardown", removed)
        names = [*(name for name, plan in plans.items() if plan.changes), *removed]
        if asks := bool(names) and not options.yes:
            number = sum(len(plan.changes) for plan in plans.values()) + len(removed)
            confirm(f"tear down the network on {_names(names)} ({count(number, 'change')})")
        context.progress.resume()
        return asks

    return consent


def _show(
    options: ChangeOptions, context: Context, plans: Mapping[str, HostPlan], verb: str, removed: Mapping[str, Host]
) -> None:
    context.progress.stop()
    if not options.quiet and not options.json:
        from wgorch.report.plan import render_plan  # late: imports rich

        render_plan(context.out, plans, verb, removed)
        if verb == "up":
            from wgorch.report.verdict import render_undone

            render_undone(context.out, context.run)


MAX_NAMES = 6


def _names(names: list[str]) -> str:
    """The names of hosts, or their number where they are many."""
    return ", ".join(names) if len(names) <= MAX_NAMES else f"{len(names)} hosts"


def confirm(action: str) -> None:
    """Ask on the terminal. Raises Declined."""
    if not sys.stdin.isatty():
        raise Declined(f"refusing to {action}: no terminal to confirm on", "review the plan, then re-run with --yes")
    for _ in range(MAX_QUESTIONS):
        with at_prompt():
            answer = input(f"wgorch: {action}? [y/N] ").strip().lower()
        if answer in ("y", "yes"):
            return
        if answer in ("", "n", "no"):
            break
        sys.stderr.write("wgorch: please answer yes or no\n")
    raise Declined("aborted")
