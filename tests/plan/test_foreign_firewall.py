"""What of others' rules certainly drops packets of the network, what only may, and what has nothing to do with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.interop.hosts import host
from wgorch.facts import firewall
from wgorch.gather.observed import Observed
from wgorch.inventory.assign import assign
from wgorch.inventory.load import load
from wgorch.plan.foreign_firewall import refusals
from wgorch.topology.topology import build

INVENTORIES = Path(__file__).parents[2] / "inventory"
TOPOLOGY = build(load(INVENTORIES / "home-company.yaml"))
DUAL = build(assign(load(INVENTORIES / "dual-stack.yaml")))
"""IPv4 and IPv6 inside, IPv6 outside."""
FACTS = {
    "bcc": ("bcc", "eth0 203.0.113.13/24", "eth0 203.0.113.1"),
    "home": ("home", "wlp2s0 192.168.0.9/24", "wlp2s0 192.168.0.1"),
    "company": ("company", "ens192 10.10.13.62/24", "ens192 10.10.13.1"),
}


def seen(name: str, *, iptables: str = "", nft: str = "") -> Observed:
    """A host with rules of others: lines of iptables-save, and of `nft list table`."""
    hostname, address, route = FACTS[name]
    device, gateway = route.split(" ")
    there = host(hostname, address, routes=(f"0.0.0.0/0 {gateway} {device}",))
    return replace(there, firewall=firewall.read({"rules": iptables.split("\n"), "foreign-nft": nft.split("\n")}))


def found(name: str, *, iptables: str = "", nft: str = "") -> list[str]:
    desired = TOPOLOGY.desired(name)
    return [f"{r.packets.what}: {r.place} {r.why}" for r in refusals(desired, seen(name, iptables=iptables, nft=nft))]


def chain(rules: str, hook: str = "forward", policy: str = "accept", family: str = "inet", more: str = "") -> str:
    lines = [f"\t\t{rule.strip()}" for rule in rules.split(";") if rule.strip()]
    head = (
        f"table {family} fort {{\n{more}\tchain c {{\n\t\ttype filter hook {hook} priority filter; policy {policy};\n"
    )
    return head + "\n".join(lines) + "\n\t}\n}"


def iptables(table: str, chain: str, rules: str, policy: str = "ACCEPT", more: str = "") -> str:
    lines = [f"-A {chain} {rule.strip()}" for rule in rules.split(";") if rule.strip()]
    return "\n".join([f"*{table}", f":{chain} {policy} [0:0]", *([more] if more else []), *lines, "COMMIT"])


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("accept", False),
        ('iifname "eth0" oifname "wg0" accept', True),
        ('iifname "wg0" accept', False),
        ('iifname "wg*" oifname "wg0" accept', False),
        ('iifname { "eth1", "wg0" } accept', False),
        ('iifname != "eth0" accept', False),
        ("ip saddr 192.168.2.0/24 accept", False),
        ("ct state new ip saddr @trusted accept", False),
        ("meta l4proto icmp accept", False),
        ("ct state established,related accept", True),
        ("ct state vmap { established : accept, related : accept, invalid : drop }", True),
        ("ct state vmap { established : accept, new : accept }", False),
        ('iifname "docker0" accept', True),
        ('iifname "eth1" oifname "eth0" accept', True),
        ("tcp dport 80 accept", True),
        ("ip saddr 10.9.0.0/16 accept", True),
        ("ip6 saddr fd00::/8 accept", True),
        ("limit rate 10/second accept", False),
        ("jump d", True),
    ],
)
def test_what_may_let_tunnel_traffic_pass(rule: str, dropped: bool) -> None:
    said = [line for line in found("bcc", nft=chain(rule, policy="drop")) if "TCP" not in line]
    assert bool(said) is dropped, said


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("udp dport 38371 accept", False),
        ("udp dport { 53, 38371 } accept", False),
        ("udp dport 38000-39000 accept", False),
        ("udp dport @open accept", False),
        ('iifname "eth0" accept', False),
        ("ip saddr 10.0.0.0/8 accept", False),
        ("meta l4proto { tcp, udp } th dport { 22, 38371 } accept", False),
        ("meta l4proto . th dport vmap { tcp . 22 : accept, udp . 38371 : accept }", False),
        ("udp dport != 53 counter packets 3 bytes 9 accept", False),
        ("udp dport 53 accept", True),
        ("tcp dport 38371 accept", True),
        ('iif "lo" accept', True),
        ('iifname "lo" accept', True),
        ("ct state established,related accept", True),
        ("icmp type echo-request accept", True),
        ("meta l4proto ipv6-icmp accept", True),
    ],
)
def test_what_may_let_wireguard_in(rule: str, dropped: bool) -> None:
    said = [line for line in found("bcc", nft=chain(rule, "input", "drop")) if "UDP" in line]
    assert bool(said) is dropped, said


@pytest.mark.parametrize(
    ("name", "nft", "words"),
    [
        ("bcc", chain('iifname "wg0" drop'), "forward packets of wg0"),
        ("bcc", chain('iifname "wg0" jump d', more="\tchain d {\n\t\tdrop\n\t}\n"), "drop (in chain d)"),
        ("bcc", chain('iifname vmap { "wg0" : drop }'), "forward packets of wg0"),
        ("bcc", chain('tcp dport 80 accept; counter drop comment "rest"'), "forward packets of wg0"),
        ("bcc", chain('iifname "wg0" drop', "prerouting"), "chain c of nft table inet fort"),
        ("bcc", chain('oifname "wg0" reject', "postrouting"), "chain c of nft table inet fort"),
        ("bcc", chain("udp dport != 53 drop", "input"), "receive UDP 38371"),
        ("bcc", chain("udp dport 38371 drop", 'ingress device "eth0"', family="netdev"), "receive UDP 38371"),
        ("bcc", chain("ip saddr 192.168.2.2 drop"), "forward packets from home"),
        ("bcc", chain("ip daddr { 192.168.2.3, 10.10.13.0/24 } drop"), "forward packets to company"),
        ("home", chain('tcp dport 22 accept; iifname "lo" accept', "input", "drop"), "receive UDP"),
        ("home", chain("udp dport 38371 drop", "output"), "send UDP"),
        ("company", chain('oifname "ens192" drop'), "forward packets of wg0"),
    ],
)
def test_foreign_nft_rules_that_drop_are_found(name: str, nft: str, words: str) -> None:
    assert [line for line in found(name, nft=nft) if words in line], found(name, nft=nft)


@pytest.mark.parametrize(
    ("name", "rules", "words"),
    [
        ("bcc", iptables("raw", "PREROUTING", "-p udp -m udp --dport 38371 -j DROP"), "receive UDP 38371"),
        ("bcc", iptables("raw", "PREROUTING", "-s 192.168.2.2/32 -j DROP"), "forward packets from home"),
        ("bcc", iptables("mangle", "FORWARD", "-i wg0 -j DROP"), "forward packets of wg0"),
        ("bcc", iptables("security", "FORWARD", "-i wg0 -j DROP"), "table security, chain FORWARD"),
        (
            "bcc",
            iptables("mangle", "INPUT", "-j F", more=":F - [0:0]\n-A F -p udp -j DROP"),
            "-p udp -j DROP (in chain F)",
        ),
        ("company", iptables("mangle", "POSTROUTING", "-d 10.10.13.0/24 -j DROP"), "forward packets of wg0"),
        ("company", iptables("filter", "INPUT", "-p udp -m udp --dport 51820 -j DROP"), "receive UDP 51820"),
        ("home", iptables("filter", "INPUT", "-i wg0 -j DROP"), "receive replies through wg0"),
        ("home", iptables("filter", "OUTPUT", "-p udp -m udp --dport 38371 -j DROP"), "send UDP to bcc"),
        ("home", iptables("filter", "INPUT", "-i lo -j ACCEPT;-p tcp --dport 22 -j ACCEPT", "DROP"), "receive UDP"),
    ],
)
def test_iptables_rules_that_drop_are_found_in_every_table(name: str, rules: str, words: str) -> None:
    assert [line for line in found(name, iptables=rules) if words in line], found(name, iptables=rules)


@pytest.mark.parametrize(
    "rules",
    [
        chain('iifname "docker0" drop'),
        chain("drop", family="ip6"),
        chain("drop", family="bridge"),
        chain("drop", family="arp", hook="input"),
        chain("drop", more="\tflags dormant\n"),
        chain("ct state invalid drop"),
        chain("tcp dport 25 drop"),
        chain("ip saddr @blocked drop", "input"),
        chain("limit rate over 10/second drop", "input"),
        chain("", policy="accept"),
        chain('iifname "wg0" accept; drop'),
        chain('meta nfproto ipv6 drop; oifname "wg1" drop'),
        chain("fib daddr type broadcast drop", "prerouting"),
        chain('iifname "eth1" udp dport 38371 drop', "input"),
    ],
)
def test_nft_rules_that_cannot_or_may_not_drop_refuse_nothing(rules: str) -> None:
    assert found("bcc", nft=rules) == []


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("bcc", iptables("filter", "FORWARD", "-i wg0 -j DROP")),  # wgorch's own chain comes before it
        ("bcc", iptables("filter", "INPUT", "-i lo -j ACCEPT", "DROP")),  # its UDP, too; replies may pass
        ("bcc", iptables("raw", "PREROUTING", "-i docker0 -j DROP")),
        ("bcc", iptables("raw", "PREROUTING", "-p tcp -m tcp --dport 25 -j DROP")),
        ("bcc", iptables("raw", "PREROUTING", "-m set --match-set blocked src -j DROP")),
        ("bcc", iptables("mangle", "PREROUTING", "-p udp -j MARK --set-mark 1")),
        (
            "bcc",
            iptables("raw", "PREROUTING", "-p udp -m udp --dport 38371 -m hashlimit --hashlimit-above 9/s -j DROP"),
        ),
        ("home", iptables("filter", "INPUT", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "DROP")),
        ("home", iptables("filter", "OUTPUT", "! -o wlp2s0 -p udp -j DROP;-p tcp -j DROP")),
        ("home", iptables("filter", "INPUT", "-p tcp -j RETURN;-p tcp -j DROP")),
        (
            "home",
            iptables(
                "filter",
                "INPUT",
                "-j R;-m conntrack --ctstate INVALID -j DROP",
                more=":R - [0:0]\n-A R -j RETURN\n-A R -j DROP",
            ),
        ),
    ],
)
def test_iptables_rules_that_cannot_or_may_not_drop_refuse_nothing(name: str, rules: str) -> None:
    assert [line for line in found(name, iptables=rules) if "replies" not in line or name != "bcc"] == []


def test_a_remedy_is_the_owners() -> None:
    def hints(rules: str) -> str:
        return "\n".join(r.hint for r in refusals(TOPOLOGY.desired("bcc"), seen("bcc", iptables=rules)))

    own = iptables("raw", "PREROUTING", "-p udp -m udp --dport 38371 -j DROP")
    assert "iptables -t raw -D PREROUTING -p udp -m udp --dport 38371 -j DROP" in hints(own)
    csf = iptables("mangle", "INPUT", "-j LOCALINPUT", more=":LOCALINPUT - [0:0]\n-A LOCALINPUT -j DROP")
    assert "the chain is CSF's" in hints(csf)


def test_chains_that_jump_to_each_other_take_no_time() -> None:
    """Forty chains, each with forty jumps to the next one; and a loop, which no kernel loads."""
    names = [f"C{n}" for n in range(40)]
    lines = [f"-A {one} -j {two}" for one, two in zip(names, [*names[1:], "C0"], strict=True) for _ in range(40)]
    more = "\n".join([*(f":{name} - [0:0]" for name in names), *lines])
    assert found("bcc", iptables=iptables("raw", "PREROUTING", "-j C0", more=more)) == []


def test_chains_whose_rules_were_left_out_may_do_anything() -> None:
    rules = iptables("filter", "INPUT", "-j ufw-before-input", "DROP", more=":ufw-before-input - [0:0]")
    assert [line for line in found("home", iptables=rules) if "receive UDP" in line]
    assert found("home", iptables=f"# left out\n{rules}") == []


def found_in_dual(name: str, *, iptables: str = "", ip6tables: str = "", nft: str = "") -> list[str]:
    texts = {"rules": iptables, "rules6": ip6tables, "foreign-nft": nft}
    there = replace(seen(name), firewall=firewall.read({part: text.split("\n") for part, text in texts.items()}))
    return [f"{r.packets.what}: {r.place} {r.why}" for r in refusals(DUAL.desired(name), there)]


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("bcc", iptables("raw", "PREROUTING", "-p udp -m udp --dport 38371 -j DROP")),
        ("home", iptables("raw", "OUTPUT", "-d 2001:db8:13::13/128 -p udp -j DROP")),
        ("home", iptables("filter", "INPUT", "-s 2001:db8::/32 -p udp -m udp --sport 38371 -j REJECT")),
        ("bcc", iptables("mangle", "FORWARD", "-i wg0 -j DROP")),
        ("bcc", iptables("security", "FORWARD", "-s fd00:2::/64 -p ipv6-icmp -j DROP")),
        ("company", iptables("mangle", "POSTROUTING", "-d fd10:13::/64 -o ens192 -j DROP")),
    ],
)
def test_rules_of_ip6tables(name: str, rules: str) -> None:
    said = found_in_dual(name, ip6tables=rules)
    assert said
    assert all("ip6tables table " in line for line in said), said


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("bcc", chain("meta l4proto ipv6-icmp drop", family="inet")),
        ("bcc", chain("icmpv6 type echo-request drop; ip6 saddr fd00:2::/64 drop", family="ip6")),
        ("bcc", chain("meta nfproto ipv6 drop")),
        ("bcc", chain("udp dport 38371 drop", hook="input")),
        ("company", chain('oifname "ens192" ip6 daddr fd10:13::/64 drop', hook="postrouting")),
    ],
)
def test_nft_rules_for_ipv6(name: str, rules: str) -> None:
    assert found_in_dual(name, nft=rules)


def test_rules_of_the_other_version_are_nothing() -> None:
    udp = iptables("raw", "PREROUTING", "-p udp -m udp --dport 38371 -j DROP")
    assert found_in_dual("bcc", iptables=udp) == [], "WireGuard's own packets are of IPv6 there"
    assert found_in_dual("bcc", ip6tables=iptables("mangle", "FORWARD", "-s fd99::/64 -j DROP")) == []
    assert found_in_dual("bcc", nft=chain("ip6 saddr fd99::/64 drop", family="ip6")) == []
    closed = found_in_dual("bcc", ip6tables=iptables("filter", "INPUT", "-p tcp -j ACCEPT", "DROP"))
    assert not any("UDP" in line for line in closed), "wgorch's own rule lets it in"
