"""`wgorch doctor`: diagnose the settings of hosts."""

from __future__ import annotations

import argparse

from wgorch.cli.options import Options, host_argument, inventory_option, json_option, login_options
from wgorch.errors import ABSENT, DONE, FAULT

SUMMARY = "Diagnose host settings that can break the tunnel, with fixes"
EXAMPLES = ("wgorch doctor company",)


class DoctorOptions(Options):
    """Options of `wgorch doctor`."""

    hosts: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    host_argument(parser, "hosts", nargs="*", metavar="HOST", help="hosts to diagnose (default: all)")
    inventory_option(parser)
    json_option(parser)
    login_options(parser)


def run(options: DoctorOptions) -> int:
    """Inspect the hosts and print the findings of each."""
    from wgorch import inspection
    from wgorch.cli.context import open_run
    from wgorch.inventory.names import check_names
    from wgorch.report import as_json
    from wgorch.report.verdict import render_absent, render_findings

    with open_run(options, quiet=options.json) as context:
        inventory = context.run.inventory
        names = sorted(check_names(inventory, options.hosts)) or list(inventory.hosts)
        found = inspection.examine(context.run, names)
        if options.json:
            as_json.print_json(context.out, as_json.findings_json(found, context.run.absent))
        else:
            render_findings(context.out, found)
            render_absent(context.out, context.run.absent)
        faults = any(finding.hint for findings in found.values() for finding in findings)
        return FAULT if faults else ABSENT if context.run.absent else DONE
