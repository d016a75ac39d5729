"""One nft table: the network's policy; and where there is no iptables, masquerade, mapped LANs and MSS clamping.

The table is stated whole, at once. Nothing in it lets a packet pass that another table drops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from wgorch.adapters.nft import HOOKS, translated
from wgorch.adapters.nft_policy import CHAINS, leads, policy_rules
from wgorch.adapters.startup import WATCHING, digest
from wgorch.base.sh import Sh, quote, sh
from wgorch.errors import Unfit
from wgorch.facts.facts import Facts
from wgorch.facts.firewall import nft_chains
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import facts_of
from wgorch.inventory.model import Network
from wgorch.state.change import Change, Command, attributes, change, command
from wgorch.state.state import State
from wgorch.steps.firewall import iptables_of
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target
from wgorch.topology.desired import Desired

HEADS: Mapping[str, str] = {**CHAINS, **HOOKS}
"""Chains of the managed table in their order, and what makes them base chains."""


def nft_table(want: State, have: State) -> Iterator[Change]:
    """Enforce the policy in one nft table, which replaces iptables where there is none or firewalld flushes it."""
    now = max(want.clock, have.clock)
    if _order(_current(want.nft, now)) == _order(_current(have.nft, now)):
        return
    name = f"wgorch-{want.network}"
    making = [f"table inet {name}", f"delete table inet {name}"]
    if not want.nft:
        yield change("-", f"nft table {name}", "no longer wanted", *_load(want.network, making), disruptive=True)
        return
    # At a start rules that have ended are loaded, too: its script must not change by itself. They end at once.
    rules = _current(want.nft, now) if have.nft else want.nft
    lacking = [text for key, text in want.nft.items() if key not in have.nft]
    extra = [text for key, text in have.nft.items() if key not in want.nft]
    differences = [f"lacks “{text}”" for text in lacking] + [f"should not have “{text}”" for text in extra]
    why = "missing" if not have.nft else "; ".join(differences) or "rules are in another order"
    gone, new = _shown(have.nft, want.nft), _shown(want.nft, have.nft)
    its = partial(attributes, *(("rule", text, "") for text in gone), *(("rule", "", text) for text in new))
    first = _has_policy(want.nft) and not _has_policy(have.nft)
    tracking = [command("track_connections", want.network, "inet", *want.interfaces)] if first else []
    ending = [command("end_rules", want.network)] if any("@" in key for key in rules) else []
    commands = (*tracking, *_load(want.network, [*making, *_table(name, rules, want.mark)]), *ending)
    yield change(
        "~" if have.nft else "+",
        f"nft table {name}",
        why,
        *commands,
        disruptive=first or any(not text.endswith("drop") for text in extra) or "drop" in lacking,
        values=its,
    )


def _shown(rules: Mapping[str, str], others: Mapping[str, str]) -> dict[str, None]:
    """The rules that others do not have, as a plan shows them: without those that only lead to others."""
    own = ((*key.split(" "), text) for key, text in rules.items() if key not in others)
    return dict.fromkeys(text for chain, tag, text in own if tag.startswith("!") or not leads(chain, text))


def _current(rules: Mapping[str, str], now: int) -> dict[str, str]:
    """The rules that have not ended."""
    return {key: text for key, text in rules.items() if not 0 < _until(key) <= now}


def rule_ends(rules: Mapping[str, str]) -> Iterator[int]:
    """The UNIX times at which rules end."""
    yield from (end for key in rules if (end := _until(key)))


def _until(key: str) -> int:
    """The UNIX time at which a rule ends; 0 for never."""
    end = key.rpartition("@")[2]
    return int(end) if "@" in key and end.isdecimal() else 0


def _table(name: str, rules: Mapping[str, str], mark: str) -> Iterator[str]:
    yield f"table inet {name} {{"
    for chain, keys in _order(rules).items():
        yield f"chain {chain} {{"
        yield from (head for head in [HEADS[chain]] if head)
        yield from (_line(key, rules[key], mark) for key in keys)
        yield "}"
    yield "}"


def _order(rules: Mapping[str, str]) -> dict[str, list[str]]:
    """The keys of rules by chain; the order of the rules in a chain counts."""
    found: dict[str, list[str]] = {chain: [] for chain in HEADS}
    for key in rules:
        found.setdefault(key.partition(" ")[0], []).append(key)
    return {chain: keys for chain, keys in found.items() if keys}


def _has_policy(rules: Mapping[str, str]) -> bool:
    return any(key.startswith("policy-") for key in rules)


MAX_RULE = 1 << 20
"""Characters of a rule: a policy names many addresses in one."""


def _load(network: str, lines: list[str]) -> tuple[Command]:
    return (command("load_rules", network, stdin="\n".join(lines)),)


def _line(key: str, text: str, mark: str) -> str:
    """A rule with mark and digest; a foreign one, which only a rollback states, as it was."""
    tag = key.rpartition(" ")[2]
    return f"{text} # foreign" if tag.startswith("!") else f'{text} comment "{mark} {tag}"'


def _read(answers: Answers) -> Slice:
    """Rules of the managed table by hook and digest, which each rule has in its comment."""
    found = {}
    name = f"inet wgorch-{facts_of(answers).get('network', '')}"
    loaded = {(chain, line) for _, chain, body in nft_chains(answers.get("nft-loaded", []), MAX_RULE) for line in body}
    for table, chain, body in nft_chains(answers.get("nft", []), MAX_RULE):
        for line in body if table == name else ():
            edited = loaded and (chain, line) not in loaded  # the words of a rule, but not its comment
            hit = re.fullmatch(r'(.*) comment "wgorch:[a-z0-9-]+ ([0-9a-f]{12}(?:@[0-9]{1,12})?)"', line)
            if hit and not edited:
                found[f"{chain} {hit[2]}"] = hit[1]
            elif not line.startswith("type "):
                found[f"{chain} !{digest(line)[:12]}"] = line  # foreign, in the managed table: no target equals it
    return {"nft": found}


def _have(facts: Facts, _network: Network) -> Slice:
    return {"clock": facts.clock.time}


def _target(target: Target) -> Slice:
    rules = translated(iptables_of(target)) if target.facts.uses_nft else {}
    filtering = target.desired.filtering
    if filtering and filtering.ends and target.facts.system.starter not in WATCHING:
        problem = "no start-up system here runs a script from time to time (systemd, runit or cron)"
        raise Unfit(
            target.desired.name, "end lines of the policy", problem, "install cron, or leave until out of policy:"
        )
    if filtering and target.facts.system.no_nf_tables and not target.facts.filters_by_iptables:
        hint = "install iptables, or a kernel that has nf_tables"
        raise Unfit(
            target.desired.name, "enforce the policy", "the kernel has no nf_tables, and iptables is missing", hint
        )
    policy = {} if target.facts.filters_by_iptables else policy_of(target.desired)
    return {"nft": policy | rules, "clock": target.facts.clock.time}


def policy_of(desired: Desired) -> dict[str, str]:
    """The rules of a host's policy, by chain and digest."""
    rules = policy_rules(desired.filtering, desired.interfaces) if desired.filtering else ()
    return {
        f"{rule.chain} {digest(f'{rule.chain} {rule.text}')[:12]}{f'@{rule.until}' if rule.until else ''}": rule.text
        for rule in rules
    }


def _probe(want: State, have: State) -> Iterator[Sh]:
    if want.nft or have.nft:
        yield sh(
            "show nft list tables | grep -e 'inet wgorch-{network}$' -e '^unreadable '", network=quote(want.network)
        )
        yield sh("nft list table inet wgorch-{network} 2>/dev/null", network=quote(want.network))


NOUN = Noun(
    state=("nft", "clock"),
    steps=(step(nft_table),),
    have=_have,
    read=_read,
    part=Part({"nft": Reread.AFTER_CHANGE, "nft-loaded": Reread.AFTER_CHANGE}),
    target=_target,
    functions=("load_rules", "track_connections", "end_rules"),
    probe=_probe,
)
