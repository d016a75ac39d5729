"""A trace by TCP and UDP, with few tools, from elsewhere, kept, and killed."""

from __future__ import annotations

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab
from tests.lab.remedies import traced
from tests.lab.test_trace import BY_NAME, mended
from wgorch.rehearsal.snapshot import snapshot

pytestmark = pytest.mark.slow(90)


@pytest.mark.parametrize("kind", draw(["--tcp", "--udp"], 1))
def test_tcp_and_udp_are_followed_too(network: Lab, kind: str) -> None:
    assert traced(network, kind, "7777", code=0)["finding"] is None
    network.world.sh("company", "iptables -I wgorch-office-fwd -p tcp --dport 7777 -j DROP")
    try:
        found = traced(network, kind, "7777", code=1 if kind == "--tcp" else 0)
    finally:
        network.up()
        network.world.sh("company", "iptables -D wgorch-office-fwd -p tcp --dport 7777 -j DROP")
    if kind == "--tcp":
        assert found["finding"]["host"] == "company"
        assert "blocked by firewall: ip filter wgorch-office-fwd, rule" in found["finding"]["problem"]


@pytest.mark.parametrize("tools", draw(["tcpdump", "none"], 1))
def test_it_works_with_what_is_there(network: Lab, tools: str) -> None:
    hidden = ["nft", *(["tcpdump"] if tools == "none" else [])]
    hide = "".join(f"mount --bind /dev/null $(command -v {tool}); " for tool in hidden)
    show = "".join(f"umount /usr/sbin/{tool} /usr/bin/{tool} 2>/dev/null; " for tool in hidden) + "true"
    fault = BY_NAME["forwarding off"]
    for host in HOSTS:
        network.world.sh(host, hide)
    try:
        found = traced(network, code=0)
        if tools == "none":
            assert sorted(found["unobserved_hosts"]) == sorted(HOSTS)
            assert {step["seen"] for step in found["steps"]} == {None}
        else:
            assert all(step["seen"] for step in found["steps"]), found
        network.world.sh(fault.machine, fault.make)
        broken = traced(network, code=1)
        assert (broken["finding"]["host"], fault.says in broken["finding"]["problem"]) == ("bcc", True), broken
    finally:
        for host in HOSTS:
            network.world.sh(host, show)
        mended(network, fault)


@pytest.mark.parametrize("fault", draw(["rule", "policy"], 1))
def test_a_rule_of_iptables_legacy_is_found_by_its_counter(lab: Lab, fault: str) -> None:
    """nft shows none of those rules, and their TRACE target needs a switch for the whole machine."""
    tools = "iptables iptables-save iptables-restore"
    legacy = f"mount -t tmpfs -o mode=755 shim /usr/local/sbin && for c in {tools}; do ln -s /usr/sbin/xtables-legacy-multi /usr/local/sbin/$c; done"
    lab.world.sh("company", legacy)
    try:
        lab.up()
        make, mend, says = {
            "rule": (
                "iptables -I FORWARD -d 10.10.13.61/32 -j DROP",
                "iptables -D FORWARD -d 10.10.13.61/32 -j DROP",
                "blocked by firewall: filter FORWARD, rule “-d 10.10.13.61/32 -j DROP”",
            ),
            "policy": (
                "iptables -P FORWARD DROP; iptables -D FORWARD 1",
                "iptables -P FORWARD ACCEPT",
                "filter FORWARD policy drop; jump to wgorch-office-fwd is missing",
            ),
        }[fault]
        lab.world.sh("company", f"PATH=/usr/local/sbin:$PATH; {make}")
        found = traced(lab, code=1)
        lab.world.sh("company", f"PATH=/usr/local/sbin:$PATH; {mend}")
        lab.wgorch("teardown", INVENTORY, "--yes")
    finally:
        lab.world.sh("company", "umount /usr/local/sbin; rm -f /run/xtables.lock")

    assert (found["finding"]["host"], says in found["finding"]["problem"]) == ("company", True), found


def test_from_a_machine_in_a_lan_a_person_sends_it(network: Lab) -> None:
    """With a route to the tunnel, target's packet is traced from company's LAN interface on."""
    network.world.sh("target", "ip route add 192.168.2.0/24 via 10.10.13.62")
    running = network.spawn("trace", "10.10.13.61", "home", INVENTORY)
    try:
        assert running.stdout is not None
        command = running.stdout.readline().partition("from 10.10.13.61: ")[2]
        assert command.startswith("ping -c 3 -s ")
        network.wait(lambda: "wgorch-trace" in network.world.sh("home", "nft list tables"), 20, "it is watched")
        network.world.sh("target", command)
        out = running.stdout.read()
    finally:
        network.world.sh("target", "ip route delete 192.168.2.0/24")

    assert running.wait(20) == 0, out
    assert "✓ company.ens192" in out
    assert "✓ home.wg0" in out
    assert "seen on every interface of the path" in out


def test_packets_are_kept_for_wireshark(network: Lab) -> None:
    trace = network.wgorch("trace", "home", "10.10.13.61", INVENTORY, "--pcap", "/root/packets")
    for host in HOSTS:
        shown = network.world.sh("controller", f"tcpdump -n -r /root/packets/{host}.pcap 2>&1", check=False)
        assert "ICMP echo request" in shown, (host, shown, trace.stdout)
        assert "truncated" not in shown, (host, shown)
    network.world.sh("controller", "rm -r /root/packets")


def test_killed_in_the_middle_it_leaves_nothing(network: Lab) -> None:
    before = {host: snapshot(network.world, host) for host in HOSTS}
    running = network.spawn("trace", "home", "10.10.13.61", INVENTORY)
    network.wait(lambda: "wgorch-trace" in network.world.sh("bcc", "nft list tables"), 20, "the trace is under way")
    running.kill()
    running.wait(10)
    script = "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' <$p/cmdline 2>/dev/null) in *'-m wg''orch trace'*) kill -9 ${p#/proc/};; esac; done"
    network.world.sh("controller", script)

    network.wait(
        lambda: not [h for h in HOSTS if before[h].difference(snapshot(network.world, h))], 25, "nothing is left"
    )
