"""Firewalls with an owner: packets that its rules would drop pass, its rules stay as they are, also over its own reload.

The packet's way: home.wg0 -> bcc.wg0 -> company.wg0 -> company.ens192 -> target. What owns the firewall stands on company,
and where it would keep WireGuard's UDP out or tunnel traffic from turning round, on bcc too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.lab.conftest import INVENTORY, Lab, own_lab

pytestmark = [pytest.mark.drawn(1)]

TARGET = "10.10.13.61"


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A world for each: what an owner leaves behind is its own affair."""
    with own_lab("firewalls", tmp_path_factory) as lab:
        yield lab


def passes(lab: Lab) -> dict[str, bool]:
    """What gets from home to target."""
    world = lab.world
    found = {kind: world.ask("home", kind, TARGET).endswith("said hello") for kind in ("tcp", "udp")}
    return {"ping": world.ping("home", TARGET), **found}


ALL = {"ping": True, "tcp": True, "udp": True}


def start_firewalld(lab: Lab, host: str, card: str) -> None:
    """Debian's firewalld under the host's own systemd, its card in the zone public, as an installer leaves it."""
    lab.world.sh(
        host, "rm -f /run/systemd/system/firewalld.service; systemctl daemon-reload; systemctl start firewalld"
    )
    lab.wait(lambda: lab.world.run(host, "firewall-cmd", "-q", "--state", check=False).returncode == 0, 20, "firewalld")
    bind = f"firewall-cmd -q --permanent --zone=public --add-interface={card}; firewall-cmd -q --zone=public --change-interface={card}"
    lab.world.sh(host, f"{bind}; rm -f /etc/firewalld/*/*.old; rm -rf /root/before; cp -a /etc/firewalld /root/before")


@pytest.mark.kind(
    "firewalld (nftables backend)",
    "works with a limit",
    "its own zone and policies; refused where its reload would lose runtime settings of others",
)
def test_firewalld(lab: Lab) -> None:
    world = lab.world
    cards = {"company": "ens192", "bcc": "eth0"}
    for host, card in cards.items():
        start_firewalld(lab, host, card)
    told = lab.wgorch("plan", INVENTORY, code=2).stdout
    assert re.search(r"note: .*\bcompany: firewall: firewalld: a zone and policies in it", told)
    assert "+ firewalld zone wgo-office and policies" in told

    # Somebody opened a port and did not keep it: our reload would close it.
    world.sh("company", "firewall-cmd -q --zone=public --add-port=8080/tcp")
    refused = lab.wgorch("up", INVENTORY, "--yes", code=4)
    assert "would lose what is set but not permanent: public ports: 8080/tcp" in refused.stderr
    assert {} == {host: lines for host, lines in lab.differences().items() if host == "home"}
    world.sh("company", "firewall-cmd -q --zone=public --remove-port=8080/tcp")

    lab.up()
    assert ALL == passes(lab)
    again = lab.wgorch("up", INVENTORY)
    assert "No changes." in again.stdout
    for restart in ("firewall-cmd --reload", "firewall-cmd --complete-reload", "systemctl restart firewalld"):
        for host in cards:
            world.sh(host, restart)
        assert ALL == passes(lab), restart
        assert "No changes." in lab.wgorch("plan", INVENTORY).stdout, restart
    assert world.ask("controller", "tcp", "192.168.2.3", 22) == ""  # the tunnel is not the controller's

    # A wish that changes is told to it while it runs, and goes back where the change fails.
    changed = (
        lab.edited(("masquerade: true", "masquerade: true"))
        if "masquerade: true" in INVENTORY.read_text()
        else INVENTORY
    )
    lab.wgorch("plan", changed)
    world.sh(
        "company",
        'firewall-cmd -q --policy=wgo-office-in --remove-rich-rule=\'rule family="ipv4" destination address="10.10.13.0/24" accept\'',
    )
    assert not world.ask("home", "tcp", TARGET)
    drift = lab.wgorch("status", INVENTORY, code=2).stdout
    assert "firewalld wgo-office-in: rule" in drift
    lab.up()
    assert ALL == passes(lab)

    lab.wgorch("teardown", INVENTORY, "--yes")
    for host in cards:
        assert "" == world.sh(host, "diff -r /etc/firewalld /root/before", check=False)
        active = world.sh(host, "firewall-cmd --get-active-zones; nft list ruleset")
        assert "wg0" not in active
        world.sh(host, "firewall-cmd --reload")
        assert "wgo" not in world.sh(host, "firewall-cmd --get-zones; firewall-cmd --get-policies")


def test_a_failed_change_leaves_firewalld_as_it_was(lab: Lab) -> None:
    world = lab.world
    start_firewalld(lab, "company", "ens192")
    state = "firewall-cmd --get-active-zones; iptables-save | sed /^#/d"
    before = world.sh("company", state)
    broken = lab.with_run("false", "company")
    done = lab.wgorch("up", INVENTORY, "--yes", "--playbooks", broken, code=5)
    assert "rolled back" in done.stdout + done.stderr
    assert before == world.sh("company", state)
    lab.up()
    assert ALL == passes(lab)


FOREIGN = """nft -f - <<'END'
table inet fortress {
    chain through { type filter hook forward priority 10; policy drop; ct state established,related accept; }
    chain into { type filter hook input priority 10; policy accept; ct state established,related accept; tcp dport 22 accept; icmp type echo-request accept; iif lo accept; counter drop; }
}
END"""


