"""Places of managed chains' jumps: judged by the rules above them that can decide about the same packets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wgorch.facts.firewall import Firewall
from wgorch.facts.iptables_rules import step_of, steps
from wgorch.facts.owners import owner_of
from wgorch.facts.packets import UNKNOWN, May, Packets, Step, effect, matches
from wgorch.inventory.model import MARK
from wgorch.state.rules import DOCKERS, Chain, Rule


def jump_places(firewall: Firewall, mark: str, chain: Chain) -> Iterator[int]:
    """Places of the jumps to a chain among those foreign rules of its parent that may decide before it, from 1 on."""
    place = 1
    table = firewall.rules.get(chain.table, {})
    chains: dict[str, tuple[Step, ...]] = {}
    for r in table.get(chain.parent, ()):
        if r.mark == mark and r.words[-1] == chain.name:
            yield place
        elif (
            not (r.mark or "").startswith(MARK)
            and not _is_dockers(r, firewall)
            and _decides(r, table, chain, chains, cut=firewall.cut)
        ):
            place += 1


def _decides(
    foreign: Rule,
    table: Mapping[str, tuple[Rule, ...]],
    chain: Chain,
    chains: dict[str, tuple[Step, ...]],
    *,
    cut: bool,
) -> bool:
    """True for a rule that may take packets from a managed chain behind it: one that cannot match them is of no account.

    `chains`: the table's as data, filled in when they are needed first; `cut`: what they do is not known.
    """
    step = step_of(foreign, table)
    if step.verdict == "pass" or step.verdict in _HARMLESS.get(chain.table.removesuffix("6"), ()):
        return False
    managed = [step_of(rule, table) for rule in table.get(chain.name, ())]
    if any(own.target == step.target and step.target in SAME for own in managed):
        return False
    if step.verdict in ("jump", "goto") and not chains:
        chains.update(dict.fromkeys(table, UNKNOWN) if cut else steps(table))
    version = 6 if chain.table.endswith("6") else 4
    return not managed or any(_may_take(step, chains, _packets(own, version), chain.table) for own in managed)


_HARMLESS = {"filter": ("accept", "return"), "mangle": ("drop",)}
"""Verdicts that take nothing from a managed chain: an accepted packet needs none, and one that is dropped is not clamped."""

SAME = frozenset({"MASQUERADE"})
"""Targets that do to packets what a managed rule of that target would."""


def _packets(own: Step, version: int) -> Packets:
    """The packets of a managed rule."""
    found = {m.field: m.values for m in own.matches if m.values and not m.negated}
    ports = found.get("destination_port") or ((0, 0),)
    return Packets(
        own.text,
        str(found.get("interface_in", ("",))[0]),
        str(found.get("interface_out", ("",))[0]),
        tuple(net for net in found.get("sources", ()) if not isinstance(net, str)),  # type: ignore[misc]
        tuple(net for net in found.get("destinations", ()) if not isinstance(net, str)),  # type: ignore[misc]
        str(found.get("protocol", ("",))[0]),
        0,
        ports[0][0] if isinstance(ports[0], tuple) else 0,
        frozenset({"new", "established"}),
        version,
    )


def _may_take(step: Step, chains: Mapping[str, Sequence[Step]], packets: Packets, table: str) -> bool:
    """True if a rule may drop packets, or, in a table that translates, end their lookup."""
    if matches(step, packets) is May.NO:
        return False
    if step.verdict not in ("jump", "goto"):
        return True
    found, harmless = effect(step.target, chains, packets), _HARMLESS.get(table.removesuffix("6"), ())
    drops = found.dropped is not May.NO and "drop" not in harmless
    return drops or (found.accepted is not May.NO and "accept" not in harmless)


def _is_dockers(r: Rule, firewall: Firewall) -> bool:
    """True for a rule that Docker inserts at the top when it starts: it is about Docker's own networks only."""
    if DOCKERS not in firewall.rules.get("filter", {}):
        return False
    if r.words and r.words[-1].startswith("DOCKER"):
        return True
    interfaces = {w for flag, w in zip(r.words, r.words[1:], strict=False) if flag in ("-i", "-o")}
    return any(owner_of(name) == "Docker" for name in interfaces)
