"""Firewall rules and chains by the words of iptables, with the mark that says whose they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from wgorch.base.value import value
from wgorch.inventory.model import Network


@value
class Rule:
    """One iptables rule in the words and the order of ``iptables-save``, without ``-A CHAIN``."""

    words: tuple[str, ...]

    @property
    def mark(self) -> str | None:
        """The rule's comment."""
        try:
            return self.words[self.words.index("--comment") + 1]
        except (ValueError, IndexError):
            return None

    def __str__(self) -> str:
        text = " ".join(self.words)
        if "" not in self.words and _PLAIN.fullmatch(text) and text.count(" ") == len(self.words) - 1:
            return text
        return " ".join(map(_quoted, self.words))

    @property
    def can_be_restated(self) -> bool:
        """True where scripts and parsers keep each of its characters."""
        return all(word.isascii() and word.isprintable() for word in self.words)


_PLAIN = re.compile(r"[A-Za-z0-9_.:/,+!=%@ -]+")
"""Words that need no quotes; one look at all of them is much quicker than one at each."""


def _quoted(word: str) -> str:
    """A word as iptables-restore reads it: only double quotes, with a backslash before \\ and the quote."""
    if re.fullmatch(r"[A-Za-z0-9_.:/,+!=%@-]+", word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rule(text: str, mark: str, target: str) -> Rule:
    """A managed rule: its matches, the mark, and its target, in ``iptables-save``'s order; plain words."""
    return Rule((*text.split(), "-m", "comment", "--comment", mark, "-j", *target.split()))


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """A managed chain and the chain that jumps to it. `table` is one of IPv4, or with a 6 behind it of IPv6."""

    table: str
    parent: str
    name: str

    @property
    def kind(self) -> str:
        """The end of its name, which says what it is for."""
        return self.name.rpartition("-")[2]


def tool(table: str) -> str:
    """The command that changes a table: ``nat6`` is the table nat of ip6tables."""
    return "ip6tables" if table.endswith("6") else "iptables"


DOCKERS = "DOCKER-USER"
"""The chain that Docker leaves to others: it goes through it first, whenever and however often it starts."""


POLICY_KINDS = ("pin", "pfw")
"""Kinds of the chains that enforce the policy where there is no nft."""


@lru_cache(maxsize=64)
def our_chains(network: Network, *versions: int) -> tuple[Chain, ...]:
    """Every chain that this network may have on a host, of IPv4 and IPv6 or of one: forward, input, nat, mss, map, docker, policy."""
    return tuple(
        Chain(f"{table}{'' if version == 4 else '6'}", parent, f"wgorch-{network.name}-{name}")
        for version in versions or (4, 6)
        for table, parent, name in (
            ("filter", "FORWARD", "fwd"),
            ("filter", "INPUT", "in"),
            ("nat", "POSTROUTING", "nat"),
            ("mangle", "FORWARD", "mss"),
            ("nat", "PREROUTING", "map"),
            ("filter", DOCKERS, "usr"),
            ("mangle", "INPUT", "pin"),
            ("mangle", "FORWARD", "pfw"),
        )
    )


def foreign_rules(rules: tuple[Rule, ...], mark: str) -> tuple[Rule, ...]:
    """The rules in a chain that wgorch does not manage."""
    return tuple(r for r in rules if r.mark != mark)
