"""Firewall rules on a host: iptables, nft and the chains of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import NamedTuple

from wgorch.base.value import value
from wgorch.facts.grammar import NotAnAnswer, match
from wgorch.facts.part import Answers, Part, Reread
from wgorch.state.rules import Rule

PART = Part(
    {
        "rules": Reread.AFTER_CHANGE,
        "rules6": Reread.AFTER_CHANGE,
        "unreadable-ip": Reread.AFTER_CHANGE,
        "unreadable-ip6": Reread.AFTER_CHANGE,
        "ufw": Reread.NEVER,
        "foreign-nft": Reread.NEVER,
        "firewalld": Reread.AFTER_CHANGE,
        "firewalld-default": Reread.AFTER_CHANGE,
    },
    labels={"rules": "iptables rules", "legacy_too": "iptables-legacy rules", "foreign_chains": "nft chains"},
)


class BaseChain(NamedTuple):
    """A base chain of a foreign nft table: one with a hook."""

    table: str
    """Family and name."""
    name: str
    hook: str
    device: str
    """Of an ingress chain."""
    policy: str
    chains: tuple[tuple[str, tuple[str, ...]], ...]
    """All chains of its table with their rules, its own among them."""

    @property
    def family(self) -> str:
        return self.table.partition(" ")[0]


@value
class Firewall:
    """Firewall of one host: all its iptables rules, and what other owners (nft, firewalld, ufw) keep in it."""

    rules: Mapping[str, Mapping[str, tuple[Rule, ...]]]
    """By table (of ip6tables with a 6 behind it) and chain."""
    policies: Mapping[tuple[str, str], str]
    """By table and built-in chain."""
    foreign_chains: tuple[BaseChain, ...]
    legacy_too: bool
    """iptables has rules of both its kinds, nft and legacy."""
    ufw_flushes: bool
    """A reload of ufw empties foreign chains (MANAGE_BUILTINS)."""
    has_firewalld: bool
    """firewalld is running."""
    zone_elsewhere: str
    """Another firewalld zone that has the tunnel's interface."""
    default_zone: str
    """File of firewalld's default zone."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """iptables tables that iptables-save could not show, and why; empty name: all of them."""
    cut: bool = field(default=False, compare=False)
    """There are so many rules that those of foreign chains were left out: what such a chain does is not known."""
    natively: str = field(default="", compare=False)
    """What nft says of those tables; empty where it says nothing."""

    def is_unreadable(self, table: str) -> str:
        """Why a table (of ip6tables with a 6 behind it) could not be read; empty where it was."""
        return self.unreadable.get(table) or self.unreadable.get("6" if table.endswith("6") else "") or ""


def read(answers: Answers) -> Firewall:
    """The Firewall in a host's answers. Raises NotAnAnswer."""
    tables, policies = _iptables(answers.get("rules", []))
    tables6, policies6 = _iptables(answers.get("rules6", []), "6")
    unreadable = _unreadable(answers.get("rules", [])) | _unreadable(answers.get("rules6", []), "6")
    natively = [*answers.get("unreadable-ip", []), *answers.get("unreadable-ip6", [])]
    firewalld = answers.get("firewalld", [])
    return Firewall(
        rules=tables | tables6,
        policies=policies | policies6,
        foreign_chains=(*_base_chains(answers.get("foreign-nft", [])), *_base_chains(natively)),
        legacy_too=any(line.startswith(_LEGACY_WARNING) for line in answers.get("rules", [])),
        ufw_flushes="flushes" in answers.get("ufw", []),
        has_firewalld="running" in firewalld[:1],
        zone_elsewhere=next((line[10:60] for line in firewalld if line.startswith("elsewhere ")), ""),
        default_zone="\n".join(answers.get("firewalld-default", [])[:400]),
        unreadable=unreadable,
        cut="# left out" in answers.get("rules", []),
        natively="\n".join(natively),
    )


