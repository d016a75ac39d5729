"""Masquerade, mapped LANs and MSS clamping in one nft table, where there is no iptables or firewalld flushes it.

The table is stated whole. Nothing in it accepts packets: an accept there would not keep another table from dropping them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from wgorch.adapters.nft import HOOKS, translated
from wgorch.adapters.startup import digest
from wgorch.base.sh import Sh, quote, sh
from wgorch.facts.firewall import nft_chains
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import facts_of
from wgorch.state.change import Change, Command, attributes, change, command
from wgorch.state.state import State
from wgorch.steps.firewall import iptables_of
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def nft_table(want: State, have: State) -> Iterator[Change]:
    """Masquerade, map LANs and clamp MSS in one nft table, where there is no iptables or firewalld flushes it."""
    if want.nft.keys() == have.nft.keys():
        return
    name = f"wgorch-{want.network}"
    making = [f"table inet {name}", f"delete table inet {name}"]
    if not want.nft:
        yield change("-", f"nft table {name}", "no longer wanted", *_load(making), disruptive=True)
        return
    making.append(f"table inet {name} {{")
    for hook, head in HOOKS.items():
        rules = [(key, text) for key, text in want.nft.items() if key.startswith(f"{hook} ")]
        if rules:
            making += [f"chain {hook} {{", head]
            making += [_line(key, text, want.mark) for key, text in rules]
            making.append("}")
    making.append("}")
    lacking = [text for key, text in want.nft.items() if key not in have.nft]
    extra = [text for key, text in have.nft.items() if key not in want.nft]
    differences = [f"lacks “{text}”" for text in lacking] + [f"should not have “{text}”" for text in extra]
    why = "missing" if not have.nft else "; ".join(differences)
    its = partial(attributes, *(("rule", text, "") for text in extra), *(("rule", "", text) for text in lacking))
    sign = "~" if have.nft else "+"
    yield change(sign, f"nft table {name}", why, *_load(making), disruptive=bool(extra), values=its)


def _load(lines: list[str]) -> tuple[Command]:
    return (command("nft", "-f", "-", stdin="\n".join(lines)),)


def _line(key: str, text: str, mark: str) -> str:
    """A rule with mark and digest; a foreign one, which only a rollback states, as it was."""
    tag = key.rpartition(" ")[2]
    return text if tag.startswith("!") else f'{text} comment "{mark} {tag}"'


def _read(answers: Answers) -> Slice:
    """Rules of the managed table by hook and digest, which each rule has in its comment."""
    found = {}
    name = f"inet wgorch-{facts_of(answers).get('network', '')}"
    for table, chain, body in nft_chains(answers.get("nft", [])):
        for line in body if table == name else ():
            if hit := re.fullmatch(r'(.*) comment "wgorch:[a-z0-9-]+ ([0-9a-f]{12})"', line):
                found[f"{chain} {hit[2]}"] = hit[1]
            elif not line.startswith("type "):
                found[f"{chain} !{digest(line)[:12]}"] = line  # foreign, in the managed table: no target equals it
    return {"nft": found}


def _target(target: Target) -> Slice:
    return {"nft": translated(iptables_of(target)) if target.facts.uses_nft else {}}


def _probe(want: State, have: State) -> Iterator[Sh]:
    if want.nft or have.nft:
        yield sh(
            "show nft list tables | grep -e 'inet wgorch-{network}$' -e '^unreadable '", network=quote(want.network)
        )
        yield sh("nft list table inet wgorch-{network} 2>/dev/null", network=quote(want.network))


NOUN = Noun(
    state=("nft",),
    steps=(step(nft_table),),
    read=_read,
    part=Part({"nft": Reread.AFTER_CHANGE}),
    target=_target,
    probe=_probe,
)
