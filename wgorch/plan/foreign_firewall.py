"""Foreign nft tables: base chains that would drop what none of their rules accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from wgorch.base.sh import quote_words
from wgorch.base.value import value
from wgorch.errors import HostError, Unfit
from wgorch.gather.observed import Observed
from wgorch.topology.desired import Desired


@value
class Refusal:
    """A base chain that certainly drops packets of the tunnel: an accept in another table does not help."""

    chain: str
    """Family, table and name."""
    why: str
    """What refuses."""
    action: str
    hint: str


def firewall_blockers(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """The same as errors of a plan."""
    for found in refusals(desired, seen):
        family, table, chain = found.chain.split(" ", 2)
        problem = f"chain {chain} of nft table {family} {table} drops it: {found.why}"
        yield Unfit(desired.name, found.action, problem, found.hint)


def refusals(desired: Desired, seen: Observed) -> Iterator[Refusal]:
    """Foreign base chains that drop forwarded packets of the tunnel, or WireGuard's own.

    A chain with a rule that may accept is none: it is tried, and what is dropped is traced.
    """
    tunnel, port = desired.network.interface, desired.host.listen_port
    forwards = desired.forwards_between_peers or desired.lans or desired.exit_sources
    for chain in seen.firewall.foreign_chains:
        place = quote_words([*chain.table.split(" "), chain.name])
        if not chain.refuses:
            continue
        if chain.hook == "forward" and forwards and not any(may_pass(rule, tunnel) for rule in chain.allowed):
            action = f"forward packets of {tunnel}"
            rules = [f"nft insert rule {place} {match} {tunnel} accept" for match in ("iifname", "oifname")]
        elif chain.hook == "input" and desired.host.endpoint and not any(may_enter(r, port) for r in chain.allowed):
            action = f"receive UDP {port}"
            rules = [f"nft insert rule {place} udp dport {port} accept"]
        else:
            continue
        hint = f"{'; '.join(rules)}; and the same where that table is defined (/etc/nftables.conf?)"
        yield Refusal(f"{chain.table} {chain.name}", chain.refuses, action, hint)


def may_pass(rule: str, tunnel: str) -> bool:
    """True unless an accepting nft rule is about replies, single ports, or other interfaces than the tunnel."""
    if "ct state" in rule and not re.search(r"\b(new|untracked)\b", rule):
        return False
    if re.search(r"\b[di]port\b|\bdport\b|\bsport\b|\bicmp", rule):
        return False
    interfaces = [re.findall(r'"([^"]+)"', part) for part in re.findall(r'\b[io]if(?:name)? ({[^}]*}|"[^"]*")', rule)]
    return not interfaces or any(fnmatchcase(tunnel, name) for names in interfaces for name in names)


def may_enter(rule: str, port: int) -> bool:
    """True unless an accepting nft rule is about replies, other protocols, other ports, or the loopback interface."""
    if "ct state" in rule and not re.search(r"\b(new|untracked)\b", rule):
        return False
    if re.search(r'\biif(?:name)? "?lo"?|\btcp\b|\bicmp(?:v6)?\b|\bip protocol (?!udp)', rule):
        return False
    ports = re.search(r"\budp dport ({[^}]*}|\S+)", rule)
    if ports is None or "@" in ports[1]:
        return True
    ranges = [part.strip().split("-") for part in ports[1].strip("{} ").split(",")]
    return (
        any(r[0].isdigit() and int(r[0]) <= port <= int(r[-1]) for r in ranges if r[-1].isdigit()) or "!=" in ports[1]
    )
