"""`wgorch show`: print a plan that was written to a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, json_option
from wgorch.errors import DONE

if TYPE_CHECKING:
    from wgorch.approval import Approvals
    from wgorch.plan.file import PlanFile

SUMMARY = "Print a plan file as `plan` prints it (offline)"
EXAMPLES = ("wgorch show change.plan", "wgorch show change.plan --markdown")


class ShowOptions(Options):
    """Options of `wgorch show`."""

    file: Path
    markdown: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="plan that wgorch plan -o wrote")
    parser.add_argument("--markdown", action="store_true", help="print Markdown, for a pull request")
    json_option(parser)


def run(options: ShowOptions) -> int:
    """Print the plan, who made it, and when."""
    from wgorch.cli.context import stdout
    from wgorch.cli.plan_files import read_plan
    from wgorch.report import as_json
    from wgorch.report import plan_file as report

    file = read_plan(options.file)
    approved = _approvals(options.file, file)
    if options.json:
        as_json.print_json(stdout(), report.as_json(file, approved))
    elif options.markdown:
        sys.stdout.write(report.markdown(file, approved))
    else:
        report.render(stdout(), file, approved)
    return DONE


def _approvals(path: Path, file: PlanFile) -> list[Approvals]:
    """What the signatures beside a plan come to, under each rule that was in force when it was made."""
    from wgorch.approval import judge, rules_of
    from wgorch.cli.plan_files import read_signatures

    rules = rules_of(file.approvals)
    signed = read_signatures(path, file) if rules else None
    return [judge(rule, signed) for rule in rules if signed]
