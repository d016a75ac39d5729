"""iptables rules: what passes, what is masqueraded and mapped; and the policy, where there is no nft."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from wgorch.adapters.iptables_policy import chains_of_policy
from wgorch.base.sh import EMPTY, Sh, quote, sh
from wgorch.facts.facts import Facts
from wgorch.facts.jumps import jump_places
from wgorch.inventory.model import IPNetwork, Network
from wgorch.state.change import Change, change, command
from wgorch.state.rules import POLICY_KINDS, Chain, Rule, our_chains, rule, tool
from wgorch.state.state import State
from wgorch.steps.chains import at_once, chain_changes, chains_of_kind, noted
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def forward_rules(want: State, have: State) -> Iterator[Change]:
    """Forward packets between tunnel and LAN, and between peers on a relay, whatever FORWARD's policy is."""
    yield from chain_changes("fwd", "packets would not be forwarded", want, have)
    yield from chain_changes("usr", "Docker puts its chains before FORWARD's others when it starts", want, have)


def input_rules(want: State, have: State) -> Iterator[Change]:
    """Accept WireGuard's UDP on a host that peers connect to."""
    yield from chain_changes("in", "a closed INPUT chain would drop handshakes", want, have)


def masquerade(want: State, have: State) -> Iterator[Change]:
    """Masquerade tunnel traffic as it enters a LAN, so that machines there need no return route."""
    why = "tunnel traffic would leave with its own addresses, which need a return route"
    yield from chain_changes("nat", why, want, have)


def map_lans(want: State, have: State) -> Iterator[Change]:
    """Map the subnet that stands for a LAN in the tunnel to the LAN's own addresses, one to one (NETMAP)."""
    yield from chain_changes("map", "the mapped subnet would lead nowhere", want, have)


def clamp_mss(want: State, have: State) -> Iterator[Change]:
    """Clamp TCP MSS to the tunnel MTU."""
    yield from chain_changes("mss", "large TCP segments would be dropped in the tunnel", want, have)


def policy_chains(want: State, have: State) -> Iterator[Change]:
    """Enforce the policy in iptables, where there is no nft."""
    chains = [chain for kind in POLICY_KINDS for chain in chains_of_kind(kind, want, have)]
    first = [chain for chain in chains if chain in want.chains]
    if first and not any(chain in have.chains for chain in chains):
        notes = (note for chain in first for note in noted(chain, have))
        tables = " ".join(sorted({chain.table for chain in first}))
        tracking = command("track_connections", want.network, tables, *want.interfaces)
        why = "a policy refuses what was not seen both ways"
        yield change("+", "connection tracking", why, *notes, tracking, disruptive=True)
    for kind in POLICY_KINDS:
        why = "what no line of policy: allows would pass"
        yield from chain_changes(kind, why, want, have, at_once, max(want.clock, have.clock))


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
        filtering = target.desired.filtering if target.facts.filters_by_iptables else None
        versions = {subnet.version for subnet in target.network.subnets}
        made = chains_of_policy(filtering, target.network, target.tunnels, versions) if filtering else {}
        return chains | made
    drops = target.facts.firewall.policies.get(("filter", "FORWARD")) == "DROP"
    keeps = drops and "iptables" in target.facts.system.tools
    return {c: rules for c, rules in chains.items() if keeps and c.table.startswith("filter")}


@lru_cache(maxsize=2)
def iptables_of(target: Target) -> dict[Chain, tuple[Rule, ...]]:
    """All rules of a host in iptables' words; nft's and firewalld's are translated from these. Raises Unfit."""
    found: dict[Chain, tuple[Rule, ...]] = {}
    for version in (4, 6):
        forward, incoming, nat, mss, maps, dockers, *_ = our_chains(target.network, version)
        if rules := tuple(_forward(target, version)):
            found[forward] = rules
            if dockers.parent in target.facts.firewall.rules.get(dockers.table, {}):
                found[dockers] = rules
            clamps = (f"-o {tunnel} -p tcp -m tcp --tcp-flags SYN,RST SYN" for tunnel in target.tunnels)
            found[mss] = tuple(rule(each, target.network.mark, "TCPMSS --clamp-mss-to-pmtu") for each in clamps)
        found |= {incoming: rules} if (rules := tuple(_input(target, version))) else {}
        found |= {nat: rules} if (rules := tuple(_nat(target, version))) else {}
        found |= {maps: rules} if (rules := tuple(_maps(target, version))) else {}
    return found


