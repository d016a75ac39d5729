"""`wgorch approve`: sign a plan file, so that `apply` makes it where approvals are asked for."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.cli.options import Options
from wgorch.errors import DONE, UsageError

if TYPE_CHECKING:
    from wgorch.inventory.model import ApprovalRule

SUMMARY = "Approve a plan file: sign its digest with an SSH key (offline)"
EXAMPLES = ("wgorch approve change.plan", "wgorch approve change.plan --key ~/.ssh/id_ed25519")


class ApproveOptions(Options):
    """Options of `wgorch approve`."""

    file: Path
    key: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="plan that wgorch plan -o wrote")
    key = "key to sign with, or its public half where an agent has it (default: the first of yours that is a signer's)"
    parser.add_argument("--key", type=Path, metavar="FILE", help=key)
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but problems")


def run(options: ApproveOptions) -> int:
    """Sign, check that the signature is one of a signer, and write it beside the plan."""
    from wgorch.approval import Signed, fingerprint, judge, sign
    from wgorch.cli.context import stdout
    from wgorch.cli.plan_files import SIGNATURE, read_plan
    from wgorch.inventory.load import loads
    from wgorch.report.console import safe_text
    from wgorch.report.files import write_text

    file = read_plan(options.file)
    rule = loads(file.inventory, file.path).approve
    signature = sign(file.digest, options.key, rule)
    by = ""
    if rule:
        found = judge(rule, Signed(file.digest, {"it": signature}))
        if not found.by:
            problem = f"the signature is none of a signer: {found.refused[0].partition(': ')[2]}"
            raise UsageError(problem, "--key FILE; `approve:` in the inventory names the signers")
        by = found.by[0]
    place = options.file.with_name(f"{options.file.name}.{_word(by or fingerprint(signature, file.digest))}{SIGNATURE}")
    write_text(signature, place)
    if not options.quiet:
        out = stdout()
        out.print(safe_text(f"✓ approved{f' by {by}' if by else ''}: wrote {place}", "green"))
        out.print(safe_text(_next(rule), "dim"))
    return DONE


def _next(rule: ApprovalRule | None) -> str:
    if rule is None:
        return "the inventory of this plan asks for no approvals; the rule in force on the hosts decides"
    return f"it needs {rule.needs}, beside the plan; then: wgorch apply"


def _word(principal: str) -> str:
    """A principal as part of a file name."""
    return re.sub(r"[^A-Za-z0-9@_-]+", "-", principal)[:60].strip("-")
