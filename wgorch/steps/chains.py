"""Managed chains of iptables, each reached by one jump at the first place of its parent chain.

A whole chain is stated at once; foreign rules in it are kept behind the managed ones. The mark is the rule's comment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from wgorch.state.change import Attribute, Change, Command, attributes, change, command
from wgorch.state.rules import Chain, Rule, tool
from wgorch.state.state import State


def chains_of_kind(kind: str, want: State, have: State) -> list[Chain]:
    """The chains of both States whose names end so, in order."""
    return sorted(c for c in want.chains.keys() | have.chains.keys() | have.jumps.keys() if c.kind == kind)


Making = Callable[[Chain, State, State], Iterator[Command]]
"""Commands that state a chain and its jumps, from the State wanted and the one that is there."""


def chain_changes(
    kind: str, why: str, want: State, have: State, state: Making | None = None, now: int = 0
) -> Iterator[Change]:
    """Changes of the chains of a kind.

    `why`: the reason to create one; `state`: its commands, the usual ones by default; `now`: UNIX time, as rules that have
    ended by it are no difference.
    """
    making = state or _state
    for chain in chains_of_kind(kind, want, have):
        new, old = _current(want.chains.get(chain), now), _current(have.chains.get(chain), now)
        place, seen = want.jumps.get(chain, ()), have.jumps.get(chain, ())
        if new is None:
            if old is not None or seen:
                yield change("-", _name(chain), "no longer wanted", *_remove(chain, want), disruptive=bool(old))
        elif old is None:
            yield change("+", _name(chain), why, *making(chain, want, have), values=partial(_values, (), new))
        elif new != old:
            differs, values = _difference(new, old), partial(_values, old, new)
            lost = not {rule for rule in old if rule.words[-1] != "DROP"} <= set(new)
            yield change("~", _name(chain), differs, *making(chain, want, have), disruptive=lost, values=values)
        elif place != seen:
            problem = _jump_problem(seen, chain.parent)
            yield change("~", f"jump to {_name(chain)[6:]}", problem, *making(chain, want, have))


def _values(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> tuple[Attribute, ...]:
    """The rules that go, and those that come."""
    before, after = frozenset(old), frozenset(new)
    gone = (("rule", _brief(rule), "") for rule in old if rule not in after)
    return attributes(*gone, *(("rule", "", _brief(rule)) for rule in new if rule not in before))


def _name(chain: Chain) -> str:
    return f"chain {chain.name}" + (" of IPv6" if chain.table.endswith("6") else "")


MOST_NAMED = 20
"""Differences of a chain that its reason names; a plan shows all of them."""


def _difference(new: tuple[Rule, ...], old: tuple[Rule, ...]) -> str:
    before, after = frozenset(old), frozenset(new)
    differences = [f"lacks “{_brief(r)}”" for r in new if r not in before]
    differences += [f"should not have “{_brief(r)}”" for r in old if r not in after]
    more = f"; and {len(differences) - MOST_NAMED} more" if len(differences) > MOST_NAMED else ""
    return "; ".join(differences[:MOST_NAMED]) + more or "rules are in another order"


def _brief(rule: Rule) -> str:
    words = list(rule.words)
    if "--comment" in words:
        at = words.index("--comment")
        del words[at - 2 : at + 2]
    return " ".join(words)


def _jump_problem(seen: tuple[int, ...], parent: str) -> str:
    if not seen:
        return f"{parent} does not reach it"
    if len(seen) > 1:
        return f"{parent} jumps to it {len(seen)} times"
    return f"rules above it in {parent} decide first"


def jump(chain: Chain, mark: str) -> Rule:
    """The rule of the parent chain that jumps to a managed one."""
    return Rule(("-m", "comment", "--comment", mark, "-j", chain.name))


UNTIL = "until:"
"""Begins the second comment of a rule that ends; a UNIX time follows."""


def _current(rules: tuple[Rule, ...] | None, now: int) -> tuple[Rule, ...] | None:
    """The rules that have not ended."""
    return rules and tuple(rule for rule in rules if not 0 < ends(rule) <= now)


def ends(rule: Rule) -> int:
    """The UNIX time at which a rule ends; 0 for never."""
    end = next((word.removeprefix(UNTIL) for word in rule.words if word.startswith(UNTIL)), "")
    return int(end) if end.isdecimal() else 0


def chain_ends(chains: Mapping[Chain, tuple[Rule, ...]]) -> Iterator[int]:
    """The UNIX times at which rules end."""
    yield from (end for rules in chains.values() for rule in rules if (end := ends(rule)))


def noted(chain: Chain, have: State) -> Iterator[Command]:
    """Commands that record what will exist only because of a chain, and make its parent."""
    if chain.table not in have.tables:
        yield command("note_table", chain.table)
    elif chain not in have.chains and chain not in have.jumps:
        yield command("note_chain", chain.table, chain.parent)
    if not chain.parent.isalpha():
        yield command("ensure_chain", chain.table, chain.parent)  # Docker's own; it may not have started yet


def _state(chain: Chain, want: State, have: State) -> Iterator[Command]:
    if any(place > 1 for place in want.jumps.get(chain, ())):  # only where a rollback puts it back behind others
        yield from at_once(chain, want, have)
        return
    yield from noted(chain, have)
    yield command("remove_jump", chain.table, chain.parent, want.mark, chain.name)
    lines = [f"*{chain.table.removesuffix('6')}", f":{chain.name} - [0:0]"]
    lines += [f"-A {chain.name} {rule}" for rule in want.chains[chain]]
    lines += [f"-I {chain.parent} 1 {jump(chain, want.mark)}" for _ in want.jumps.get(chain, ())]
    yield command(*restore(chain.table), stdin="\n".join([*lines, "COMMIT"]))


def at_once(chain: Chain, want: State, have: State) -> Iterator[Command]:
    """Commands that state a chain in one transaction with its jumps: no packet passes beside it meanwhile."""
    yield from noted(chain, have)
    # At a start rules that have ended are loaded, too: its script must not change by itself. They end at once.
    now = max(want.clock, have.clock) if chain in have.chains else 0
    rules = _current(want.chains[chain], now) or ()
    stating = ("restate_chain", chain.table, chain.parent, want.mark, chain.name)
    lines = (f"-A {chain.name} {rule}" for rule in rules)
    yield command(*stating, *want.jumps.get(chain, ()), stdin="\n".join(lines))
    if any(map(ends, rules)):
        yield command("end_rules", want.network)


def _remove(chain: Chain, want: State) -> Iterator[Command]:
    if chain.table not in want.tables:
        # A rollback of a change that had not come so far: declaring the chain below creates the table.
        yield command("note_table", chain.table)
    yield command("remove_jump", chain.table, chain.parent, want.mark, chain.name)
    # Declared (which creates and empties it) and deleted in one call: gone, whether or not it existed.
    lines = [f"*{chain.table.removesuffix('6')}", f":{chain.name} - [0:0]", f"-X {chain.name}", "COMMIT"]
    yield command(*restore(chain.table), stdin="\n".join(lines))
    yield command("drop_chain", chain.table, chain.parent)


def restore(table: str) -> tuple[str, ...]:
    """The command that reads rules of a table as text."""
    return (f"{tool(table)}-restore", "--wait", "10", "--noflush")


RESTORES = (restore("filter"), restore("filter6"))
