"""Firewall rules and policies that dropped the probe, as nft's trace or iptables' counters report them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from wgorch.base.text import one_line
from wgorch.trace.probe import Probe

PINGS = 3
"""Echo requests that are sent for one trace."""


class Drop(NamedTuple):
    """What dropped or rejected a packet."""

    chain: str
    """Table and chain, as ``inet filter forward``."""
    rule: str
    """Words of the rule; empty for the chain's policy."""
    handle: int = 0
    """Of a rule of nft; 0 where it is not known."""


def traced(lines: list[str]) -> Iterator[Drop]:
    """Drops in the lines of ``nft monitor trace``."""
    for line in lines:
        hit = re.match(
            r"trace id \w+ (\w+ \S+ \S+) (rule (.*)\(verdict drop\)|policy drop|rule (.*\breject\b.*))", line
        )
        if hit:
            words = re.sub(r" *\(verdict \w+\)", "", hit[3] or hit[4] or "")
            words = re.sub(r" *counter packets \d+ bytes \d+", "", words)
            its = re.fullmatch(r"(.*) # handle (\d{1,18})", words.strip())
            drop = _drop(hit[1], its[1] if its else words.strip())
            yield drop._replace(handle=int(its[2])) if its else drop


def counted(before: list[str], after: list[str], probe: Probe) -> Iterator[Drop]:
    """Drops in two outputs of ``iptables-save -c``: those whose counter grew by the packets of the probe, or more.

    A weaker proof than a trace: other packets are counted, too.
    """
    sent = PINGS if probe.protocol == "icmp" else 1
    earlier = _counters(before)
    for drop, count in _counters(after).items():
        if count - earlier.get(drop, 0) >= sent:
            yield _drop(drop.chain, drop.rule)


def _counters(lines: list[str]) -> dict[Drop, int]:
    """Packets by rule or policy that drops; equal rules of one chain are added up."""
    found: dict[Drop, int] = {}
    table = ""
    for line in lines:
        if line.startswith("*"):
            table = line[1:]
        elif hit := re.fullmatch(r":(\S+) DROP \[(\d{1,18}):\d+\]", line):
            found[Drop(f"{table} {hit[1]}", "")] = int(hit[2])
        elif hit := re.fullmatch(r"\[(\d{1,18}):\d+\] -A (\S+) (.*)", line):
            drop = Drop(f"{table} {hit[2]}", hit[3])
            found[drop] = found.get(drop, 0) + int(hit[1])
    return found


def _drop(chain: str, rule: str) -> Drop:
    return Drop(one_line(chain, 100), one_line(rule, 200))
