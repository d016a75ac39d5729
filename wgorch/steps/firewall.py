"""iptables rules in managed chains, each reached by one jump at the first place of its parent chain.

A whole chain is stated at once; foreign rules in it are kept behind the managed ones. The mark is the rule's comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial

from wgorch.base.ip import as_ip
from wgorch.base.sh import EMPTY, Sh, quote, sh
from wgorch.facts.facts import Facts
from wgorch.facts.jumps import jump_places
from wgorch.inventory.model import IPNetwork, Network
from wgorch.state.change import Attribute, Change, Command, attributes, change, command
from wgorch.state.rules import Chain, Rule, our_chains, rule, tool
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def forward_rules(want: State, have: State) -> Iterator[Change]:
    """Forward packets between tunnel and LAN, and between peers on a relay, whatever FORWARD's policy is."""
    yield from _chains("filter", "FORWARD", "packets would not be forwarded", want, have)
    yield from _chains(
        "filter", "DOCKER-USER", "Docker puts its chains before FORWARD's others when it starts", want, have
    )


def input_rules(want: State, have: State) -> Iterator[Change]:
    """Accept WireGuard's UDP on a host that peers connect to."""
    yield from _chains("filter", "INPUT", "a closed INPUT chain would drop handshakes", want, have)


def masquerade(want: State, have: State) -> Iterator[Change]:
    """Masquerade tunnel traffic as it enters a LAN, so that machines there need no return route."""
    yield from _chains(
        "nat", "POSTROUTING", "tunnel traffic would leave with its own addresses, which need a return route", want, have
    )


def map_lans(want: State, have: State) -> Iterator[Change]:
    """Map the subnet that stands for a LAN in the tunnel to the LAN's own addresses, one to one (NETMAP)."""
    yield from _chains("nat", "PREROUTING", "the mapped subnet would lead nowhere", want, have)


def clamp_mss(want: State, have: State) -> Iterator[Change]:
    """Clamp TCP MSS to the tunnel MTU."""
    yield from _chains("mangle", "FORWARD", "large TCP segments would be dropped in the tunnel", want, have)


def _chains(table: str, parent: str, why: str, want: State, have: State) -> Iterator[Change]:
    mark = want.mark
    chains = (c for c in want.chains.keys() | have.chains.keys() | have.jumps.keys() if c.parent == parent)
    for chain in sorted(c for c in chains if c.table in (table, f"{table}6")):
        new, old = want.chains.get(chain), have.chains.get(chain)
        place, seen = want.jumps.get(chain, ()), have.jumps.get(chain, ())
        if new is None:
            if old is not None or seen:
                yield change("-", _name(chain), "no longer wanted", *_remove(chain, mark, want), disruptive=bool(old))
        elif old is None:
            making = _state(chain, new, place, mark, want, have)
            yield change("+", _name(chain), why, *making, values=partial(_values, (), new))
        elif new != old:
            differs = _difference(new, old)
            making, lost = _state(chain, new, place, mark, want, have), not set(old) <= set(new)
            yield change("~", _name(chain), differs, *making, disruptive=lost, values=partial(_values, old, new))
        elif place != seen:
            problem = _jump_problem(seen, parent)
            yield change("~", f"jump to {_name(chain)[6:]}", problem, *_state(chain, new, place, mark, want, have))


