"""nft, where there is no iptables or firewalld flushes it: rules that modify packets, translated from iptables."""

from __future__ import annotations

from collections.abc import Mapping

from wgorch.adapters.startup import digest
from wgorch.state.rules import Chain, Rule

HOOKS = {
    "postrouting": "type nat hook postrouting priority 95; policy accept;",
    "prerouting": "type nat hook prerouting priority -105; policy accept;",
    "forward": "type filter hook forward priority -155; policy accept;",
    "input": "type filter hook input priority -155; policy accept;",
}
"""Base chains of the managed table, each just before the priority that is usual at its hook."""


def translated(chains: Mapping[Chain, tuple[Rule, ...]]) -> dict[str, str]:
    """nft rules equivalent to the iptables rules that modify packets, in order; a key is ``HOOK DIGEST``."""
    found = {}
    for chain, rules in chains.items():
        hook = {"nat": chain.parent.lower(), "mangle": "forward"}.get(chain.table.removesuffix("6"))
        if chain.parent == "INPUT":
            hook, rules = "input", tuple(rule for rule in rules if rule.words[-1] == "DROP")
        for rule in rules if hook else ():
            text = _translate(rule, "ip6" if chain.table.endswith("6") else "ip")
            found[f"{hook} {digest(f'{hook} {text}')[:12]}"] = text
    return found


def _translate(rule: Rule, family: str) -> str:
    words = rule.words[: rule.words.index("-m")] if "-m" in rule.words else rule.words
    of = dict(zip(words[::2], words[1::2], strict=False))
    target = rule.words[rule.words.index("-j") + 1 :]
    match = [f"{family} saddr {of['-s']}"] if "-s" in of else []
    match += [f"{family} daddr {of['-d']}"] if "-d" in of else []
    match += [f'iifname "{of["-i"]}"'] if "-i" in of else []
    match += [f'oifname "{of["-o"]}"'] if "-o" in of else []
    if target[0] == "DROP":
        match.append(f"{'icmp' if family == 'ip' else 'icmpv6'} type echo-request drop")
    elif target[0] == "MASQUERADE":
        match.append("masquerade")
    elif target[0] == "NETMAP":
        verb, end = ("snat", "saddr") if "-s" in of else ("dnat", "daddr")
        real = of["-s"] if "-s" in of else of["-d"]
        match.append(f"{verb} {family} prefix to {family} {end} map {{ {real} : {target[-1]} }}")
    elif target[0] == "TCPMSS":
        match.append(f"meta nfproto {'ipv6' if family == 'ip6' else 'ipv4'}")
        match.append("tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu")
    else:
        raise AssertionError(f"no nft rule for {rule}")
    return " ".join(match)
