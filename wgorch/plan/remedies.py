"""Commands that let packets pass a firewall of others, to be pasted on the host; or whose rule it is."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.base.sh import quote_words
from wgorch.base.text import hint_lines
from wgorch.facts.firewall import BaseChain, split_rule
from wgorch.facts.grammar import NotAnAnswer
from wgorch.facts.owners import chain_owner
from wgorch.facts.packets import Packets
from wgorch.state.rules import tool

IPTABLES_LASTS = "and in the rules that are loaded at a start"
NFT_LASTS = "and where that table is defined (/etc/nftables.conf?)"


def through(tunnel: str, chain: str, version: int) -> Packets:
    """What the tunnel sends through a chain of iptables or nft, by the chain's name; forwarded to any interface."""
    if chain.lower() in ("output", "postrouting"):
        return Packets("", "", tunnel, version=version)
    return Packets("", tunnel, "", version=version)


def iptables_remedy(table: str, chain: str, rule: str, packets: Packets) -> str:
    """What lets packets pass a rule of a chain, or its policy; `rule` may name the chain inside it that has the rule."""
    inside = rule.partition("(in chain ")[2]
    if owner := chain_owner(inside or chain):
        return f"the chain is {owner}'s: allow it there, or {owner} puts the rule back"
    command = [tool(table), "-t", table.removesuffix("6")]
    if rule.startswith("policy"):
        accepts = (quote_words([*command, "-I", chain, *match, "-j", "ACCEPT"]) for match in _matches(packets, chain))
        return hint_lines(*accepts, IPTABLES_LASTS)
    words = _words(rule)
    if inside or not words:
        shows = quote_words([*command, "-S", inside.rstrip(")") or chain])
        return hint_lines(shows, "shows it; delete it with -D in the place of -A", IPTABLES_LASTS)
    return hint_lines(quote_words([*command, "-D", chain, *words]), IPTABLES_LASTS)


def _words(rule: str) -> list[str]:
    """The words of a rule as iptables-save prints it; none where it cannot be split."""
    try:
        return split_rule(rule)
    except NotAnAnswer:
        return []


def _matches(packets: Packets, chain: str) -> Iterator[list[str]]:
    """Matches of iptables that packets fit, one for each rule that is needed."""
    if packets.protocol == "udp" and packets.destination_port:
        yield ["-p", "udp", "--dport", str(packets.destination_port)]
    elif packets.protocol == "udp":
        yield ["-p", "udp", "--sport", str(packets.source_port)]
    elif packets.is_forwarded or chain == "FORWARD":
        for one, other in _directions(packets):
            yield [*(["-i", one] if one else []), *(["-o", other] if other else [])]
    elif packets.interface_in:
        yield ["-i", packets.interface_in]
    else:
        yield ["-o", packets.interface_out]


def _directions(packets: Packets) -> Iterator[tuple[str, str]]:
    """The interfaces of forwarded packets and of their replies."""
    both = (packets.interface_in, packets.interface_out), (packets.interface_out, packets.interface_in)
    yield from dict.fromkeys(both)


def nft_remedy(chain: BaseChain, packets: Packets) -> str:
    """What lets packets pass a chain of nft, before the rule or the policy that drops them."""
    place = [*chain.table.split(" "), chain.name]
    rules = (quote_words(["nft", "insert", "rule", *place, *match, "accept"]) for match in _nft_matches(chain, packets))
    return hint_lines(*rules, NFT_LASTS)


def nft_rule_remedy(place: list[str], handle: int) -> str:
    """What deletes a rule of nft; `place`: family, table and chain; `handle`: 0 where it is not known."""
    if handle:
        return hint_lines(quote_words(["nft", "delete", "rule", *place, "handle", str(handle)]), NFT_LASTS)
    shows = quote_words(["nft", "-a", "list", "chain", *place])
    return hint_lines(shows, "shows its handle; nft delete rule … handle N", NFT_LASTS)


def _nft_matches(chain: BaseChain, packets: Packets) -> Iterator[list[str]]:
    if chain.hook == "forward":
        for one, other in _directions(packets):
            yield [*(["iifname", one] if one else []), *(["oifname", other] if other else [])]
    elif packets.protocol == "udp" and packets.destination_port and chain.hook in ("ingress", "prerouting", "input"):
        yield ["udp", "dport", str(packets.destination_port)]
    elif packets.protocol == "udp":
        yield ["udp", "sport", str(packets.source_port)]
    elif packets.interface_in:
        yield ["iifname", packets.interface_in]
    else:
        yield ["oifname", packets.interface_out]
