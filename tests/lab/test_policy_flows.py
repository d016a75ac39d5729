"""Flows whose fate an answer alone does not tell: datagrams, ports behind a NAT of the host's own, rules edited by hand."""

from __future__ import annotations

import json

import pytest

from tests.conftest import draw
from tests.lab.conftest import Lab
from tests.lab.streams import listening
from tests.lab.test_policy import ENGINES, LINES, TARGET, engine, policy
from wgorch.rehearsal.snapshot import snapshot

pytestmark = pytest.mark.slow(60)

__all__ = ["engine"]

SILENT, CLOSED, REFUSED = 9001, 9002, 9003


def results(lab: Lab, inventory: object, code: int = 0) -> dict[str, str]:
    """The result of each line of `verify:` that is no ping."""
    found = json.loads(lab.wgorch("verify", inventory, "--json", code=code).stdout)
    return {each["flow"].rpartition(": ")[2]: each["result"] for each in found["flows"]}


def no_counters(lab: Lab) -> None:
    for host in ("bcc", "home", "company"):
        assert "wgorch-verify" not in lab.world.sh(host, "nft list tables 2>&1 || true")


def test_datagrams_arrive_or_not_whether_or_not_they_are_answered(lab: Lab) -> None:
    lines = (f"home -> {TARGET}: udp 7777,{SILENT},{CLOSED}, tcp 7777, ping", "home -> company: udp 9001-9002, ping")
    tests = tuple(f"home -> {TARGET}: udp {port}" for port in (7777, SILENT))
    refused = (f"home -x-> {TARGET}: udp {REFUSED}", "company -x-> home: udp 53")
    inventory = policy(lab, *lines, verify=(*tests, *refused))
    with listening(lab.world, "target", SILENT, REFUSED):
        said = lab.wgorch("up", inventory, "--yes").stdout
        assert f"home -> {TARGET}: udp {SILENT}  arrives, no answer" in said
        seen = {"udp 7777": "open", f"udp {SILENT}": "arrived", f"udp {REFUSED}": "silent", "udp 53": "silent"}
        assert seen == results(lab, inventory)
        no_counters(lab)

        # A port at which nothing listens is reached; so is the host itself.
        more = policy(lab, *lines, verify=(f"home -> {TARGET}: udp {CLOSED}", "home -> company: udp 9001"))
        assert {f"udp {CLOSED}": "closed", "udp 9001": "closed"} == results(lab, more, code=1)
        with listening(lab.world, "company", 9001):
            assert results(lab, more, code=1)["udp 9001"] == "arrived"

        # What somebody lets through is seen, although nothing answers.
        inventory = policy(lab, *lines, verify=(*tests, *refused))
        for host in ("bcc", "company"):
            for chain in ("judged", "relayed"):
                lab.world.sh(host, f"nft insert rule inet wgorch-office {chain} udp dport {REFUSED} accept")
        assert results(lab, inventory, code=1)[f"udp {REFUSED}"] == "arrived"
        said = lab.wgorch("verify", inventory, code=1).stdout
        assert f"home -x-> {TARGET}: udp {REFUSED}: it gets through" in said

        # What is lost on the way does not arrive.
        lab.wgorch("up", inventory, "--yes")
        lab.world.sh("company", f"iptables -I FORWARD -p udp --dport {SILENT} -j DROP")
        assert results(lab, inventory, code=1)[f"udp {SILENT}"] == "silent"
        lab.world.sh("company", "iptables -D FORWARD 1")
    no_counters(lab)


def test_a_firewall_that_rejects_is_no_target_that_is_reached(lab: Lab) -> None:
    refused = (f"home -x-> {TARGET}: tcp 22", f"home -x-> {TARGET}: udp 53")
    inventory = policy(lab, *LINES, verify=(f"home -> {TARGET}: udp 7777", *refused))
    lab.wgorch("up", inventory, "--yes")
    assert {"udp 7777": "open", "tcp 22": "silent", "udp 53": "silent"} == results(lab, inventory)
    rejecting = [
        ("home", "OUTPUT -d 10.10.13.61 -p tcp --dport 22 -j REJECT --reject-with tcp-reset"),
        ("home", "OUTPUT -d 10.10.13.61 -p udp --dport 53 -j REJECT"),
        ("company", "FORWARD -d 10.10.13.61 -p udp --dport 7777 -j REJECT"),
    ]
    for host, rule in rejecting:
        lab.world.sh(host, f"iptables -I {rule}")
    assert {"udp 7777": "rejected", "tcp 22": "rejected", "udp 53": "silent"} == results(lab, inventory, code=1)
    said = lab.wgorch("verify", inventory, code=1).stdout
    assert f"home -> {TARGET}: udp 7777: a firewall on the way rejects it" in said
    for host, rule in rejecting:
        lab.world.sh(host, f"iptables -D {rule}")