def _unreadable(lines: list[str], suffix: str = "") -> dict[str, str]:
    """The tables that a tool could not show whole, and why."""
    found: dict[str, str] = {}
    open_table = ""
    for line in lines:
        if hit := re.match(r"# Table `(\w{1,20})' is incompatible", line):
            found[hit[1] + suffix] = "it holds rules that only nft can show"
        elif hit := re.fullmatch(r"failed (\w{1,20}-save) (\d{1,5})", line):
            said = [text for text in lines if re.match(r"[A-Za-z]", text) and text not in ("COMMIT", line)]
            found[suffix] = f"{hit[1]} failed with status {hit[2]}{': ' + said[-1][:200] if said else ''}"
        elif line.startswith("*"):
            open_table = line[1:21]
        elif line == "COMMIT":
            open_table = ""
    if open_table:
        found[open_table + suffix] = "its listing ends before its end"
    return found


_LEGACY_WARNING = "# Warning: iptables-legacy tables present"


def _iptables(
    lines: list[str], suffix: str = ""
) -> tuple[dict[str, dict[str, tuple[Rule, ...]]], dict[tuple[str, str], str]]:
    """Rules by table and chain, and policies by both; `suffix`: behind the names of tables, 6 for ip6tables."""
    tables: dict[str, dict[str, list[Rule]]] = {}
    policies: dict[tuple[str, str], str] = {}
    table = ""
    for line in lines:
        if line.startswith("*"):
            table = match(r"[a-z]{1,20}", line[1:]) + suffix
            tables[table] = {}
        elif line.startswith(":"):
            name, policy = line[1:].split(" ")[:2]
            tables[table][name] = []
            policies[table, name] = policy
        elif line.startswith("-A"):
            words = split_rule(line)
            tables[table].setdefault(words[1], []).append(Rule(tuple(words[2:])))
        # COMMIT, comments, and the warning that iptables-legacy has rules too, which has a fact of its own.
    return {t: {c: tuple(rules) for c, rules in chains.items()} for t, chains in tables.items()}, policies


def nft_chains(lines: list[str], longest: int = 1000) -> Iterator[tuple[str, str, list[str]]]:
    """The chains of ``nft list table``: table with its family, chain, lines, of which `longest` characters count."""
    table = chain = ""
    body: list[str] = []
    for line in lines:
        words = line.split()
        if words[:1] == ["table"] and len(words) == 4 and words[3] == "{":
            table = f"{words[1]} {words[2]}"
        elif words[:1] == ["chain"] and words[-1:] == ["{"] and len(words) == 3:
            chain, body = words[1], []
        elif chain and words == ["}"]:
            yield table, chain, body
            chain = ""
        elif chain:
            body.append(line.strip()[:longest])


_HEAD = (
    r"type filter hook (ingress|prerouting|input|forward|output|postrouting)(?: devices? (?:= )?({[^}]*}|\S+))? "
    r"priority [^;]+;(?: policy (\w+);)?"
)


def _base_chains(lines: list[str]) -> Iterator[BaseChain]:
    chains, dormant = list(nft_chains(lines)), set(_dormant(lines))
    for table, chain, body in chains:
        head = next((hit for line in body if (hit := re.match(_HEAD, line))), None)
        if head and table not in dormant:
            own = tuple((name, tuple(_rules_of(them))) for t, name, them in chains if t == table)
            yield BaseChain(table, chain, head[1], (head[2] or "").strip('"'), head[3] or "accept", own)


def _dormant(lines: list[str]) -> Iterator[str]:
    """The tables that are switched off."""
    table = ""
    for line in lines:
        words = line.split()
        if words[:1] == ["table"] and words[-1:] == ["{"] and len(words) == 4:
            table = f"{words[1]} {words[2]}"
        elif words[:1] == ["flags"] and "dormant" in line:
            yield table


def _rules_of(body: list[str]) -> list[str]:
    """The rules of a chain, without counters."""
    rules = [line for line in body if not re.match(r'type |comment "', line)]
    return [re.sub(r"\bcounter packets \d+ bytes \d+", "counter", rule) for rule in rules]


def split_rule(line: str) -> list[str]:
    """The words of a line of iptables-save: quoted ones hold anything, with a backslash before \\, " and '."""
    words = _RULE_WORD.findall(line)
    if '"' in _RULE_WORD.sub("", line):
        raise NotAnAnswer(f"{line[:80]!r} has a quote that is never closed")
    return [re.sub(r"\\(.)", r"\1", w[1:-1], flags=re.S) if w[:1] == '"' else w for w in words]


_RULE_WORD = re.compile(r'[^\s"]+|"(?:[^"\\]|\\.)*"', re.S)