def _forward(target: Target, version: int) -> Iterator[Rule]:
    mark, desired = target.network.mark, target.desired
    if desired.forwards_between_peers and any(subnet.version == version for subnet in target.network.subnets):
        for one, other in desired.relayed_between:
            yield rule(f"-i {one} -o {other}", mark, "ACCEPT")
    for lan, interface in target.lan_interfaces.items():
        real = desired.host.real(lan)
        for tunnel in target.tunnels if lan.version == version else ():
            # Sources need no rule: WireGuard lets a peer send only from its allowed-ips.
            yield rule(f"-d {real} -i {tunnel} -o {interface}", mark, "ACCEPT")
            yield rule(f"-s {real} -i {interface} -o {tunnel}", mark, "ACCEPT")
    for net, out in _leaving(target, version):
        for tunnel in target.tunnels:
            yield rule(f"-s {net} -i {tunnel} -o {out}", mark, "ACCEPT")
            yield rule(f"-d {net} -i {out} -o {tunnel} -m conntrack --ctstate RELATED,ESTABLISHED", mark, "ACCEPT")


def _leaving(target: Target, version: int) -> Iterator[tuple[IPNetwork, str]]:
    """Sources that use the host as exit node, and its egress interface."""
    if out := target.egress(version):
        yield from ((net, out) for net in target.desired.exit_sources if net.version == version)


def _input(target: Target, version: int) -> Iterator[Rule]:
    host = target.desired.host
    ports = (host.listen_port, *(target.desired.ports.values() if host.relay else ()))
    for port in ports if version in _reached_over(target) else ():
        yield rule(f"-p udp -m udp --dport {port}", target.network.mark, "ACCEPT")
    yield from _hellos(target, version)


def _hellos(target: Target, version: int) -> Iterator[Rule]:
    """The pings by which spokes and other relays learn that a relay works."""
    own = [ip for ip in target.desired.host.addresses if ip.version == version]
    kind = "icmp -m icmp --icmp-type 8" if version == 4 else "ipv6-icmp -m icmp6 --icmpv6-type 128"
    for ip in own if target.desired.host.relay and len(target.tunnels) > 1 else ():
        if target.drained:
            # Spokes leave a relay that does not answer; what they send meanwhile it forwards.
            yield rule(f"-d {ip}/{ip.max_prefixlen} -i {target.tunnel} -p {kind}", target.network.mark, "DROP")
        for tunnel in target.tunnels:
            matches = (
                f"-d {ip}/{ip.max_prefixlen} -i {tunnel} -p {kind} -m limit --limit {HELLOS}/sec --limit-burst {HELLOS}"
            )
            yield rule(matches, target.network.mark, "ACCEPT")


HELLOS = 1000
"""Pings in a second that a relay lets in, whatever other rules say."""


def _reached_over(target: Target) -> set[int]:
    """IP versions that peers connect over; a name may resolve to either, where the network has both."""
    either = {4, 6} if target.network.ipv6 else {4}
    versions = ({way.version} if way.version else either for way in target.desired.host.all_ways)
    return {version for its in versions for version in its}


def _nat(target: Target, version: int) -> Iterator[Rule]:
    mark, host = target.network.mark, target.desired.host
    for m in target.desired.masquerade:
        if m.into.version == version:
            out = target.lan_interfaces[m.into]
            yield rule(f"-s {m.source} -d {host.real(m.into)} -o {out}", mark, "MASQUERADE")
    for net, out in _leaving(target, version):
        yield rule(f"-s {net} -o {out}", mark, "MASQUERADE")
    for name, lan in host.maps:
        for tunnel in target.tunnels if name.version == version else ():
            yield rule(f"-s {lan} -o {tunnel}", mark, f"NETMAP --to {name}")


def _maps(target: Target, version: int) -> Iterator[Rule]:
    for name, lan in target.desired.host.maps:
        for tunnel in target.tunnels if name.version == version else ():
            yield rule(f"-d {name} -i {tunnel}", target.network.mark, f"NETMAP --to {lan}")


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
    steps=tuple(map(step, (forward_rules, input_rules, masquerade, map_lans, clamp_mss, policy_chains))),
    have=_have,
    target=_target,
    functions=(
        *("note_table", "note_chain", "ensure_chain", "remove_jump", "drop_chain"),
        *("restate_chain", "track_connections", "end_rules"),
    ),
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