def _values(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> tuple[Attribute, ...]:
    """The rules that go, and those that come."""
    gone = (("rule", _brief(rule), "") for rule in old if rule not in new)
    return attributes(*gone, *(("rule", "", _brief(rule)) for rule in new if rule not in old))


def _name(chain: Chain) -> str:
    return f"chain {chain.name}" + (" of IPv6" if chain.table.endswith("6") else "")


def _difference(new: tuple[Rule, ...], old: tuple[Rule, ...]) -> str:
    missing, extra = [r for r in new if r not in old], [r for r in old if r not in new]
    differences = [f"lacks “{_brief(r)}”" for r in missing] + [f"should not have “{_brief(r)}”" for r in extra]
    return "; ".join(differences) or "rules are in another order"


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


def _state(
    chain: Chain, rules: tuple[Rule, ...], places: tuple[int, ...], mark: str, want: State, have: State
) -> Iterator[Command]:
    if chain.table not in have.tables:
        yield command("note_table", chain.table)
    elif chain not in have.chains and chain not in have.jumps:
        yield command("note_chain", chain.table, chain.parent)
    if not chain.parent.isalpha():
        yield command("ensure_chain", chain.table, chain.parent)  # Docker's own; it may not have started yet
    yield command("remove_jump", chain.table, chain.parent, mark, chain.name)
    lines = [f"*{chain.table.removesuffix('6')}", f":{chain.name} - [0:0]"]
    lines += [f"-A {chain.name} {rule}" for rule in rules]
    lines += [f"-I {chain.parent} {place + above} {jump(chain, mark)}" for above, place in enumerate(places)]
    yield command(*restore(chain.table), stdin="\n".join([*lines, "COMMIT"]))


def _remove(chain: Chain, mark: str, want: State) -> Iterator[Command]:
    if chain.table not in want.tables:
        # A rollback of a change that had not come so far: declaring the chain below creates the table.
        yield command("note_table", chain.table)
    yield command("remove_jump", chain.table, chain.parent, mark, chain.name)
    # Declared (which creates and empties it) and deleted in one call: gone, whether or not it existed.
    lines = [f"*{chain.table.removesuffix('6')}", f":{chain.name} - [0:0]", f"-X {chain.name}", "COMMIT"]
    yield command(*restore(chain.table), stdin="\n".join(lines))
    yield command("drop_chain", chain.table, chain.parent)


def restore(table: str) -> tuple[str, ...]:
    """The command that reads rules of a table as text."""
    return (f"{tool(table)}-restore", "--wait", "10", "--noflush")


RESTORES = (restore("filter"), restore("filter6"))


def _have(facts: Facts, network: Network) -> Slice:
    rules = facts.firewall.rules
    chains = {c: rules[c.table][c.name] for c in our_chains(network) if c.name in rules.get(c.table, {})}
    jumps = {c: places for c in our_chains(network) if (places := tuple(jump_places(facts.firewall, network.mark, c)))}
    return {"chains": chains, "jumps": jumps}


def _target(target: Target) -> Slice:
    chains = chains_of(target)
    return {"chains": chains, "jumps": dict.fromkeys(chains, (1,))}


@lru_cache(maxsize=2)  # asked by three nouns of each host in turn
def chains_of(target: Target) -> dict[Chain, tuple[Rule, ...]]:
    """Chains that go into iptables: none where nft takes them, but those that accept what iptables would drop."""
    chains = iptables_of(target)
    if not target.facts.uses_nft:
        return chains
    drops = target.facts.firewall.policies.get(("filter", "FORWARD")) == "DROP"
    keeps = drops and "iptables" in target.facts.system.tools
    return {c: rules for c, rules in chains.items() if keeps and c.table.startswith("filter")}


@lru_cache(maxsize=2)
def iptables_of(target: Target) -> dict[Chain, tuple[Rule, ...]]:
    """All rules of a host in iptables' words; nft's and firewalld's are translated from these. Raises Unfit."""
    found: dict[Chain, tuple[Rule, ...]] = {}
    for version in (4, 6):
        forward, incoming, nat, mss, maps, dockers = our_chains(target.network, version)
        if rules := tuple(_forward(target, version)):
            found[forward] = rules
            if dockers.parent in target.facts.firewall.rules.get(dockers.table, {}):
                found[dockers] = rules
            clamp = f"-o {target.tunnel} -p tcp -m tcp --tcp-flags SYN,RST SYN"
            found[mss] = (rule(clamp, target.network.mark, "TCPMSS --clamp-mss-to-pmtu"),)
        found |= {incoming: rules} if (rules := tuple(_input(target, version))) else {}
        found |= {nat: rules} if (rules := tuple(_nat(target, version))) else {}
        found |= {maps: rules} if (rules := tuple(_maps(target, version))) else {}
    return found


def _forward(target: Target, version: int) -> Iterator[Rule]:
    mark, tunnel, desired = target.network.mark, target.tunnel, target.desired
    if desired.forwards_between_peers and any(subnet.version == version for subnet in target.network.subnets):
        yield rule(f"-i {tunnel} -o {tunnel}", mark, "ACCEPT")
    for lan, interface in target.lan_interfaces.items():
        if lan.version == version:
            real = desired.host.real(lan)
            # Sources need no rule: WireGuard lets a peer send only from its allowed-ips.
            yield rule(f"-d {real} -i {tunnel} -o {interface}", mark, "ACCEPT")
            yield rule(f"-s {real} -i {interface} -o {tunnel}", mark, "ACCEPT")
    for net, out in _leaving(target, version):
        yield rule(f"-s {net} -i {tunnel} -o {out}", mark, "ACCEPT")
        yield rule(f"-d {net} -i {out} -o {tunnel} -m conntrack --ctstate RELATED,ESTABLISHED", mark, "ACCEPT")


def _leaving(target: Target, version: int) -> Iterator[tuple[IPNetwork, str]]:
    """Sources that use the host as exit node, and its egress interface."""
    if out := target.egress(version):
        yield from ((net, out) for net in target.desired.exit_sources if net.version == version)


def _input(target: Target, version: int) -> Iterator[Rule]:
    host = target.desired.host
    if host.endpoint and version in _reached_over(target):
        yield rule(f"-p udp -m udp --dport {host.listen_port}", target.network.mark, "ACCEPT")


def _reached_over(target: Target) -> set[int]:
    """IP versions that peers connect over; a name may resolve to either, where the network has both."""
    endpoint = target.desired.host.endpoint
    ip = as_ip(endpoint.host) if endpoint else None
    if ip is not None:
        return {ip.version}
    return {4, 6} if target.network.ipv6 else {4}


def _nat(target: Target, version: int) -> Iterator[Rule]:
    mark, host = target.network.mark, target.desired.host
    for m in target.desired.masquerade:
        if m.into.version == version:
            out = target.lan_interfaces[m.into]
            yield rule(f"-s {m.source} -d {host.real(m.into)} -o {out}", mark, "MASQUERADE")
    for net, out in _leaving(target, version):
        yield rule(f"-s {net} -o {out}", mark, "MASQUERADE")
    for name, lan in host.maps:
        if name.version == version:
            yield rule(f"-s {lan} -o {target.tunnel}", mark, f"NETMAP --to {name}")


def _maps(target: Target, version: int) -> Iterator[Rule]:
    for name, lan in target.desired.host.maps:
        if name.version == version:
            yield rule(f"-d {name} -i {target.tunnel}", target.network.mark, f"NETMAP --to {lan}")


def _probe(want: State, have: State) -> Iterator[Sh]:
    used = {tool(chain.table) for state in (want, have) for chain in state.chains}
    tools = used | {"iptables"}
    for by in sorted(tools):
        rules = sh("rules6") if by.startswith("ip6") else sh("rules4")
        there = sh("! command -v {by}-save >/dev/null 2>&1 || ", by=quote(by)) if by not in used else EMPTY
        yield sh('{there}{rules}="$(show {by}-save)\n"', there=there, rules=rules, by=quote(by))
        yield sh('managed_rules "${rules}"', rules=rules)


NOUN = Noun(
    state=("chains", "jumps"),
    steps=tuple(map(step, (forward_rules, input_rules, masquerade, map_lans, clamp_mss))),
    have=_have,
    target=_target,
    functions=("note_table", "note_chain", "ensure_chain", "remove_jump", "drop_chain"),
    probe=_probe,
)


def firewall_of(facts: Facts) -> str:
    """Name the owner of the host's firewall, and what wgorch uses in it."""
    tools, chains = facts.system.tools, facts.firewall.rules.get("filter", {})
    by = "iptables"
    if facts.uses_nft:
        by = "an nft table" if "iptables" not in tools else "an nft table, which firewalld's reload keeps"
    if facts.firewall.has_firewalld:
        return f"firewalld: a zone and policies in it, and {by}"
    if "ufw-user-forward" in chains:
        return "ufw: a chain before ufw's own, which its reload keeps"
    if "DOCKER-USER" in chains:
        return "Docker: a chain beside Docker's, which its restart keeps"
    return f"no iptables: {by}" if by != "iptables" else "iptables: managed chains"
