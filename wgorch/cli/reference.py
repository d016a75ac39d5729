"""The list of verbs: as `wgorch --help`, and as the page docs/cli.md."""

from __future__ import annotations

import argparse
import textwrap
from itertools import chain

from wgorch.cli.verbs import GROUPS, verb

EXAMPLES = """\
Examples:
  wgorch rehearse inventory.yaml   test the network on this machine
  wgorch up inventory.yaml         build the network, or roll back every host
  wgorch status                    show sessions and drift
  wgorch trace home 10.10.13.61    find out where a packet is dropped
  wgorch teardown                  restore every host
"""


EXITS = """\
Exit codes:
  0 done   1 a fault was found   2 plan, status: changes or drift
  3 usage, bad inventory, consent missing
  4 a host unfit, or none reachable; nothing changed
  5 failed and rolled back   6 failed, not all rolled back
  7 done, but hosts were unreachable   70 internal error
  75 locked by another run
  130 interrupted, nothing changed or all rolled back (143 SIGTERM, 129 SIGHUP)
"""


def usage() -> str:
    """The text of `wgorch --help`."""
    lines = ["Build WireGuard networks between sites, over SSH, from one inventory.", "", EXAMPLES]
    for group, names in GROUPS.items():
        lines += [f"{group}:", *chain.from_iterable(_summary(name) for name in names)]
    return "\n".join([*lines, "", "wgorch VERB --help lists the options of a verb.  wgorch --version", "", EXITS])


def _summary(name: str) -> list[str]:
    """A verb's line in the help, wrapped at 80 columns."""
    return textwrap.wrap(f"  {name:<11} {verb(name).SUMMARY}", 79, subsequent_indent=" " * 14)


def markdown() -> str:
    """The text of docs/cli.md: every verb with its examples and options."""
    lines = ["# Command reference", "", "Generated from the program: `make docs`. Exit codes:", ""]
    lines += [f"    {line.strip()}" for line in EXITS.split("\n")[1:] if line]
    for group, names in GROUPS.items():
        lines += ["", f"## {group}"]
        for name in names:
            lines += _section(name)
    return "\n".join(lines) + "\n"


def _section(name: str) -> list[str]:
    declared, parser = verb(name), argparse.ArgumentParser(add_help=False)
    declared.add_arguments(parser)
    lines = ["", f"### wgorch {name}", "", f"{declared.SUMMARY}.", ""]
    lines += [*(f"    {example}" for example in declared.EXAMPLES), "", "| | |", "| --- | --- |"]
    for action in parser._actions:
        lines.append(f"| {argument(action)} | {(action.help or '').replace('|', chr(92) + '|')} |")
    return lines


def argument(action: argparse.Action) -> str:
    """An argument as the page shows it: ``-o FILE``, ``--output FILE``, each as code."""
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        value = "\\|".join(str(choice) for choice in action.choices)
    if not action.option_strings:
        return f"`{value if action.metavar else action.dest.upper()}`"
    takes = "" if action.nargs == 0 else f" {value}" if action.nargs != "?" else f" [{value}]"
    return ", ".join(f"`{option}{takes}`" for option in action.option_strings)
