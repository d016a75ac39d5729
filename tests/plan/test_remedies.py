"""Commands that let packets pass: complete, quoted, and for both directions."""

from __future__ import annotations

import pytest

from wgorch.plan.remedies import iptables_remedy, nft_rule_remedy, through


@pytest.mark.parametrize(
    ("table", "chain", "commands"),
    [
        (
            "filter",
            "FORWARD",
            ["iptables -t filter -I FORWARD -i wg0 -j ACCEPT", "iptables -t filter -I FORWARD -o wg0 -j ACCEPT"],
        ),
        ("filter6", "INPUT", ["ip6tables -t filter -I INPUT -i wg0 -j ACCEPT"]),
        ("mangle", "POSTROUTING", ["iptables -t mangle -I POSTROUTING -o wg0 -j ACCEPT"]),
    ],
)
def test_a_policy_is_answered_for_a_gateway_and_a_relay(table: str, chain: str, commands: list[str]) -> None:
    lines = [
        line.strip() for line in iptables_remedy(table, chain, "policy drop", through("wg0", chain, 4)).split("\n")
    ]
    assert [*commands, "and in the rules that are loaded at a start"] == lines


def test_a_rule_of_a_host_is_quoted_word_by_word() -> None:
    rule = '-s 10.0.0.0/8 -m comment --comment "$(id) `id`" -j DROP'
    first = iptables_remedy("filter", "INPUT", rule, through("wg0", "INPUT", 4)).split("\n")[0]
    assert first == "iptables -t filter -D INPUT -s 10.0.0.0/8 -m comment --comment '$(id) `id`' -j DROP"
    broken = iptables_remedy("filter", "INPUT", '-m comment --comment "open', through("wg0", "INPUT", 4))
    assert broken.startswith("iptables -t filter -S INPUT\n")


def test_a_rule_of_nft_is_deleted_by_its_handle() -> None:
    assert nft_rule_remedy(["inet", "a;b", "c"], 7).startswith("nft delete rule inet 'a;b' c handle 7\n")
    assert nft_rule_remedy(["inet", "a", "c"], 0).startswith("nft -a list chain inet a c\n")
