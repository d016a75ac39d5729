"""Masquerade, mapped LANs and MSS in one nft table of our own, where there is no iptables or firewalld flushes it; stated whole.

What lets packets through is not in it: an accept there would not keep another table from dropping them.
"""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.nft import HOOKS
from wgorch.state.change import Change, change, command
from wgorch.state.state import State


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
