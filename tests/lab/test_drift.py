"""Drift: whatever of ours was changed by hand is named with host and object, and `up` makes just that one change."""

from __future__ import annotations

import json

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab

pytestmark = pytest.mark.slow(50)

MUTATIONS = {
    "interface gone": ("home", "ip link delete wg0", "interface wg0"),
    "interface down": ("home", "ip link set wg0 down", "interface wg0"),
    "address gone": ("bcc", "ip address delete 192.168.2.1/24 dev wg0", "address 192.168.2.1/24"),
    "address added": ("bcc", "ip address add 192.168.9.1/24 dev wg0", "address 192.168.9.1/24"),
    "MTU": ("company", "ip link set wg0 mtu 1300", "MTU of wg0"),
    "port": ("bcc", "wg set wg0 listen-port 4444", "port of wg0"),
    "peer gone": (
        "bcc",
        "wg set wg0 peer $(wg show wg0 allowed-ips | grep 192.168.2.2/32 | cut -f1) remove",
        "peer home",
    ),
    "peer added": ("bcc", "wg set wg0 peer $(wg genkey | wg pubkey) allowed-ips 192.168.2.77/32", "peer "),
    "allowed-ips": ("home", "wg set wg0 peer $(wg show wg0 peers) allowed-ips 192.168.2.0/24", "peer bcc"),
    "endpoint": ("home", "wg set wg0 peer $(wg show wg0 peers) endpoint 203.0.113.99:38371", "peer bcc"),
    "keepalive": ("company", "wg set wg0 peer $(wg show wg0 peers) persistent-keepalive 0", "peer bcc"),
    "route gone": ("home", "ip route delete 10.10.13.0/24", "route 10.10.13.0/24"),
    "route added": ("home", "ip route add 10.99.0.0/24 dev wg0 proto 119", "route 10.99.0.0/24"),
    "rule gone": ("company", "iptables -D wgorch-office-fwd 1", "chain wgorch-office-fwd"),
    "chain emptied": ("company", "iptables -t nat -F wgorch-office-nat", "chain wgorch-office-nat"),
    "jump gone": ("bcc", "iptables -D FORWARD 1", "jump to wgorch-office-fwd"),
    "jump shadowed": ("bcc", "iptables -I FORWARD 1 -j DROP", "jump to wgorch-office-fwd"),
    "jump twice": (
        "bcc",
        "iptables -A FORWARD -m comment --comment wgorch:office -j wgorch-office-fwd",
        "jump to wgorch-office-fwd",
    ),
    "sysctl": (
        "company",
        "echo 0 >/proc/sys/net/ipv4/conf/ens192/forwarding",
        "sysctl net.ipv4.conf.ens192.forwarding",
    ),
    "unit disabled": ("home", "systemctl disable --quiet wgorch-office", "unit wgorch-office.service"),
    "boot script": ("home", "echo '# by hand' >>/var/lib/wgorch/office/boot", "boot script"),
    "key readable": ("home", "chmod 644 /var/lib/wgorch/office/private_key", "private key"),
}
LEFT_BY_THE_TEST = {"jump shadowed": ("bcc", "iptables -D FORWARD -j DROP")}


def test_every_mutation_is_named_and_mended_by_one_change(network: Lab) -> None:
    untouched = json.loads(network.wgorch("status", INVENTORY, "--json").stdout)
    assert [] == [d for h in untouched["hosts"].values() for d in h["drift"]]

    for name in draw(sorted(MUTATIONS), 6):
        host, command, what = MUTATIONS[name]
        network.world.sh(host, command)
        status = json.loads(network.wgorch("status", INVENTORY, "--json", code=2).stdout)
        found = {h: [d["object"] for d in told["drift"]] for h, told in status["hosts"].items() if told["drift"]}

        if name in ("interface gone", "interface down", "address gone"):  # what lay on it went with it
            assert [host] == list(found), name
            assert what in found[host]
        else:
            assert [host] == list(found), name
            assert 1 == len(found[host]), (name, found)
            assert found[host][0].startswith(what), (name, found)

        network.up()
        assert "No changes." in network.wgorch("plan", INVENTORY).stdout, name
        if name in LEFT_BY_THE_TEST:
            network.world.sh(*LEFT_BY_THE_TEST[name])


def test_an_endpoint_learned_by_roaming_is_no_drift(network: Lab) -> None:
    move = "ip address delete {}/27 dev wan && ip address add {}/27 dev wan && ip route add default via 198.51.100.33 && conntrack -F"
    network.world.sh("home-router", move.format("198.51.100.34", "198.51.100.35"))
    try:
        learned = network.wait(
            lambda: "198.51.100.35" in network.world.sh("bcc", "wg show wg0 endpoints"),
            30,
            "bcc learns home's new address",
        )
        assert "No changes." in network.wgorch("plan", INVENTORY).stdout
        assert learned < 15 + 5  # one keepalive, and a little
    finally:
        network.world.sh("home-router", move.format("198.51.100.35", "198.51.100.34"))


@pytest.mark.parametrize("host", HOSTS[:1])
def test_a_foreign_rule_below_ours_is_a_note_and_no_change(network: Lab, host: str) -> None:
    network.world.sh(host, "iptables -A wgorch-office-fwd -s 10.1.2.3/32 -j DROP")
    plan = network.wgorch("plan", INVENTORY)
    network.world.sh(host, "iptables -D wgorch-office-fwd -s 10.1.2.3/32 -j DROP")

    assert "not managed by wgorch, kept in chain wgorch-office-fwd" in plan.stdout
