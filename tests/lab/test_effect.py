"""Rules of others on real hosts: what drops the network's packets is named with its host, and what cannot is no drift."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.conftest import draw
from tests.lab.conftest import INVENTORY, ROOT, Lab
from wgorch.inventory.load import load
from wgorch.rehearsal.inventory_world import InventoryWorld, world_of

pytestmark = pytest.mark.slow(100)


class Row(NamedTuple):
    """Commands on a host, and how they are undone. `certain`: plan refuses; else trace alone names it."""

    host: str
    do: str
    undo: str
    certain: bool = True


def ipt(host: str, table: str, chain: str, rule: str, *, certain: bool = True) -> Row:
    return Row(host, f"iptables -t {table} -I {chain} {rule}", f"iptables -t {table} -D {chain} {rule}", certain)


def nft(host: str, rules: str, family: str = "inet", *, certain: bool = True) -> Row:
    return Row(
        host, f"nft -f - <<'END'\ntable {family} fort {{\n{rules}\n}}\nEND", f"nft delete table {family} fort", certain
    )


def base(hook: str, rules: str, policy: str = "accept") -> str:
    return f"chain c {{ type filter hook {hook} priority -10; policy {policy}; {rules}; }}"


DROPS = {
    "raw UDP": ipt("bcc", "raw", "PREROUTING", "-p udp --dport 38371 -j DROP"),
    "raw, one peer's source": ipt("bcc", "raw", "PREROUTING", "-s 192.168.2.2 -j DROP"),
    "mangle FORWARD": ipt("bcc", "mangle", "FORWARD", "-i wg0 -j DROP"),
    "mangle POSTROUTING, the LAN": ipt("company", "mangle", "POSTROUTING", "-s 192.168.2.0/24 -o ens192 -j DROP"),
    "mangle PREROUTING, one machine": ipt("company", "mangle", "PREROUTING", "-d 10.10.13.61 -j DROP", certain=False),
    "security FORWARD": ipt("bcc", "security", "FORWARD", "-i wg0 -j DROP"),
    "INPUT of UDP": ipt("home", "filter", "INPUT", "-p udp --sport 38371 -j DROP"),
    "OUTPUT of UDP": ipt("home", "filter", "OUTPUT", "-p udp --dport 38371 -j DROP"),
    "nft forward by interface": nft("bcc", base("forward", 'iifname "wg0" drop')),
    "nft forward by a jump": nft("bcc", 'chain d { counter drop; }\n' + base("forward", 'oifname "wg0" jump d')),
    "nft forward by a map": nft("bcc", base("forward", 'iifname vmap { "wg0" : drop }')),
    "nft forward by a set": nft("bcc", "set bad { type ipv4_addr; flags interval; elements = { 192.168.2.0/24 } }\n" + base("forward", "ip saddr @bad drop"), certain=False),
    "nft input of all UDP but one": nft("bcc", base("input", "udp dport != 53 drop")),
    "nft postrouting": nft("company", base("postrouting", 'ip saddr 192.168.2.0/24 oifname "ens192" drop')),
    "nft closed input of a spoke": nft("home", base("input", 'tcp dport 22 accept; iifname "lo" accept; ip protocol icmp accept', "drop")),
}  # fmt: skip


def ipt6(host: str, table: str, chain: str, rule: str) -> Row:
    return Row(host, f"ip6tables -t {table} -I {chain} {rule}", f"ip6tables -t {table} -D {chain} {rule}")


DROPS_6 = {
    "raw UDP": ipt6("bcc", "raw", "PREROUTING", "-p udp --dport 38371 -j DROP"),
    "OUTPUT of UDP": ipt6("home", "raw", "OUTPUT", "-p udp --dport 38371 -j DROP"),
    "mangle FORWARD": ipt6("bcc", "mangle", "FORWARD", "-i wg0 -j DROP"),
    "mangle POSTROUTING, the LAN": ipt6("company", "mangle", "POSTROUTING", "-d fd10:13::/64 -o ens192 -j DROP"),
    "nft forward of pings": nft("bcc", base("forward", "icmpv6 type echo-request drop; meta l4proto ipv6-icmp drop")),
    "nft of ip6 alone": nft("bcc", base("forward", "ip6 saddr fd00:2::/64 drop"), "ip6"),
}
"""In the world of inventory/dual-stack.yaml, whose WireGuard packets are of IPv6."""


HARMLESS = {
    "fail2ban": Row("bcc", "iptables -N f2b-sshd; iptables -A f2b-sshd -s 192.0.2.9 -j REJECT; iptables -I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd", "iptables -D INPUT -p tcp -m multiport --dports 22 -j f2b-sshd; iptables -F f2b-sshd; iptables -X f2b-sshd"),
    "another interface": ipt("bcc", "filter", "FORWARD", "-i docker0 -j DROP"),
    "another port": ipt("bcc", "filter", "INPUT", "-p udp --dport 53 -j DROP"),
    "a log": ipt("bcc", "filter", "FORWARD", "-j LOG"),
    "libvirt": Row("company", "iptables -N LIBVIRT_FWO; iptables -A LIBVIRT_FWO -i virbr0 -j REJECT; iptables -I FORWARD -j LIBVIRT_FWO", "iptables -D FORWARD -j LIBVIRT_FWO; iptables -F LIBVIRT_FWO; iptables -X LIBVIRT_FWO"),
    "another masquerade": ipt("company", "nat", "POSTROUTING", "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"),
    "the same masquerade": ipt("company", "nat", "POSTROUTING", "-o ens192 -j MASQUERADE"),
    "IPv6 closed": nft("bcc", base("forward", "", "drop").replace("; ; }", "; }"), "ip6"),
    "a bridge's": nft("bcc", base("forward", "", "drop").replace("; ; }", "; }"), "bridge"),
    "dormant": nft("bcc", "flags dormant\n" + base("forward", "", "drop").replace("; ; }", "; }")),
    "accepts by a map": nft("bcc", base("input", 'meta l4proto . th dport vmap { tcp . 22 : accept, udp . 38371 : accept }; ct state established,related accept; iifname "wg0" accept; iifname "lo" accept; ip protocol icmp accept', "drop")),
}  # fmt: skip


def works(lab: Lab) -> bool:
    return lab.world.ping("home", "10.10.13.61")


@pytest.mark.parametrize("name", draw(list(DROPS), 3))
def test_a_rule_that_drops_is_named(network: Lab, name: str) -> None:
    row, world = DROPS[name], network.world
    world.sh(row.host, row.do)
    for host in ("bcc", "home", "company"):
        world.sh(host, "conntrack -F 2>/dev/null", check=False)
    try:
        assert not works(network)
        plan = network.wgorch("plan", INVENTORY, code=None)
        trace = network.wgorch("trace", "home", "10.10.13.61", INVENTORY, code=1).stdout
        assert f"✗ {row.host}: blocked by firewall" in trace, trace
        assert "drops it: " in plan.stderr if row.certain else plan.returncode == 0, plan.stdout + plan.stderr
        if row.certain:
            assert plan.returncode == 4
            assert "drops it: " in network.wgorch("doctor", row.host, code=1).stdout
    finally:
        world.sh(row.host, row.undo)
    network.wait(lambda: works(network), 30, "the way is open again")


@pytest.mark.parametrize("name", draw(list(HARMLESS), 3))
def test_a_rule_that_cannot_touch_the_network_is_no_drift(network: Lab, name: str) -> None:
    row, world = HARMLESS[name], network.world
    world.sh(row.host, row.do)
    try:
        assert works(network)
        assert "No changes." in network.wgorch("plan", INVENTORY).stdout
        network.wgorch("status", INVENTORY)
    finally:
        world.sh(row.host, row.undo)


@pytest.fixture(scope="module")
def dual() -> Iterator[InventoryWorld]:
    with world_of(load(ROOT / "inventory" / "dual-stack.yaml"), "effect-6", systemd=False) as world:
        assert isinstance(world, InventoryWorld)
        done = dual_run(world, "up", "inventory.yaml", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        yield world


def dual_run(world: InventoryWorld, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(world.wgorch(*words), capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", draw(list(DROPS_6), 2, salt="6"))
def test_a_rule_that_drops_ipv6_is_named(dual: InventoryWorld, name: str) -> None:
    row = DROPS_6[name]
    dual.sh(row.host, row.do)
    try:
        plan = dual_run(dual, "plan", "inventory.yaml")
        trace = dual_run(dual, "trace", "home", "fd10:13::61", "inventory.yaml").stdout
        assert (plan.returncode, "drops it: " in plan.stderr) == (4, True), plan.stdout + plan.stderr
        assert f"✗ {row.host}: blocked by firewall" in trace, trace
    finally:
        dual.sh(row.host, row.undo)
    assert "No changes." in dual_run(dual, "plan", "inventory.yaml").stdout


def test_rules_for_ipv4_do_not_touch_packets_of_ipv6(dual: InventoryWorld) -> None:
    dual.sh("bcc", "iptables -t raw -I PREROUTING -p udp --dport 38371 -j DROP")
    try:
        assert "No changes." in dual_run(dual, "plan", "inventory.yaml").stdout
        assert dual_run(dual, "verify", "inventory.yaml").returncode == 0
    finally:
        dual.sh("bcc", "iptables -t raw -F PREROUTING")
