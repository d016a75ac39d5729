"""Rules of nft as data: matches and verdicts, from the text of ``nft list table``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wgorch.base.ip import network
from wgorch.facts.iptables_rules import PROTOCOLS
from wgorch.facts.packets import Match, Step

_VALUE = r"(!= )?(\{[^}]*\}|\"[^\"]*\"|@\S+|[^\s{}]+)"
_FIELDS = (
    (r"(?:meta )?iif(?:name)?", "interface_in"),
    (r"(?:meta )?oif(?:name)?", "interface_out"),
    (r"ip6? saddr", "sources"),
    (r"ip6? daddr", "destinations"),
    (r"(?:udp|tcp|th|dccp|sctp) sport", "source_port"),
    (r"(?:udp|tcp|th|dccp|sctp) dport", "destination_port"),
    (r"(?:meta l4proto|ip protocol|ip6 nexthdr)", "protocol"),
    (r"ct state", "states"),
    (r"meta nfproto", "version"),
)
_MATCHES = tuple((re.compile(rf"^({names}) {_VALUE}\s*"), field) for names, field in _FIELDS)
_STATEMENT = re.compile(
    r'^(?:counter(?: packets \d+ bytes \d+)?|log(?: (?:prefix|level|group|flags|snaplen|queue-threshold) (?:"[^"]*"|\S+))*'
    r'|comment "[^"]*"|meta (?:mark|nftrace|priority) set \S+|ct mark set \S+)\s*'
)
_VERDICT = re.compile(r"^(accept|drop|reject|return|continue|jump|goto|queue)\b(?: (\S+))?(?P<rest>.*)$")
_KEY = r"(?:meta |ip6? |tcp |udp |th |ct )?\w+"
_KEYS = re.compile(rf"{_KEY}(?: \. {_KEY})*$")
"""What a verdict map looks up, at the end of the text before it."""
_NATS = re.compile(r"^(?:snat|dnat|masquerade|redirect)\b")
_VERDICTS = {
    "accept": "accept",
    "drop": "drop",
    "reject": "drop",
    "return": "return",
    "continue": "pass",
    "queue": "other",
}


def steps_of(rules: Sequence[str]) -> tuple[Step, ...]:
    """The rules of one chain."""
    return tuple(step for rule in rules for step in _steps(rule))


def _steps(rule: str) -> Iterator[Step]:
    """A rule; one with a verdict map as a rule for each of its elements."""
    before, _, body = rule.partition(" vmap {")
    hit = _KEYS.search(before[-200:]) if body else None
    if hit is None:
        yield _step(rule, rule)
        return
    keys = [key.strip() for key in hit[0].split(" . ")]
    before = before[: len(before) - len(hit[0])]
    for element in body.partition("}")[0].split(","):
        values, _, verdict = element.partition(" : ")
        parts = [value.strip() for value in values.split(" . ")]
        if len(parts) == len(keys) and verdict:
            pairs = " ".join(f"{key} {value}" for key, value in zip(keys, parts, strict=True) if value != "*")
            yield _step(f"{before}{pairs} {verdict.strip()}", rule)


def _step(text: str, whole: str) -> Step:
    conditions: list[Match] = []
    rest = text.strip()
    while rest:
        if hit := _VERDICT.match(rest):
            word, target = hit[1], (hit[2] or "").strip('"')
            verdict = word if word in ("jump", "goto") else _VERDICTS[word]
            return Step(tuple(conditions), verdict, target, whole)
        if _NATS.match(rest):
            return Step(tuple(conditions), "accept", "nat", whole)
        if hit := _STATEMENT.match(rest):
            rest = rest[hit.end() :]
            continue
        for pattern, field in _MATCHES:
            if hit := pattern.match(rest):
                conditions += _conditions(field, hit[1], hit[3], negated=bool(hit[2]))
                rest = rest[hit.end() :]
                break
        else:
            word, _, rest = rest.partition(" ")
            conditions.append(Match("other"))  # limit, fib, set, quota …: not known
            if word in ("tcp", "udp", "icmp", "icmpv6", "esp", "ah", "sctp", "dccp"):
                conditions.append(Match("protocol", (PROTOCOLS.get(word, word),)))
            rest = rest.strip()
    return Step(tuple(conditions), "pass", "", whole)


def _conditions(field: str, key: str, value: str, *, negated: bool) -> Iterator[Match]:
    word = key.split(" ")[0]
    if word in ("udp", "tcp", "dccp", "sctp"):
        yield Match("protocol", (word,))
    if word == "ip" and field != "protocol":
        yield Match("version", (4,))
    elif word == "ip6" and field != "protocol":
        yield Match("version", (6,))
    yield Match(field, _values(field, value), negated)


def _values(field: str, text: str) -> tuple[object, ...] | None:
    """The values of a condition; None for a named set, whose elements were not asked for."""
    if text.startswith("@"):
        return None
    parts = [part.strip().strip('"') for part in text.strip("{}").split(",") if part.strip()]
    try:
        if field in ("sources", "destinations"):
            return tuple(network(part) for part in parts)
        if field in ("source_port", "destination_port"):
            return tuple(_range(part) for part in parts)
    except ValueError:
        return None
    if field == "version":
        return tuple({"ipv4": 4, "ipv6": 6}.get(part, 0) for part in parts)
    if field == "protocol":
        return tuple(PROTOCOLS.get(part, part) for part in parts)
    return tuple(parts)


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)
