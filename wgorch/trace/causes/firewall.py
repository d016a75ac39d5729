"""A firewall drops or rejects the packet."""

from __future__ import annotations

from wgorch.facts.iptables_rules import step_of
from wgorch.plan.foreign_firewall import refusals
from wgorch.plan.remedies import iptables_remedy, nft_remedy, nft_rule_remedy, through
from wgorch.state.rules import our_chains
from wgorch.trace.causes.policy import dropped_by_policy
from wgorch.trace.drops import Drop
from wgorch.trace.evidence import Evidence
from wgorch.verify.finding import Finding


def dropped(evidence: Evidence, host: str) -> Finding | None:
    """nft traced a drop, or a counter of iptables grew."""
    drop = _first_drop(evidence, host)
    if drop is None:
        return None
    if drop.chain.startswith(f"inet wgorch-{evidence.network.name} "):
        return dropped_by_policy(evidence, host)
    if not drop.rule:
        return _by_policy(evidence, host, drop.chain)
    what = f"blocked by firewall: {drop.chain}, rule “{drop.rule}”"
    return Finding(host, what, _remedy(evidence, host, drop))


def refused(evidence: Evidence, host: str, *, outer: bool) -> Finding | None:
    """Rules that certainly drop what comes by here, seen or not. `outer`: WireGuard's own UDP; else what is forwarded."""
    for found in refusals(evidence.topology.desired(host), evidence.facts[host]):
        packets, probe = found.packets, evidence.probe
        other = packets.version != probe.target.version or (packets.protocol == "tcp" and probe.protocol != "tcp")
        if found.is_outer == outer and (outer or (packets.is_forwarded and not other)):
            return Finding(host, f"blocked by firewall: {found.place} {found.why}", found.hint)
    return None


def _remedy(evidence: Evidence, host: str, drop: Drop) -> str:
    """The command that shows or deletes a rule; or whose rule it is."""
    *family, table, chain = drop.chain.split(" ")
    table6 = f"{table}6" if family == ["ip6"] else table
    by_iptables = evidence.facts[host].firewall.rules.get(table6, {})
    if family in ([], ["ip"], ["ip6"]) and chain in by_iptables:
        drops = [rule for rule in by_iptables[chain] if step_of(rule, by_iptables).verdict == "drop"]
        packets = through(evidence.tunnel, chain, evidence.probe.target.version)
        return iptables_remedy(table6, chain, str(drops[0]) if len(drops) == 1 else "", packets)
    return nft_rule_remedy([*family, table, chain], drop.handle)


def _first_drop(evidence: Evidence, host: str) -> Drop | None:
    capture = evidence.captures.get(host)
    if capture is None:
        return None
    if capture.drops:
        return capture.drops[0]
    # Counters of INPUT and OUTPUT grow by packets of the host itself.
    forwarded = (d for d in capture.counted_drops if not d.chain.split(" ")[1].startswith(("INPUT", "OUTPUT")))
    return next(forwarded, None)


def policy_drops(evidence: Evidence, host: str, version: int) -> Finding | None:
    """Without a capture: FORWARD drops by policy, and wgorch's chain is not reached."""
    table = "filter" if version == 4 else "filter6"
    if evidence.facts[host].firewall.policies.get((table, "FORWARD")) == "DROP" and _missing_jump(evidence, host):
        return _by_policy(evidence, host, "FORWARD")
    return None


def _by_policy(evidence: Evidence, host: str, chain: str) -> Finding:
    if jump := _missing_jump(evidence, host):
        return Finding(host, f"blocked by firewall: {chain} policy drop; jump to {jump} is missing", "wgorch up")
    what = f"blocked by firewall: {chain} policy drop; no rule accepts it"
    *family, table, name = chain.split(" ") if " " in chain else ("ip", "filter", chain)
    facts, version = evidence.facts[host], evidence.probe.target.version
    for foreign in facts.firewall.foreign_chains:
        if [*foreign.table.split(" "), foreign.name] == [*family, table, name]:
            return Finding(host, what, nft_remedy(foreign, through(evidence.tunnel, foreign.hook, version)))
    packets = through(evidence.tunnel, name, version)
    return Finding(host, what, iptables_remedy(f"{table}{'6' if version == 6 else ''}", name, "policy", packets))


def _missing_jump(evidence: Evidence, host: str) -> str:
    """wgorch's chain that FORWARD should jump to and does not; empty where it does."""
    chain = our_chains(evidence.network, evidence.probe.target.version)[0]
    return "" if evidence.facts[host].state(evidence.network).jumps.get(chain) else chain.name
