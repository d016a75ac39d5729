"""A jump's place: rules above it count that may take packets from the managed chain."""

from __future__ import annotations

import pytest

from wgorch.facts import firewall
from wgorch.facts.jumps import jump_places
from wgorch.inventory.model import Network
from wgorch.state.rules import our_chains

NETWORK = Network("office", ())
FORWARD, INPUT, NAT, MSS, *_ = our_chains(NETWORK, 4)
CHAINS = {
    "forward": (FORWARD, "-i wg0 -o wg0 -j ACCEPT"),
    "input": (INPUT, "-p udp -m udp --dport 38371 -j ACCEPT"),
    "nat": (NAT, "-s 192.168.2.0/24 -d 10.10.13.0/24 -o ens192 -j MASQUERADE"),
    "mss": (MSS, "-o wg0 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"),
}


def place(name: str, above: str, *more: str) -> tuple[int, ...]:
    chain, rule = CHAINS[name]
    comment = f"-m comment --comment {NETWORK.mark}"
    own = rule.replace(" -j ", f" {comment} -j ")
    others = [f":{line.split(' ')[1]} - [0:0]" for line in more]
    lines = [
        f"*{chain.table}",
        f":{chain.parent} ACCEPT [0:0]",
        f":{chain.name} - [0:0]",
        *dict.fromkeys(others),
        f"-A {chain.parent} {above}",
        f"-A {chain.parent} {comment} -j {chain.name}",
        f"-A {chain.name} {own}",
        *more,
        "COMMIT",
    ]
    return tuple(jump_places(firewall.read({"rules": lines}), NETWORK.mark, chain))


@pytest.mark.parametrize(
    ("name", "above", "more"),
    [
        ("input", "-p tcp -m multiport --dports 22 -j f2b-sshd", ["-A f2b-sshd -s 192.0.2.9/32 -j REJECT"]),
        ("input", "-p tcp -m tcp --dport 25 -j DROP", []),
        ("input", "-p udp -m udp --dport 53 -j DROP", []),
        ("input", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", []),
        ("input", "-m conntrack --ctstate INVALID -j DROP", []),
        ("input", "-j LOG --log-prefix x", []),
        ("forward", "-i docker0 -j DROP", []),
        ("forward", "-i eth0 -o eth0 -j DROP", []),
        ("forward", "-i wg0 -o wg0 -j ACCEPT", []),
        ("forward", "-s 10.9.0.0/16 -j ACCEPT", []),
        ("forward", "-j FOO", ["-A FOO -i docker0 -j DROP", "-A FOO -j RETURN"]),
        ("forward", "-j KUBE-FORWARD", ["-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT"]),
        ("forward", "-j LIBVIRT_FWO", ["-A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable"]),
        ("forward", "! -i wg+ -j DROP", []),
        ("nat", "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", []),
        ("nat", "-o eth9 -j SNAT --to-source 192.0.2.1", []),
        ("nat", "-o ens192 -j MASQUERADE", []),
        ("mss", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300", []),
        ("mss", "-i wg0 -j DROP", []),
        ("mss", "-j FOO", ["-A FOO -o wg0 -j DROP"]),
    ],
)
def test_a_rule_that_cannot_take_our_packets_does_not_count(name: str, above: str, more: list[str]) -> None:
    assert place(name, above, *more) == (1,)


@pytest.mark.parametrize(
    ("name", "above", "more"),
    [
        ("input", "-p udp -m udp --dport 38371 -j DROP", []),
        ("input", "-p udp -m multiport --dports 1:65535 -j DROP", []),
        ("input", "-s 45.0.0.0/8 -j DROP", []),
        ("input", "-j CSFIN", ["-A CSFIN ! -i lo -p udp -j DROP"]),
        ("forward", "-j FOO", ["-A FOO -s 192.168.2.0/24 -j DROP"]),
        ("forward", "-j FOO", ["-A FOO -j BAR", "-A BAR -i wg+ -j REJECT"]),
        ("forward", "-i wg0 -p tcp -m tcp --dport 25 -j DROP", []),
        ("forward", "-j NFQUEUE --queue-num 0", []),
        ("nat", "-o ens192 -j ACCEPT", []),
        ("mss", "-o wg0 -j ACCEPT", []),
        ("mss", "-j FOO", ["-A FOO -p tcp -j ACCEPT"]),
        ("nat", "-o ens192 -j SNAT --to-source 10.10.13.99", []),
        ("nat", "-j FOO", ["-A FOO -d 10.10.13.61/32 -j RETURN", "-A FOO -j ACCEPT"]),
    ],
)
def test_a_rule_that_may_take_them_counts(name: str, above: str, more: list[str]) -> None:
    assert place(name, above, *more) == (2,)
