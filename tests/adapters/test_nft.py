"""iptables rules that modify packets, as nft has them."""

from __future__ import annotations

import pytest

from wgorch.adapters.nft import translated
from wgorch.adapters.startup import digest
from wgorch.state.rules import Chain, Rule, rule

MARK = "wgorch:office"
NAT, MAP = Chain("nat", "POSTROUTING", "n"), Chain("nat", "PREROUTING", "m")
MSS, MSS6 = Chain("mangle", "FORWARD", "s"), Chain("mangle6", "FORWARD", "s")
SYN = "-o wg0 -p tcp -m tcp --tcp-flags SYN,RST SYN"
CLAMP = "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"


@pytest.mark.parametrize(
    ("chain", "given", "hook", "text"),
    [
        (
            NAT,
            rule("-s 192.168.2.0/24 -d 10.10.13.0/24 -o ens192", MARK, "MASQUERADE"),
            "postrouting",
            'ip saddr 192.168.2.0/24 ip daddr 10.10.13.0/24 oifname "ens192" masquerade',
        ),
        (
            NAT,
            rule("-s 10.10.13.0/24 -o wg0", MARK, "NETMAP --to 10.99.13.0/24"),
            "postrouting",
            'ip saddr 10.10.13.0/24 oifname "wg0" snat ip prefix to ip saddr map { 10.10.13.0/24 : 10.99.13.0/24 }',
        ),
        (
            MAP,
            rule("-d 10.99.13.0/24 -i wg0", MARK, "NETMAP --to 10.10.13.0/24"),
            "prerouting",
            'ip daddr 10.99.13.0/24 iifname "wg0" dnat ip prefix to ip daddr map { 10.99.13.0/24 : 10.10.13.0/24 }',
        ),
        (MSS, rule(SYN, MARK, "TCPMSS --clamp-mss-to-pmtu"), "forward", f'oifname "wg0" meta nfproto ipv4 {CLAMP}'),
        (MSS6, rule(SYN, MARK, "TCPMSS --clamp-mss-to-pmtu"), "forward", f'oifname "wg0" meta nfproto ipv6 {CLAMP}'),
    ],
)
def test_a_rule(chain: Chain, given: Rule, hook: str, text: str) -> None:
    assert {f"{hook} {digest(f'{hook} {text}')[:12]}": text} == translated({chain: (given,)})


def test_a_rule_that_only_accepts_has_no_place_there() -> None:
    assert {} == translated({Chain("filter", "FORWARD", "f"): (rule("-i wg0 -o wg0", MARK, "ACCEPT"),)})


def test_a_rule_without_a_translation_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="no nft rule for"):
        translated({NAT: (rule("-o wg0", MARK, "SNAT --to-source 10.0.0.1"),)})
