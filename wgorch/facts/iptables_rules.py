"""Rules of iptables as data: matches and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from wgorch.base.ip import network
from wgorch.facts.packets import Match, Step
from wgorch.state.rules import Rule

_FLAGS = {
    "-i": "interface_in",
    "-o": "interface_out",
    "-s": "sources",
    "-d": "destinations",
    "-p": "protocol",
    "--sport": "source_port",
    "--dport": "destination_port",
    "--sports": "source_port",
    "--dports": "destination_port",
    "--ctstate": "states",
    "--state": "states",
}
_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return"}
_PASSING = frozenset(
    (
        "LOG",
        "NFLOG",
        "ULOG",
        "MARK",
        "CONNMARK",
        "CLASSIFY",
        "TCPMSS",
        "CHECKSUM",
        "TRACE",
        "CT",
        "NOTRACK",
        "SET",
        "DSCP",
        "TOS",
        "TTL",
        "HL",
    )
)
"""Targets after which the next rule is looked at. Those of nat are not among them."""
_TRANSLATING = frozenset(("SNAT", "DNAT", "MASQUERADE", "NETMAP", "REDIRECT"))
_ALONE = frozenset(("--syn", "-f", "--strict", "--validmark", "--random", "--random-fully", "--clamp-mss-to-pmtu"))
_HARMLESS = frozenset(("-m", "--comment"))
PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp", "icmpv6": "ipv6-icmp"}
"""Numbers and other names of protocols."""


def steps(chains: Mapping[str, Sequence[Rule]]) -> dict[str, tuple[Step, ...]]:
    """The chains of one table."""
    return {name: tuple(step_of(rule, chains) for rule in rules) for name, rules in chains.items()}


def step_of(rule: Rule, chains: Mapping[str, Sequence[Rule]]) -> Step:
    """One rule. `chains`: the table's, to tell a jump from a target."""
    found = _parsed(rule)
    return found._replace(verdict="goto" if "-g" in rule.words else "jump") if found.target in chains else found


@lru_cache(maxsize=1 << 14)
def _parsed(rule: Rule) -> Step:
    """A rule whose target is no chain."""
    words = rule.words
    flag = next((i for i, word in enumerate(words) if word in ("-j", "-g")), None)
    target = words[flag + 1] if flag is not None and flag + 1 < len(words) else ""
    conditions = tuple(_conditions(words[:flag] if flag is not None else words))
    if not target or target in _PASSING:
        return Step(conditions, "pass", target, str(rule))
    if target in _TRANSLATING:
        return Step(conditions, "accept", target, str(rule))
    return Step(conditions, _VERDICTS.get(target, "other"), target, str(rule))


def _conditions(words: Sequence[str]) -> Iterator[Match]:
    negated = False
    i = 0
    while i < len(words):
        word, value = words[i], words[i + 1] if i + 1 < len(words) else ""
        i += 1
        if word == "!":
            negated = True
            continue
        if word in _HARMLESS:
            i += 1
        elif word in _FLAGS:
            yield Match(_FLAGS[word], _values(_FLAGS[word], value), negated)
            i += 1
        elif word in _ALONE:
            yield Match("other")
        elif word.startswith("-"):
            yield Match("other")  # limit, hashlimit, set, mark, addrtype … : not known
            i += 0 if value.startswith("-") or value == "!" else 1
        negated = False


def _values(field: str, text: str) -> tuple[object, ...] | None:
    """The values of a condition; None where they do not parse."""
    parts = text.split(",")
    try:
        if field.startswith("interface"):
            return tuple(name[:-1] + "*" if name.endswith("+") else name for name in parts)
        if field in ("sources", "destinations"):
            return tuple(network(part) for part in parts)
        if field == "protocol":
            return None if text == "all" else (PROTOCOLS.get(text, text),)
        if field == "states":
            return tuple(part.lower() for part in parts)
        return tuple(_range(part, ":") for part in parts)
    except ValueError:
        return None


def _range(text: str, by: str) -> tuple[int, int]:
    low, _, high = text.partition(by)
    return int(low or 0), int(high or low or 65535)
