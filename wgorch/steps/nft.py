"""Masquerade, mapped LANs and MSS in one nft table of our own, where there is no iptables or firewalld flushes it; stated whole.

What lets packets through is not in it: an accept there would not keep another table from dropping them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wgorch.command import Change, change, command
from wgorch.state import Chain, Rule, State
from wgorch.unit import digest

HOOKS = {
    "postrouting": "type nat hook postrouting priority 95; policy accept;",
    "prerouting": "type nat hook prerouting priority -105; policy accept;",
    "forward": "type filter hook forward priority -155; policy accept;",
}
"""The chains of our table, each a little before those that others commonly have at its hook."""


def nft_table(want: State, have: State) -> Iterator[Change]:
    if want.nft.keys() == have.nft.keys():
        return
    name = f"wgorch-{want.network}"
    making = [f"table inet {name}", f"delete table inet {name}"]
    if not want.nft:
        yield change("-", f"nft table {name}", "no longer wanted", command("nft", "-f", "-", stdin="\n".join(making)))
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
    told = [f"it lacks “{text}”" for text in lacking] + [f"it should not have “{text}”" for text in extra]
    why = "masquerade and MSS are nft's there" if not have.nft else "; ".join(told)
    putting = command("nft", "-f", "-", stdin="\n".join(making))
    yield change("~" if have.nft else "+", f"nft table {name}", why, putting)


def _line(key: str, text: str, mark: str) -> str:
    """A rule with our mark and its digest; one of others, which only a way back has, as it was."""
    tag = key.rpartition(" ")[2]
    return text if tag.startswith("!") else f'{text} comment "{mark} {tag}"'


def translated(chains: Mapping[Chain, tuple[Rule, ...]]) -> dict[str, str]:
    """The rules of our iptables chains that change packets, as nft has them: by hook and digest, in order."""
    found = {}
    for chain, rules in chains.items():
        hook = {"nat": chain.parent.lower(), "mangle": "forward"}.get(chain.table.removesuffix("6"))
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
    if target[0] == "MASQUERADE":
        match.append("masquerade")
    elif target[0] == "NETMAP":
        verb, end = ("snat", "saddr") if "-s" in of else ("dnat", "daddr")
        real = of["-s"] if "-s" in of else of["-d"]
        match.append(f"{verb} {family} prefix to {family} {end} map {{ {real} : {target[-1]} }}")
    elif target[0] == "TCPMSS":
        match.append(f"meta nfproto {'ipv6' if family == 'ip6' else 'ipv4'}")
        match.append("tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu")
    else:
        raise AssertionError(f"{rule} has no place in an nft table")
    return " ".join(match)
