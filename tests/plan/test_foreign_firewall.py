"""What of somebody's firewall certainly drops us, and what only may."""

from __future__ import annotations

import pytest

from wgorch.plan.foreign_firewall import may_enter, may_pass


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        ("accept", True),
        ('iifname "eth0" oifname "wg0" accept', True),
        ('iifname "wg0" accept', True),
        ('iifname "wg*" oifname "eth0" accept', True),
        ('iifname { "eth1", "wg0" } accept', True),
        ("ip saddr 192.168.2.0/24 accept", True),
        ("ct state new ip saddr @trusted accept", True),
        ("ct state established,related accept", False),
        ('iifname "docker0" accept', False),
        ('iifname "eth1" oifname "eth0" accept', False),
        ("tcp dport 80 accept", False),
        ("icmp type echo-request accept", False),
    ],
)
def test_whatmay_let_tunnel_traffic_pass(rule: str, passes: bool) -> None:
    assert may_pass(rule, "wg0") is passes


@pytest.mark.parametrize(
    ("rule", "enters"),
    [
        ("udp dport 51820 accept", True),
        ("udp dport { 53, 51820 } accept", True),
        ("udp dport 51000-52000 accept", True),
        ("udp dport @open accept", True),
        ('iifname "eth0" accept', True),
        ("ip saddr 10.0.0.0/8 accept", True),
        ("udp dport 53 accept", False),
        ("tcp dport 51820 accept", False),
        ('iif "lo" accept', False),
        ('iifname "lo" accept', False),
        ("ct state established,related accept", False),
        ("icmp type echo-request accept", False),
        ("meta l4proto ipv6-icmp accept", False),
    ],
)
def test_whatmay_let_wireguard_in(rule: str, enters: bool) -> None:
    assert may_enter(rule, 51820) is enters
