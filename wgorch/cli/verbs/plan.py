"""`wgorch plan`: show what `up` would change."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wgorch.cli.options import Options, duration, host_argument, plan_options, run_options

SUMMARY = "Show what `up` would change, and why (read-only)"
EXAMPLES = ("wgorch plan", "wgorch plan -o change.plan", "wgorch plan --format shell")


class PlanOptions(Options):
    """Options of `wgorch plan`."""

    format: str
    output: Path | None
    facts: Path | None
    max_age: int
    accept_new_key: list[str]
    adopt: bool
    find_mtu: bool
    rotate_key: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    run_options(parser)
    plan_options(parser)
    rotates = "plan a new key for HOST, as wgorch rotate-key makes one (repeatable)"
    host_argument(parser, "--rotate-key", metavar="HOST", action="append", default=[], help=rotates)
    output = "write the plan to FILE too, for wgorch show and wgorch apply"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=output)
    facts = "plan from facts that wgorch facts -o DIR gathered, without asking any host"
    parser.add_argument("--facts", type=Path, metavar="DIR", help=facts)
    ages = "with --facts: refuse facts older than TIME (90s, 30m, 2h; default 1h)"
    parser.add_argument("--max-age", type=duration, metavar="TIME", default=3600, help=ages)
    parser.add_argument(
        "--format", choices=("text", "json", "shell"), default="text", help="output format (default: text)"
    )


def run(options: PlanOptions) -> int:
    """Gather facts, plan, and print the plan."""
    from wgorch import workflow
    from wgorch.approval import rules_in_force
    from wgorch.base.text import count
    from wgorch.cli.context import open_run, stderr
    from wgorch.cli.verbs.rotate_key import refuse_imported
    from wgorch.report import as_json
    from wgorch.report import plan as report
    from wgorch.report.verdict import render_absent, render_undone
    from wgorch.run_options import RunOptions

    accepted = frozenset(options.accept_new_key)
    wanted = RunOptions(
        options.limit,
        accepted,
        frozenset(options.rotate_key),
        redo_mtu=options.find_mtu,
        adopt=options.adopt,
        strict=options.strict,
    )
    with open_run(options, wanted, checks_flows=True) as context:
        refuse_imported(context.run.inventory, options.rotate_key)
        if options.facts:
            from wgorch.cli.recorded_facts import use_facts

            use_facts(context.run, options.facts, options.max_age)
            outcome = workflow.plan_of(context.run)
        else:
            outcome = workflow.plan(context.run)
        if options.output:
            from wgorch.cli.plan_files import write_plan

            write_plan(options.output, context.run, outcome, options.playbooks)
            if not options.quiet:
                for rule in rules_in_force(context.run.inventory, context.run.seen):
                    stderr().print(
                        f"next: wgorch approve {options.output}; wgorch apply needs {count(rule.needs, 'approval')}"
                    )
        if options.json or options.format == "json":
            as_json.print_json(context.out, as_json.plan_json(outcome))
        elif options.format == "shell":
            sys.stdout.write(report.shell_plan(outcome.plans))
        elif not options.quiet or outcome.code:
            report.render_plan(context.out, outcome.plans, removed=outcome.leaving)
            render_undone(context.out, context.run)
            render_absent(context.out, outcome.absent)
    return outcome.code
