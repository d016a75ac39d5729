"""`wgorch approve`: sign a plan file, so that `apply` makes it where approvals are asked for."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from wgorch.cli.options import Options
from wgorch.errors import DONE, UsageError

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
    from wgorch.approval import Signed, fingerprint, judge, rules_of, sign
    from wgorch.cli.context import stdout
    from wgorch.cli.plan_files import SIGNATURE, read_plan
    from wgorch.report.console import safe_text
    from wgorch.report.files import write_text

    file = read_plan(options.file)
    rules = rules_of(file.approvals)
    signature = sign(file.digest, options.key, rules)
    found = [judge(rule, Signed(file.digest, {"it": signature})) for rule in rules]
    by = next((name for each in found for name in each.by), "")
    if rules and not by:
        problem = f"the signature is none of a signer: {found[0].refused[0].partition(': ')[2]}"
        raise UsageError(problem, "--key FILE; the rule in force names the signers: wgorch show FILE")
    key = fingerprint(signature, file.digest)
    place = options.file.with_name(f"{options.file.name}.{_word(f'{by}-{key[7:15]}')}{SIGNATURE}")
    write_text(signature, place)
    if not options.quiet:
        out = stdout()
        out.print(safe_text(f"✓ approved by {by or key}: wrote {place}", "green"))
        needs = max((rule.needs for rule in rules), default=0)
        next_step = f"it needs {needs}, beside the plan; then: wgorch apply" if needs else "no rule asks for it yet"
        out.print(safe_text(next_step, "dim"))
    return DONE


def _word(principal: str) -> str:
    """A principal as part of a file name."""
    return re.sub(r"[^A-Za-z0-9@_-]+", "-", principal)[:60].strip("-")
