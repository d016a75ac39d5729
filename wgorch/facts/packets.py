"""What firewall rules do to packets of one kind: a rule matches all of them, none, or maybe some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from typing import NamedTuple

from wgorch.base.ip import IPNetwork


class May(Enum):
    """Whether something is true of the packets of one kind."""

    NO = 0
    SOME = 1
    """Of some, or not known."""
    ALL = 2


class Packets(NamedTuple):
    """Packets of one kind. Empty fields: not known, or of every value."""

    what: str
    """For people: ``WireGuard's UDP 51820 in``."""
    interface_in: str = ""
    interface_out: str = ""
    sources: tuple[IPNetwork, ...] = ()
    destinations: tuple[IPNetwork, ...] = ()
    protocol: str = ""
    source_port: int = 0
    destination_port: int = 0
    states: frozenset[str] = frozenset({"new", "established"})
    """Of conntrack."""
    version: int = 4

    @property
    def is_forwarded(self) -> bool:
        """True for packets that come in by one interface and go out by one."""
        return bool(self.interface_in and self.interface_out)


class Match(NamedTuple):
    """One condition of a rule. `values`: any of them; None where they are not known."""

    field: str
    values: tuple[object, ...] | None = None
    negated: bool = False


class Step(NamedTuple):
    """A rule as data. `verdict`: accept, drop, return, jump, goto, pass (on to the next rule) or other (not known)."""

    matches: tuple[Match, ...]
    verdict: str
    target: str = ""
    text: str = ""


UNKNOWN = (Step((), "other"),)
"""A chain whose rules were left out."""


class Effect(NamedTuple):
    """What a chain does to packets: `dropped`, and by which rule; `accepted`: they leave the chain by an accept."""

    dropped: May = May.NO
    rule: str = ""
    accepted: May = May.NO


def fits(match: Match, packets: Packets) -> May:
    """Whether a condition holds."""
    found = May.SOME if match.values is None else _fits(match.field, match.values, packets)
    return {May.ALL: May.NO, May.NO: May.ALL}.get(found, found) if match.negated else found


def matches(step: Step, packets: Packets) -> May:
    """Whether all conditions of a rule hold."""
    found = [fits(match, packets) for match in step.matches]
    return May.NO if May.NO in found else May.SOME if May.SOME in found else May.ALL


def _fits(field: str, values: Sequence[object], packets: Packets) -> May:
    if field in ("interface_in", "interface_out"):
        own = getattr(packets, field)
        return _one(any(fnmatchcase(own, str(name)) for name in values) if own else None)
    if field in ("sources", "destinations"):
        return _nets(getattr(packets, field), [net for net in values if not isinstance(net, str)], packets.version)
    if field == "states":
        wanted = {str(state) for state in values}
        inside = len(packets.states & wanted)
        return May.NO if not inside else May.ALL if inside == len(packets.states) else May.SOME
    if field == "version":
        return _one(packets.version in values)
    if field == "protocol":
        return _one(packets.protocol in values if packets.protocol else None)
    if field in ("source_port", "destination_port"):
        port = getattr(packets, field)
        ranges = [value for value in values if isinstance(value, tuple)]
        return _one(any(low <= port <= high for low, high in ranges) if port else None)
    return May.SOME


def _one(held: bool | None) -> May:
    return May.SOME if held is None else May.ALL if held else May.NO


def _nets(own: Sequence[IPNetwork], values: Sequence[object], version: int) -> May:
    nets = [net for net in values if net.version == version]  # type: ignore[attr-defined]
    if not own:
        return May.ALL if any(net.prefixlen == 0 for net in nets) else May.SOME if nets else May.NO  # type: ignore[attr-defined]
    mine = [net for net in own if net.version == version]
    if mine and all(any(one.subnet_of(net) for net in nets) for one in mine):  # type: ignore[arg-type]
        return May.ALL
    return May.SOME if any(one.overlaps(net) for one in mine for net in nets) else May.NO  # type: ignore[arg-type]


Chains = Mapping[str, Sequence[Step]]
_Done = dict[str, Effect]
"""What chains do that were looked at already: without it, chains that jump to each other would take for ever."""


def effect(chain: str, chains: Chains, packets: Packets, policy: str = "accept") -> Effect:
    """What a base chain does to packets."""
    found = _walk(chain, chains, packets, {})
    if found.accepted is May.ALL or found.dropped is May.ALL or policy != "drop":
        return found
    partly = found.accepted is May.SOME
    return Effect(May.SOME if partly else May.ALL, found.rule or f"policy {policy}", found.accepted)


def _walk(chain: str, chains: Chains, packets: Packets, done: _Done) -> Effect:
    """The effect of a chain's own rules, in their order."""
    dropped, rule, accepted, left = May.NO, "", May.NO, False
    if chain in done:
        return done[chain]
    done[chain] = Effect()  # for a loop, which no kernel loads
    for step in chains.get(chain, ()):
        held = May.NO if step.verdict == "pass" else matches(step, packets)
        if held is May.NO:
            continue
        its = _verdict(step, chains, packets, done)
        # All that have come so far: none was accepted, and none has left the chain.
        all_come = held is May.ALL and accepted is May.NO and not left
        if its.accepted is not May.NO:
            accepted = May.ALL if all_come and dropped is May.NO and its.accepted is May.ALL else May.SOME
        if its.dropped is not May.NO and dropped is not May.ALL:
            whole = all_come and its.dropped is May.ALL
            dropped, rule = (May.ALL, its.rule) if whole else (May.SOME, rule or its.rule)
        if May.ALL in (dropped, accepted) or (held is May.ALL and step.verdict in ("return", "goto")):
            break
        if held is May.ALL and step.verdict in ("accept", "drop"):
            break  # nothing comes by here, though some has left before
        left = left or step.verdict in ("return", "goto")
    done[chain] = Effect(dropped, rule, accepted)
    return done[chain]


def _verdict(step: Step, chains: Chains, packets: Packets, done: _Done) -> Effect:
    if step.verdict == "drop":
        return Effect(May.ALL, step.text)
    if step.verdict == "accept":
        return Effect(accepted=May.ALL)
    if step.verdict in ("jump", "goto"):
        found = _walk(step.target, chains, packets, done)
        place = f" (in chain {step.target})" if found.rule and "(in chain " not in found.rule else ""
        return found._replace(rule=found.rule + place)
    return Effect(May.SOME, step.text, May.SOME) if step.verdict == "other" else Effect()
