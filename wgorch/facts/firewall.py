"""Firewall rules on a host: iptables, nft and the chains of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from wgorch.adapters.startup import digest
from wgorch.facts.grammar import MAX_LINES, NotAnAnswer, match
from wgorch.state.rules import Rule


class BaseChain(NamedTuple):
    """A chain of somebody's nft table that packets come to by themselves. `allowed`: all rules of its table that accept."""

    table: str
    name: str
    hook: str
    policy: str
    rules: tuple[str, ...]
    allowed: tuple[str, ...]

    @property
    def refuses(self) -> str:
        """What ends everything that no rule of it accepted: its policy, or its last rule; empty where nothing does."""
        if self.policy == "drop":
            return "policy drop"
        last = self.rules[-1] if self.rules else ""
        return last if re.fullmatch(r"(counter )?(log .*)?(drop|reject.*)", last) else ""


def iptables(
    lines: list[str], suffix: str = ""
) -> tuple[dict[str, dict[str, tuple[Rule, ...]]], dict[tuple[str, str], str]]:
    tables: dict[str, dict[str, list[Rule]]] = {}
    policies: dict[tuple[str, str], str] = {}
    table = ""
    for line in lines[:MAX_LINES]:
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
        # COMMIT, comments, and the warning that iptables-legacy has rules too, which is told elsewhere.
    return {t: {c: tuple(rules) for c, rules in chains.items()} for t, chains in tables.items()}, policies


def object_of(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".xml")


def _nft_chains(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """The chains of ``nft list table``: table with its family, chain, lines."""
    table = chain = ""
    body: list[str] = []
    for line in lines[:MAX_LINES]:
        words = line.split()
        if words[:1] == ["table"] and len(words) == 4 and words[3] == "{":
            table = f"{words[1]} {words[2]}"
        elif words[:1] == ["chain"] and words[-1:] == ["{"] and len(words) == 3:
            chain, body = words[1], []
        elif chain and words == ["}"]:
            yield table, chain, body
            chain = ""
        elif chain:
            body.append(line.strip()[:1000])


def managed_nft(lines: list[str], name: str) -> dict[str, str]:
    """Our rules, by hook and digest; the digest is told by each rule's comment."""
    found = {}
    for table, chain, body in _nft_chains(lines):
        for line in body if table == f"inet {name}" else ():
            if hit := re.fullmatch(r'(.*) comment "wgorch:[a-z0-9-]+ ([0-9a-f]{12})"', line):
                found[f"{chain} {hit[2]}"] = hit[1]
            elif not line.startswith("type "):
                found[f"{chain} !{digest(line)[:12]}"] = line  # not ours, in our table: it equals no wish
    return found


def base_chains(lines: list[str]) -> Iterator[BaseChain]:
    chains = list(_nft_chains(lines))
    for table, chain, body in chains:
        heads = [line for line in body if line.startswith("type ")]
        if heads and (hit := re.match(r"type filter hook (forward|input) .*?(?:policy (\w+))?;$", heads[0])):
            here = [_rules_of(them) for t, _, them in chains if t == table]
            allowed = tuple(rule for rules in here for rule in rules if re.search(r"\baccept\b", rule))
            yield BaseChain(table, chain, hit[1], hit[2] or "accept", tuple(_rules_of(body)), allowed)


def _rules_of(body: list[str]) -> list[str]:
    """The rules of a chain, without what moves by itself."""
    rules = [line for line in body if not re.match(r'type |comment "', line)]
    return [re.sub(r"\bcounter packets \d+ bytes \d+", "counter", rule) for rule in rules]


def split_rule(line: str) -> list[str]:
    """The words of a line of iptables-save: quoted ones may hold anything, with a backslash before \\, " and '."""
    words = _RULE_WORD.findall(line)
    if '"' in _RULE_WORD.sub("", line):
        raise NotAnAnswer(f"{line[:80]!r} has a quote that is never closed")
    return [re.sub(r"\\(.)", r"\1", w[1:-1], flags=re.S) if w[:1] == '"' else w for w in words]


_RULE_WORD = re.compile(r'[^\s"]+|"(?:[^"\\]|\\.)*"', re.S)