def test_where_nothing_can_count_silence_proves_nothing(lab: Lab) -> None:
    inventory = policy(lab, verify=(f"home -> {TARGET}: udp 7777", f"home -> {TARGET}: udp {SILENT}"))
    lab.world.sh("company", "mv /usr/sbin/nft /usr/sbin/no-nft")
    with listening(lab.world, "target", SILENT):
        said = lab.wgorch("up", inventory, "--yes", code=5).stdout
    lab.world.sh("company", "mv /usr/sbin/no-nft /usr/sbin/nft")
    assert f"home -> {TARGET}: udp {SILENT}: not measured: no answer, and nothing shows whether it arrives" in said
    lab.wgorch("up", policy(lab, verify=(f"home -> {TARGET}: udp 7777",)), "--yes")  # an answer is proof


@pytest.mark.parametrize("engine", draw(ENGINES, 1, salt="published"), indirect=True)
def test_a_published_port_is_the_hosts_own(lab: Lab, engine: str) -> None:
    """A port of company leads to a machine behind it, as Docker publishes one of a container."""
    world = lab.world
    nat = "iptables -t nat -{} PREROUTING -m addrtype --dst-type LOCAL -p {} --dport {} -j DNAT --to 10.10.13.61:7777"
    published = [(protocol, port) for protocol in ("tcp", "udp") for port in (8080, 8081)]
    world.sh("company", "\n".join(nat.format("A", *each) for each in published))
    hide = "iptables -t nat -{} POSTROUTING -s 10.10.13.61 -o wg+ -j MASQUERADE"
    world.sh("company", hide.format("A"))
    lab.before["company"] = snapshot(world, "company")
    inventory = policy(lab, "home -> company: tcp 8080, udp 8080", "company -> home: tcp 22", verify=())
    lab.wgorch("up", inventory, "--yes")

    for protocol in ("tcp", "udp"):
        assert world.ask("home", protocol, "192.168.2.3", 8080).endswith("said hello")
        assert not world.ask("home", protocol, "192.168.2.3", 8081)
        assert not world.ask("home", protocol, TARGET, 7777)
    # The machine behind it asks as company: answers to what company may ask come back, and no others.
    connect = "timeout 3 bash -c 'exec 3<>/dev/tcp/192.168.2.2/{} && read -r line <&3 && echo $line'"
    world.sh("target", "ip route replace 192.168.2.0/24 via 10.10.13.62")
    assert "SSH-2.0" in world.sh("target", connect.format(22), check=False)
    assert not world.ping("target", "192.168.2.2")
    world.sh("target", "ip route del 192.168.2.0/24 via 10.10.13.62")
    lab.wgorch("teardown", inventory, "--yes")
    world.sh("company", "\n".join([*(nat.format("D", *each) for each in published), hide.format("D")]))


def test_a_rule_that_was_edited_with_its_comment_kept_is_drift(lab: Lab) -> None:
    inventory = policy(lab, f"home -> {TARGET}: tcp 22", verify=())
    lab.wgorch("up", inventory, "--yes")
    wider = (
        'nft -a list chain inet wgorch-office arriving | sed -n "s/.*dport 22 .*comment \\(.*\\) # handle \\(.*\\)/'
        'replace rule inet wgorch-office arriving handle \\2 ip saddr 192.168.2.2 accept comment \\1/p" | nft -f -'
    )
    lab.world.sh("company", wider)
    status = lab.wgorch("status", inventory, code=2).stdout
    assert "should not have “ip saddr 192.168.2.2 accept" in status
    # A change that fails states it again as it was, and it stays drift.
    failing = policy(lab, f"home -> {TARGET}: tcp 22", "home -> company: tcp 22", verify=())
    lab.wgorch("up", failing, "--yes", "--playbooks", lab.with_run("false", "home"), code=5)
    inventory = policy(lab, f"home -> {TARGET}: tcp 22", verify=())
    status = lab.wgorch("status", inventory, code=2).stdout
    assert "should not have “ip saddr 192.168.2.2 accept" in status
    lab.wgorch("up", inventory, "--yes")
    lab.wgorch("status", inventory)
    lab.world.reboot("company")
    lab.wait(lambda: lab.world.ping("company", "192.168.2.1", wait=1), 30, "company has its tunnel")
    lab.wgorch("status", inventory)
    assert "dport 22" in lab.world.sh("company", "nft list chain inet wgorch-office arriving")
