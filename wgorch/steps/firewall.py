"""Rules in chains of our own, each reached by one jump at the first place of its parent chain.

A whole chain is stated at once; rules of others in it are kept behind ours. The mark is the rule's comment.
"""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.state.change import Change, Command, change, command
from wgorch.state.rules import Chain, Rule, tool
from wgorch.state.state import State


def forward_rules(want: State, have: State) -> Iterator[Change]:
    """Let packets pass between tunnel and LAN, and between peers on a relay, whatever FORWARD's policy is."""
    yield from _chains("filter", "FORWARD", "packets would not be let through", want, have)
    yield from _chains("filter", "DOCKER-USER", "Docker's start puts its chains before ours", want, have)


def input_rules(want: State, have: State) -> Iterator[Change]:
    """Let WireGuard's own UDP in where others dial this host."""
    yield from _chains("filter", "INPUT", "a closed firewall would keep peers out", want, have)


def masquerade(want: State, have: State) -> Iterator[Change]:
    """Let tunnel traffic enter a LAN under its gateway's own address, so that machines there know the way back."""
    yield from _chains("nat", "POSTROUTING", "tunnel traffic would enter the LAN unmasked", want, have)


def map_lans(want: State, have: State) -> Iterator[Change]:
    """Turn the name that a LAN has in the tunnel into its own addresses, one to one."""
    yield from _chains("nat", "PREROUTING", "the LAN's name in the tunnel would lead nowhere", want, have)


def clamp_mss(want: State, have: State) -> Iterator[Change]:
    """Tell TCP ends beyond this host how much fits through the tunnel."""
    yield from _chains("mangle", "FORWARD", "large TCP packets would vanish in the tunnel", want, have)


def _chains(table: str, parent: str, why: str, want: State, have: State) -> Iterator[Change]:
    mark = want.mark
    chains = (c for c in want.chains.keys() | have.chains.keys() | have.jumps.keys() if c.parent == parent)
    for chain in sorted(c for c in chains if c.table in (table, f"{table}6")):
        new, old = want.chains.get(chain), have.chains.get(chain)
        place, seen = want.jumps.get(chain, ()), have.jumps.get(chain, ())
        if new is None:
            if old is not None or seen:
                yield change("-", _told(chain), "no longer wanted", *_remove(chain, mark))
        elif old is None:
            yield change("+", _told(chain), why, *_state(chain, new, place, mark, want, have))
        elif new != old:
            differs = _difference(new, old)
            yield change("~", _told(chain), differs, *_state(chain, new, place, mark, want, have))
        elif place != seen:
            problem = _jump_problem(seen, parent)
            yield change("~", f"jump to {_told(chain)[6:]}", problem, *_state(chain, new, place, mark, want, have))


def _told(chain: Chain) -> str:
    return f"chain {chain.name}" + (" of IPv6" if chain.table.endswith("6") else "")


def _difference(new: tuple[Rule, ...], old: tuple[Rule, ...]) -> str:
    missing, extra = [r for r in new if r not in old], [r for r in old if r not in new]
    told = [f"it lacks “{_brief(r)}”" for r in missing] + [f"it should not have “{_brief(r)}”" for r in extra]
    return "; ".join(told) or "its rules are in another order"


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
    """The rule in the parent chain that leads to ours."""
    return Rule(("-m", "comment", "--comment", mark, "-j", chain.name))


def _state(
    chain: Chain, rules: tuple[Rule, ...], places: tuple[int, ...], mark: str, want: State, have: State
) -> Iterator[Command]:
    if chain.table not in have.tables:
        yield command("note_table", chain.table)
    elif chain not in have.chains and chain not in have.jumps:
        yield command("note_chain", chain.table, chain.parent)
    if not chain.parent.isalpha():
        yield command("ensure_chain", chain.table, chain.parent)  # its owner's; that may not have started yet
    yield command("remove_jump", chain.table, chain.parent, mark, chain.name)
    lines = [f"*{chain.table.removesuffix('6')}", f":{chain.name} - [0:0]"]
    lines += [f"-A {chain.name} {rule}" for rule in rules]
    lines += [f"-I {chain.parent} {place + above} {jump(chain, mark)}" for above, place in enumerate(places)]
    yield command(*restore(chain.table), stdin="\n".join([*lines, "COMMIT"]))


def _remove(chain: Chain, mark: str) -> Iterator[Command]:
    yield command("remove_jump", chain.table, chain.parent, mark, chain.name)
    # Declared (which makes it and empties it) and deleted in one go: gone, whether or not it was there.
    lines = [f"*{chain.table.removesuffix('6')}", f":{chain.name} - [0:0]", f"-X {chain.name}", "COMMIT"]
    yield command(*restore(chain.table), stdin="\n".join(lines))
    yield command("drop_chain", chain.table, chain.parent)


def restore(table: str) -> tuple[str, ...]:
    """The command that takes the rules of a table as text."""
    return (f"{tool(table)}-restore", "--wait", "10", "--noflush")


RESTORES = (restore("filter"), restore("filter6"))