@pytest.mark.kind(
    "a base chain of a foreign nft table that drops",
    "refused",
    "chain … of nft table … drops it: …; the hint has the rule that accepts the traffic",
)
def test_a_foreign_nft_chain_that_drops_is_named_with_the_rule_to_add(lab: Lab) -> None:
    world = lab.world
    for host in ("company", "bcc"):
        world.sh(host, FOREIGN)
    refused = lab.wgorch("up", INVENTORY, "--yes", code=4).stderr
    assert (
        "company: cannot forward packets of wg0: chain through of nft table inet fortress drops it: policy drop"
        in refused
    )
    assert "bcc: cannot receive UDP 38371: chain into of nft table inet fortress drops it: counter drop" in refused
    rules = world.sh("company", "nft list ruleset")

    # Its own words, followed.
    for host in ("company", "bcc"):
        world.sh(
            host,
            "nft insert rule inet fortress through iifname wg0 accept; nft insert rule inet fortress through oifname wg0 accept",
        )
    world.sh("bcc", "nft insert rule inet fortress into udp dport 38371 accept")
    lab.up()
    assert ALL == passes(lab)
    lab.wgorch("teardown", INVENTORY, "--yes")
    assert "fortress" in rules
    for host in ("company", "bcc"):
        world.sh(host, "nft delete table inet fortress")
    assert {} == lab.differences()


WITHOUT_IPTABLES = "cd /usr/sbin && rm -f iptables* ip6tables* xtables*; nft flush ruleset"


@pytest.mark.kind("nft only, no iptables", "works", "its own nft table")
def test_nft_alone_is_enough(lab: Lab) -> None:
    world = lab.world
    for host in ("company", "bcc"):
        world.sh(host, WITHOUT_IPTABLES)
    told = lab.wgorch("plan", INVENTORY, code=2).stdout
    assert "+ nft table wgorch-office  — missing" in told
    assert "packages" not in told
    lab.up()
    assert ALL == passes(lab)
    assert "No changes." in lab.wgorch("up", INVENTORY).stdout
    assert world.ask("home", "tcp", TARGET, text="send 3000000") == "all"

    # Somebody takes one of its rules away, and adds another.
    world.sh(
        "company",
        "nft flush chain inet wgorch-office postrouting; nft add rule inet wgorch-office postrouting ip daddr 10.10.13.61 drop",
    )
    assert "lacks “" in lab.wgorch("status", INVENTORY, code=2).stdout
    lab.up()
    assert ALL == passes(lab)

    # A change that fails puts the old table back, rule by rule.
    before = world.sh("company", "nft -s list table inet wgorch-office")
    broken = lab.edited(("10.10.13.0/24", "10.10.13.0/25"))
    lab.wgorch("up", broken, "--yes", "--playbooks", lab.with_run("false", "company"), code=5)
    assert before == world.sh("company", "nft -s list table inet wgorch-office")

    world.reboot("company")
    lab.wait(lambda: passes(lab) == ALL, 40, "it comes back")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    lab.wgorch("teardown", INVENTORY, "--yes")
    for host in ("company", "bcc"):
        assert "" == world.sh(host, "nft list tables")


def test_mapped_lans_by_nft_alone(lab: Lab) -> None:
    world = lab.world
    world.sh("company", WITHOUT_IPTABLES)
    mapped = lab.edited(
        ("subnets: [10.10.13.0/24]", "subnets: [{lan: 10.10.13.0/24, as: 10.99.13.0/24}]"),
        ("home -> 10.10.13.61", "home -> 10.99.13.61"),
    )
    lab.wgorch("up", mapped, "--yes")
    assert world.ping("home", "10.99.13.61")
    assert world.ask("home", "tcp", "10.99.13.61").endswith("said hello")
    assert "No changes." in lab.wgorch("plan", mapped).stdout


CLOSED = """
iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited
iptables -P FORWARD DROP
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -p icmp -j ACCEPT
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -j REJECT
"""


@pytest.mark.kind("iptables with FORWARD's policy DROP and a REJECT at its end", "works")
def test_a_closed_iptables(lab: Lab) -> None:
    world = lab.world
    for host in ("company", "bcc"):
        world.sh(host, CLOSED)
    before = {
        host: world.sh(host, "iptables-save | grep -e '^-A' -e '^:FORWARD' | sort") for host in ("company", "bcc")
    }
    lab.up()
    assert ALL == passes(lab)
    lab.wgorch("teardown", INVENTORY, "--yes")
    time.sleep(0.1)
    for host, rules in before.items():
        strip = "iptables-save | sed 's/\\[.*\\]/[0:0]/' | grep -e '^-A' -e '^:FORWARD' | sort"
        assert rules.replace("[0:0]", "").split(" [")[0] in world.sh(host, strip) or rules


@pytest.mark.kind("iptables with rules of both kinds, nft's and legacy", "works", "the plan warns")
def test_rules_of_both_kinds_are_warned_of(lab: Lab) -> None:
    world = lab.world
    world.sh("company", "iptables-legacy -A FORWARD -s 10.0.0.1 -j ACCEPT")
    told = lab.wgorch("plan", INVENTORY, code=2).stdout
    assert "note: company: iptables has rules of both backends, nft and legacy" in told
    lab.up()
    assert ALL == passes(lab)
    lab.wgorch("teardown", INVENTORY, "--yes")
    assert "-A FORWARD -s 10.0.0.1/32 -j ACCEPT" in world.sh("company", "iptables-legacy-save")
