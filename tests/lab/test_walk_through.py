"""What the walk-through of the documents promises, row by row, on the reference network.

controller ─┐
      home ─┴─ home-router (NAT) ── internet ── bcc
                                       │
   company ─┬─ company-router (NAT, SSH gateway)
    target ─┘
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ALL, draw
from tests.lab.capture import capture, firewall, resolve, serving
from tests.lab.conftest import HOSTS, INVENTORY, Lab, clean
from tests.lab.debs import fetch, put
from wgorch.rehearsal.snapshot import Snapshot, snapshot

pytestmark = pytest.mark.slow(230)

ADDRESSES = {"bcc": "192.168.2.1", "home": "192.168.2.2", "company": "192.168.2.3"}
TARGET = "10.10.13.61"
BOTH_WAYS = ("    address: 192.168.2.2\n", "    address: 192.168.2.2\n    subnets: [192.168.0.0/24]\n")


EDITS = {
    "route": ("home", "ip route del 10.10.13.0/24", "+ route 10.10.13.0/24"),
    "peer of a spoke": ("home", "wg set wg0 peer $(wg show wg0 peers) remove", "+ peer bcc"),
    "peer of the relay": (
        "bcc",
        "wg set wg0 peer $(wg show wg0 allowed-ips | sed -n 's/\\t.*192.168.2.2.32//p') remove",
        "+ peer home",
    ),
    "keepalive": ("company", "wg set wg0 peer $(wg show wg0 peers) persistent-keepalive 0", "~ peer bcc"),
    "jump": ("company", "iptables -F FORWARD", "~ jump to wgorch-office-fwd"),
    "rule above": ("company", "iptables -I FORWARD -j REJECT", "~ jump to wgorch-office-fwd"),
    "masquerade": ("company", "iptables -t nat -F wgorch-office-nat", "~ chain wgorch-office-nat"),
    "forwarding": (
        "company",
        "echo 0 >/proc/sys/net/ipv4/conf/ens192/forwarding",
        "~ sysctl net.ipv4.conf.ens192.forwarding",
    ),
    "redirects": (
        "bcc",
        "echo 1 >/proc/sys/net/ipv4/conf/wg0/send_redirects",
        "~ sysctl net.ipv4.conf.wg0.send_redirects",
    ),
    "mtu": ("home", "ip link set wg0 mtu 1300", "~ MTU of wg0"),
}
"""What somebody edits by hand: on which host, how, and the one change that it makes necessary."""


@pytest.fixture(scope="class")
def standing(_reference: Lab) -> Iterator[Lab]:
    """The reference network, up, for all tests of a class; each leaves it as it was."""
    _reference.up()
    yield _reference
    clean(_reference)


@pytest.fixture(scope="class")
def both_ways(_reference: Lab) -> Iterator[Lab]:
    """Both sides declare their LAN, and one machine of each knows that the other LAN lies behind its gateway."""
    lab, world = _reference, _reference.world
    lab.up(lab.edited(BOTH_WAYS))
    world.sh("controller", "ip route add 10.10.13.0/24 via 192.168.0.9")
    world.sh("target", "ip route add 192.168.0.0/24 via 10.10.13.62")
    yield lab
    world.sh("controller", "ip route del 10.10.13.0/24")
    world.sh("target", "ip route del 192.168.0.0/24")
    clean(lab)


def wg(lab: Lab, host: str, part: str) -> dict[str, str]:
    """What ``wg show`` tells of a host's peers, by key."""
    lines = lab.world.sh(host, f"wg show wg0 {part}").strip().split("\n")
    return dict(line.split("\t", 1) for line in lines)


def public_keys(lab: Lab) -> dict[str, str]:
    return {host: lab.world.sh(host, "wg show wg0 public-key").strip() for host in HOSTS}


def everywhere(lab: Lab) -> dict[str, Snapshot]:
    """Every machine whose state is compared, right now."""
    return {name: snapshot(lab.world, name) for name in lab.before}


def since(lab: Lab, before: dict[str, Snapshot]) -> dict[str, list[str]]:
    """What differs from a moment before, by machine."""
    found = {
        name: then.difference(now) for (name, then), now in zip(before.items(), everywhere(lab).values(), strict=True)
    }
    return {name: lines for name, lines in found.items() if lines}


class TestStandingNetwork:
    """The network is up: what is reached, what stands on the hosts, what is seen on the cards, and one edit by hand."""

    # --- from home to the company's LAN, with nothing said of any application

    def test_home_pings_target_three_of_three(self, standing: Lab) -> None:
        done = standing.world.run("home", "ping", "-n", "-c", "3", "-i", "0.2", TARGET)

        assert re.findall(r"\d+ packets transmitted, \d+ received", done.stdout) == [
            "3 packets transmitted, 3 received"
        ]

    def test_ssh_from_home_opens_on_target(self, standing: Lab) -> None:
        world = standing.world
        world.sh("home", "rm -f /root/visitor*; ssh-keygen -q -t ed25519 -N '' -f /root/visitor")
        key = world.sh("home", "cat /root/visitor.pub")
        before = world.sh("target", "cat /root/.ssh/authorized_keys")
        world.write("target", "/root/.ssh/authorized_keys", before + key, "600")
        options = "-i /root/visitor -o BatchMode=yes -o StrictHostKeyChecking=accept-new"
        options += " -o UserKnownHostsFile=/root/visitor.known"

        said = world.sh("home", f"ssh {options} root@{TARGET} 'hostname; echo $SSH_CONNECTION'")

        world.write("target", "/root/.ssh/authorized_keys", before, "600")
        world.sh("home", "rm -f /root/visitor*")
        name, connection = said.strip().split("\n")
        assert name == "target"
        assert connection.split()[0] == "10.10.13.62"

    @pytest.mark.parametrize("kind", ["tcp", "udp"])
    def test_any_port_answers_although_none_is_named_anywhere(self, standing: Lab, kind: str) -> None:
        assert "7777" not in INVENTORY.read_text()
        assert standing.world.ask("home", kind, TARGET) == "10.10.13.62 said hello"

    @pytest.mark.parametrize("kind", ["udp", "tcp"])
    def test_home_asks_the_resolver_in_the_companys_lan(self, standing: Lab, kind: str) -> None:
        assert resolve(standing.world, "home", kind, TARGET, "intranet.example") == "10.10.13.61"

    def test_target_is_exactly_as_it_was(self, standing: Lab) -> None:
        assert standing.before["target"].difference(snapshot(standing.world, "target")) == []

    def test_every_tunnel_address_answers_every_host(self, standing: Lab) -> None:
        told = json.loads(standing.wgorch("verify", INVENTORY, "--json").stdout)

        for host in HOSTS:
            answered = {ip: ping["received"] for ip, ping in told["pings"][host].items()}
            wanted = {ip: 3 for name, ip in ADDRESSES.items() if name != host}
            assert {ip: answered.get(ip) for ip in wanted} == wanted
        assert told["ok"] is True
        assert told["findings"] == []

    def test_verify_tells_the_way_of_the_packet_card_by_card(self, standing: Lab) -> None:
        said = standing.wgorch("verify", INVENTORY).stdout

        assert (
            "home.wg0 -> (tunnel) -> bcc.wg0 -> (forward) -> bcc.wg0 -> (tunnel) -> company.wg0"
            " -> (forward, masquerade) -> company.ens192 -> 10.10.13.61"
        ) in " ".join(said.split())

    # --- what stands on the hosts themselves

    @pytest.mark.parametrize("host", HOSTS)
    def test_wg0_is_up_with_the_declared_address(self, standing: Lab, host: str) -> None:
        link = standing.world.sh(host, "ip -d -o link show wg0")
        address = standing.world.sh(host, "ip -o -4 address show wg0").split()

        assert re.search(r"<[^>]*\bUP\b[^>]*>", link)
        assert address[3] == f"{ADDRESSES[host]}/24"

    def test_a_second_up_makes_no_change(self, standing: Lab) -> None:
        assert "No changes. 3 hosts up to date." in standing.wgorch("up", INVENTORY).stdout

    def test_listen_ports_are_pinned_and_the_relays_is_the_one_others_dial(self, standing: Lab) -> None:
        ports = {host: standing.world.sh(host, "wg show wg0 listen-port").strip() for host in HOSTS}

        assert ports == {"bcc": "38371", "home": "51820", "company": "51820"}

    def test_every_peer_entry_names_the_key_that_its_owner_has(self, standing: Lab) -> None:
        keys = public_keys(standing)

        assert set(wg(standing, "bcc", "allowed-ips")) == {keys["home"], keys["company"]}
        assert set(wg(standing, "home", "allowed-ips")) == {keys["bcc"]}
        assert set(wg(standing, "company", "allowed-ips")) == {keys["bcc"]}

    def test_the_relays_entry_for_company_holds_its_address_and_its_lan(self, standing: Lab) -> None:
        keys, entries = public_keys(standing), wg(standing, "bcc", "allowed-ips")

        assert set(entries[keys["company"]].split()) == {"192.168.2.3/32", "10.10.13.0/24"}
        assert set(entries[keys["home"]].split()) == {"192.168.2.2/32"}

    def test_the_spokes_entry_for_the_relay_holds_all_that_lies_behind_it(self, standing: Lab) -> None:
        assert {tuple(sorted(v.split())) for v in wg(standing, "home", "allowed-ips").values()} == {
            ("10.10.13.0/24", "192.168.2.0/24")
        }
        assert set(wg(standing, "company", "allowed-ips").values()) == {"192.168.2.0/24"}

    def test_only_hosts_behind_nat_keep_the_way_awake(self, standing: Lab) -> None:
        kept = {host: set(wg(standing, host, "persistent-keepalive").values()) for host in HOSTS}

        assert kept == {"bcc": {"off"}, "home": {"15"}, "company": {"15"}}

    def test_the_companys_lan_is_routed_into_the_tunnel_on_home_and_on_the_relay(self, standing: Lab) -> None:
        for host in ("home", "bcc"):
            assert " dev wg0 " in standing.world.sh(host, f"ip route get {TARGET}")
            assert standing.world.sh(host, "ip route show 10.10.13.0/24").split() == [
                *("10.10.13.0/24", "dev", "wg0", "proto", "119", "scope", "link")
            ]

    def test_packets_are_forwarded_on_our_cards_and_on_no_others(self, standing: Lab) -> None:
        def forwarding(host: str) -> set[str]:
            return set(standing.world.sh(host, "cd /proc/sys/net/ipv4/conf; grep -l 1 */forwarding").split())

        assert forwarding("bcc") == {"wg0/forwarding"}
        assert forwarding("company") == {"wg0/forwarding", "ens192/forwarding"}
        assert standing.world.sh("company", "cat /proc/sys/net/ipv4/ip_forward").strip() == "0"

    def test_masquerade_is_scoped_by_source_and_card(self, standing: Lab) -> None:
        rules = [r for r in firewall(standing.world, "company").split("\n") if "MASQUERADE" in r]

        assert len(rules) == 1
        assert "-s 192.168.2.0/24" in rules[0]
        assert "-o ens192" in rules[0]

    def test_rules_stand_in_chains_of_our_own_reached_from_the_first_place(self, standing: Lab) -> None:
        for host in HOSTS:
            rules = [r for r in firewall(standing.world, host).split("\n") if r.startswith("-A ")]
            for rule in rules:
                assert rule.startswith("-A wgorch-office-") or re.search(r"-j wgorch-office-\w+$", rule)
                assert '--comment "wgorch:office"' in rule

    @pytest.mark.parametrize("host", HOSTS)
    def test_the_private_key_is_roots_alone(self, standing: Lab, host: str) -> None:
        place = "/var/lib/wgorch/office"

        assert standing.world.sh(host, f"stat -c '%a %U:%G' {place}/private_key {place}").split("\n")[:2] == [
            "600 root:root",
            "700 root:root",
        ]

    def test_lan_interface_is_found_where_it_is_left_out(self, standing: Lab) -> None:
        inventory = standing.edited(("    lan_interface: ens192              # found by itself where left out\n", ""))

        assert "No changes." in standing.wgorch("plan", inventory).stdout

    def test_status_shows_endpoint_handshake_traffic_and_path(self, standing: Lab) -> None:
        said = standing.wgorch("status", INVENTORY).stdout
        rows = {(line[:9].strip(), line[9:18].strip()): line for line in said.split("\n")}

        for title in ("endpoint", "handshake", "received", "sent", "path"):
            assert title in said.split("\n")[0]
        assert re.search(r"203\.0\.113\.13:38371 +\d+ s ago +[\d.]+ KiB +[\d.]+ KiB +direct", rows["home", "bcc"])
        assert re.search(r"198\.51\.100\.66:\d+ +\d+ s ago +[\d.]+ KiB +[\d.]+ KiB +direct", rows["bcc", "company"])
        assert re.search(r"^ +company +via bcc", said, re.M)

    def test_status_calls_a_session_without_handshake_by_its_name(self, standing: Lab) -> None:
        stranger = standing.world.sh("bcc", "wg genkey | wg pubkey").strip()
        standing.world.sh("bcc", f"wg set wg0 peer {stranger} allowed-ips 192.168.2.9/32")

        said = standing.wgorch("status", INVENTORY, code=2).stdout

        standing.world.sh("bcc", f"wg set wg0 peer {stranger} remove")
        assert re.search(rf"{re.escape(stranger[:8])}… +- +never", said)
        assert f"drift: bcc: - peer {stranger[:8]}…: not a peer of this host" in said

    # --- what is seen on the cards

    def test_target_sees_only_the_gateways_own_address(self, standing: Lab) -> None:
        with capture(standing.world, "target", "ens192", "ip", "and", "dst", "host", TARGET) as seen:
            assert standing.world.ping("home", TARGET)
            assert standing.world.ask("home", "tcp", TARGET) == "10.10.13.62 said hello"

        sources = {match[1] for line in seen if (match := re.search(r"IP (\d+\.\d+\.\d+\.\d+)", line))}
        assert sources == {"10.10.13.62"}

    def test_the_card_of_home_shows_nothing_but_wireguards_udp(self, standing: Lab) -> None:
        world, secret = standing.world, "nobody-reads-this"

        with (
            capture(world, "home", "wlp2s0", "ip", "and", "not", "udp port 38371") as others,
            capture(world, "home", "wlp2s0", "udp port 38371", options=("-A",)) as ours,
            capture(world, "home", "wg0", "tcp", options=("-A",)) as inside,
        ):
            assert world.ping("home", TARGET, count=3)
            assert world.ask("home", "tcp", TARGET, text=secret).endswith(secret)

        assert others == []
        assert len([line for line in ours if ".38371: UDP" in line]) >= 4
        assert [line for line in ours if secret in line] == []
        assert [line for line in inside if secret in line] != []

    def test_the_relay_sends_no_icmp_redirects(self, standing: Lab) -> None:
        world = standing.world

        with capture(world, "bcc", "any", "icmp[icmptype] == 5") as seen:
            assert world.ping("home", "192.168.2.3", count=3)
            assert world.ping("home", TARGET, count=3)
        assert seen == []

        # With the kernel's own values it would.
        world.sh("bcc", "for c in all wg0; do echo 1 >/proc/sys/net/ipv4/conf/$c/send_redirects; done")
        with capture(world, "bcc", "any", "icmp[icmptype] == 5") as seen:
            assert world.ping("home", "192.168.2.3", count=3)
        world.sh("bcc", "for c in all wg0; do echo 0 >/proc/sys/net/ipv4/conf/$c/send_redirects; done")
        assert seen != []

    def test_a_full_ethernet_packet_does_not_fit_and_one_of_the_tunnels_size_does(self, standing: Lab) -> None:
        mtu = int(standing.world.sh("home", "cat /sys/class/net/wg0/mtu"))

        assert not standing.world.ping("home", TARGET, "-M", "do", "-s", "1472")
        assert standing.world.ping("home", TARGET, "-M", "do", "-s", str(mtu - 28))
        assert not standing.world.ping("home", TARGET, "-M", "do", "-s", str(mtu - 27))

    def test_ten_megabytes_come_from_target(self, standing: Lab) -> None:
        assert standing.world.ask("home", "tcp", TARGET, text="send 10000000") == "all"

    # --- one thing is edited by hand

    @pytest.mark.parametrize("edit", draw(sorted(EDITS), 4, salt="edit"))
    def test_of_one_edit_just_that_is_planned_and_made(self, standing: Lab, edit: str) -> None:
        host, by_hand, expected = EDITS[edit]
        others = [name for name in HOSTS if name != host]
        ask = "find /var/lib/wgorch /etc/systemd/system -printf '%p %T@ %i\\n' | sort"
        before = {name: standing.world.sh(name, ask) for name in others}
        try:
            standing.world.sh(host, by_hand)

            plan = json.loads(standing.wgorch("plan", INVENTORY, "--json", code=2).stdout)
            changes = {n: [f"{c['sign']} {c['object']}" for c in told["changes"]] for n, told in plan["hosts"].items()}
            assert changes == {host: [expected], **{name: [] for name in others}}

            made = json.loads(standing.wgorch("up", INVENTORY, "--json", "--yes").stdout)
            assert made["host_states"] == {host: {"state": "applied", "reason": "confirmed"}}
            assert {name: standing.world.sh(name, ask) for name in others} == before
            assert "No changes." in standing.wgorch("plan", INVENTORY).stdout
            assert standing.world.ping("home", TARGET)
        except BaseException:
            standing.world.reboot(host)
            raise
        finally:
            standing.world.sh(host, "iptables -D FORWARD -j REJECT 2>/dev/null || :")


class TestCommandList:
    """The commands of a plan, as a person could type them."""

    def test_every_host_has_its_commands_with_their_reasons(self, lab: Lab) -> None:
        said = lab.wgorch("plan", INVENTORY, "--format", "shell", code=2).stdout

        assert [line for line in said.split("\n") if line.startswith("# on ")] == [
            "# on bcc",
            "# on home",
            "# on company",
        ]
        for line in (
            "ip address replace 192.168.2.2/24 dev wg0",
            "ip route replace 10.10.13.0/24 dev wg0 proto 119",
            "# + route 10.10.13.0/24: not routed into the tunnel",
            "-A wgorch-office-nat -s 192.168.2.0/24 -d 10.10.13.0/24 -o ens192"
            " -m comment --comment wgorch:office -j MASQUERADE",
            "sysctl -w net.ipv4.conf.all.send_redirects=0",
            "wg genkey >/var/lib/wgorch/office/private_key",
        ):
            assert line in said.split("\n")
        assert all(len(host.split("\n")) < 60 for host in said.split("# on ")[1:])
        assert "# + boot script, + unit wgorch-office.service: wgorch up writes them" in said
        assert lab.differences(ignore=()) == {}

    def test_the_commands_typed_on_every_host_build_the_network(self, lab: Lab) -> None:
        said = lab.wgorch("plan", INVENTORY, "--format", "shell", code=2).stdout
        mine = {name: said.split(f"# on {name}\n")[1].split("# on ")[0] for name in HOSTS}
        keys = {}
        for name in HOSTS:
            make = next(line for line in mine[name].split("\n") if line.startswith("umask"))
            lab.world.sh(name, f"{make} && wg genkey >private_key")
            keys[name] = lab.world.sh(name, "wg pubkey </var/lib/wgorch/office/private_key").strip()
        for name in HOSTS:
            text = mine[name]
            for other, key in keys.items():
                text = text.replace(f"<{other}>", key)
            text = text.replace("wg genkey >/var/lib/wgorch/office/private_key", ":")
            done = lab.world.run(name, "sh", "-u", "-c", text, check=False)
            assert done.returncode == 0, done.stderr
        assert lab.world.ping("home", TARGET)
        plan = lab.wgorch("plan", INVENTORY, code=2).stdout
        left = {line.split("  — ")[0] for line in plan.split("\n") if line.startswith("  ")}
        assert left <= {"  + unit wgorch-office.service", "  + record of the members", "  + boot script"}

    @pytest.mark.parametrize("edit", ["route", "jump", "forwarding"])
    def test_what_it_prints_can_be_run_by_hand(self, network: Lab, edit: str) -> None:
        host, by_hand, _ = EDITS[edit]
        network.world.sh(host, by_hand)

        said = network.wgorch("plan", INVENTORY, "--format", "shell", code=2).stdout
        mine = said.split(f"# on {host}\n")[1].split("# on ")[0]
        done = network.world.run(host, "sh", "-eu", "-c", mine, check=False)

        assert (done.returncode, done.stderr) == (0, "")
        assert "No changes." in network.wgorch("plan", INVENTORY).stdout

    def test_up_counts_the_changes_that_it_showed(self, lab: Lab) -> None:
        said = lab.up().stdout

        shown = re.search(r"^(\d+) changes on 3 of 3 hosts", said, re.M)
        made = re.search(r"up complete: (\d+) changes on 3 hosts, confirmed", said)
        assert shown and made
        assert made[1] == shown[1]


class TestBothWays:
    """Both sides declare their LAN."""

    def test_a_machine_at_home_reaches_a_machine_in_the_company(self, both_ways: Lab) -> None:
        assert both_ways.world.ping("controller", TARGET, count=3)
        assert both_ways.world.ask("controller", "tcp", TARGET) == "10.10.13.62 said hello"
        assert both_ways.world.ask("controller", "udp", TARGET) == "10.10.13.62 said hello"

    def test_a_machine_in_the_company_reaches_a_machine_at_home(self, both_ways: Lab) -> None:
        both_ways.world.write("target", "/root/ask.py", both_ways.world.sh("home", "cat /root/ask.py"))

        assert both_ways.world.ping("target", "192.168.0.20", count=3)
        with serving(both_ways.world, "controller"):
            assert both_ways.world.ask("target", "tcp", "192.168.0.20") == "192.168.0.9 said hello"

    def test_large_tcp_passes_between_lans_although_no_router_may_say_that_it_is_too_large(
        self, both_ways: Lab
    ) -> None:
        world = both_ways.world
        world.sh("target", "iptables -A INPUT -p icmp --icmp-type fragmentation-needed -j DROP")
        try:
            assert world.ask("controller", "tcp", TARGET, text="send 10000000") == "all"
        finally:
            world.sh("target", "iptables -F INPUT; nft delete table ip filter; ip route flush cache")

    def test_both_lans_are_routed_on_the_relay(self, both_ways: Lab) -> None:
        routes = both_ways.world.sh("bcc", "ip route show proto 119").split("\n")

        assert sorted(line.split()[0] for line in routes if line) == ["10.10.13.0/24", "192.168.0.0/24"]


# --- before anything is changed


def test_a_foreign_route_to_the_same_network_is_reported_and_left_alone(lab: Lab) -> None:
    lab.world.sh("home", "ip route add 10.10.13.0/24 via 192.168.0.1")
    before = everywhere(lab)

    done = lab.wgorch("up", INVENTORY, "--yes", code=4)

    assert "home: cannot route 10.10.13.0/24 into the tunnel" in done.stderr
    assert "a route to 10.10.13.0/24 via 192.168.0.1 dev wlp2s0 exists already" in done.stderr
    assert since(lab, before) == {}


def test_a_lan_that_a_host_is_in_itself_is_refused_naming_both(lab: Lab) -> None:
    lab.world.sh("home", "ip link add lab0 type bridge; ip address add 10.10.13.99/25 dev lab0; ip link set lab0 up")
    before = everywhere(lab)

    done = lab.wgorch("up", INVENTORY, "--yes", code=4)

    assert (
        "home: cannot route 10.10.13.0/24 into the tunnel: lab0 has 10.10.13.99/25, which overlaps 10.10.13.0/24"
        in done.stderr
    )
    assert since(lab, before) == {}


def test_the_same_lan_on_both_sides_is_refused_naming_both_before_any_connection(lab: Lab) -> None:
    inventory = lab.edited((BOTH_WAYS[0], "    address: 192.168.2.2\n    subnets: [10.10.13.0/24]\n"))

    done = lab.wgorch("plan", inventory, code=3)

    assert "10.10.13.0/24" in done.stderr
    assert "hosts.home.subnets[0]" in done.stderr
    assert "hosts.company.subnets[0]" in done.stderr


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("eth7", "interface eth7 not found (available: docker0, ens192)"),
        ("docker0", "10.10.13.0/24 lies behind ens192, not behind docker0"),
    ],
)
def test_a_wrong_lan_interface_is_an_error_before_any_change(lab: Lab, card: str, said: str) -> None:
    lab.world.sh("company", "ip link add docker0 type bridge")
    before = everywhere(lab)

    done = lab.wgorch("up", lab.edited(("lan_interface: ens192  ", f"lan_interface: {card}  ")), "--yes", code=4)

    assert said in done.stderr
    assert "lan_interface" in done.stderr
    assert since(lab, before) == {}


def test_a_host_that_cannot_reach_the_relays_port_is_named_and_everything_is_taken_back(lab: Lab) -> None:
    lab.world.sh("home-router", "iptables -I FORWARD -p udp --dport 38371 -j DROP")
    try:
        done = lab.wgorch("up", INVENTORY, "--yes", code=5)
    finally:
        lab.world.sh("home-router", "iptables -D FORWARD -p udp --dport 38371 -j DROP")

    said = " ".join(done.stdout.split())
    assert "home: no handshake with bcc: UDP to 203.0.113.13:38371 blocked, or replies lost" in said
    assert "allow UDP 38371 in at bcc (cloud firewall, router), and out at home" in said
    assert "company: no handshake" not in said
    lab.wait(lambda: lab.differences() == {}, 5, "every host is as it was")


# --- other people's firewalls, interfaces and settings


def test_closed_firewalls_let_the_network_through_and_nothing_else(lab: Lab) -> None:
    closed = "iptables -P FORWARD DROP; iptables -A FORWARD -j REJECT"
    for host in ("bcc", "company"):
        lab.world.sh(host, closed)
    before = {host: firewall(lab.world, host) for host in HOSTS}

    lab.up()

    assert lab.world.ping("home", TARGET, count=3)
    assert lab.world.ask("home", "tcp", TARGET) == "10.10.13.62 said hello"
    assert lab.world.ask("home", "udp", TARGET) == "10.10.13.62 said hello"
    lab.wgorch("teardown", INVENTORY, "--yes")
    assert {host: firewall(lab.world, host) for host in HOSTS} == before


def test_another_tunnel_dockers_rules_and_what_was_forwarded_before_stay_byte_for_byte(lab: Lab) -> None:
    world = lab.world
    world.sh(
        "company",
        """set -e
        ip link add docker0 type bridge; ip address add 172.17.0.1/16 dev docker0; ip link set docker0 up
        echo 1 >/proc/sys/net/ipv4/ip_forward
        iptables -P FORWARD DROP
        iptables -N DOCKER-USER; iptables -N DOCKER; iptables -A DOCKER-USER -j RETURN
        iptables -A FORWARD -j DOCKER-USER
        iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        iptables -A FORWARD -o docker0 -j DOCKER
        iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
        iptables -t nat -N DOCKER
        iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
        iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
        LOG_LEVEL=error wireguard-go wg1 >/dev/null 2>&1
        umask 077; wg genkey >/run/other.key
        wg set wg1 private-key /run/other.key listen-port 51999 peer $(wg genkey | wg pubkey) allowed-ips 10.99.0.0/24
        ip address add 10.98.0.1/24 dev wg1; ip link set wg1 up; ip route add 10.99.0.0/24 dev wg1
        """,
    )
    ask = (
        "wg showconf wg1;"
        " for c in wg1 docker0; do ip -o -4 address show $c; ip link show $c; ip route show dev $c; done;"
        " grep -r . /proc/sys/net/ipv4/conf/wg1 /proc/sys/net/ipv4/conf/docker0 /proc/sys/net/ipv4/ip_forward"
    )

    def foreign() -> tuple[str, list[str]]:
        rules = [r for r in firewall(world, "company").split("\n") if "wgorch" not in r and r[:1] == "-"]
        return world.sh("company", ask, check=False), rules

    world.sh("bcc", "echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding")
    before, whole = foreign(), everywhere(lab)

    lab.up()

    assert lab.world.ping("home", TARGET)
    assert foreign() == before
    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
    assert since(lab, whole) == {}


def test_up_and_teardown_again_and_again_leave_the_rules_identical(lab: Lab) -> None:
    lab.world.sh(
        "company", "iptables -A FORWARD -i eth9 -j REJECT; iptables -t nat -A POSTROUTING -o eth9 -j MASQUERADE"
    )
    before = {host: firewall(lab.world, host) for host in HOSTS}
    up = ""

    for turn in range(10 if ALL else 4):
        lab.up()
        now = firewall(lab.world, "company")
        assert turn == 0 or now == up
        up = now
        lab.wgorch("teardown", INVENTORY, "--yes", "--quiet")
        assert {host: firewall(lab.world, host) for host in HOSTS} == before


# --- keys, masquerade off, reboot


def test_a_private_key_is_never_overwritten(network: Lab) -> None:
    def keys() -> dict[str, str]:
        return {h: network.world.sh(h, "sha256sum /var/lib/wgorch/office/private_key") for h in HOSTS}

    before = keys()
    network.wgorch("up", INVENTORY)
    assert keys() == before
    network.wgorch("teardown", INVENTORY, "--yes")
    assert keys() == before
    network.up()
    assert keys() == before
    assert len(set(before.values())) == 3


def test_without_masquerade_target_sees_home_itself_and_needs_a_way_back(lab: Lab) -> None:
    inventory = lab.edited(("    subnets: [10.10.13.0/24] ", "    masquerade: false\n    subnets: [10.10.13.0/24] "))
    lab.world.sh("target", "ip route add 192.168.2.0/24 via 10.10.13.62")
    try:
        done = lab.up(inventory)
        assert (
            "machines in 10.10.13.0/24, or their router, must have: ip route add 192.168.2.0/24 via 10.10.13.62"
            in done.stdout
        )
        assert lab.world.ask("home", "tcp", TARGET) == "192.168.2.2 said hello"
        assert "MASQUERADE" not in firewall(lab.world, "company")
    finally:
        lab.world.sh("target", "ip route del 192.168.2.0/24")

    assert lab.world.ask("home", "udp", TARGET) == ""
    if not ALL:
        return  # what follows waits for a first answer, which never comes
    done = lab.wgorch("verify", inventory, code=1)

    said = " ".join(done.stdout.split())
    assert "company: 10.10.13.61 does not reply to 192.168.2.2: it has no return route to 192.168.2.0/24" in said
    assert "or masquerade: true" in said


def test_a_gateway_that_reboots_has_all_of_it_again(network: Lab) -> None:
    def ours() -> tuple[str, ...]:
        world = network.world
        return (
            firewall(world, "company"),
            world.sh("company", "ip route show; ip -o -4 address show wg0 | cut -d ' ' -f 2-; wg show wg0 allowed-ips"),
            world.sh("company", "cd /proc/sys/net/ipv4/conf; grep . */forwarding"),
        )

    before = ours()
    network.world.reboot("company")

    network.wait(lambda: network.world.ping("home", TARGET), 30, "home reaches target after company's reboot")
    assert ours() == before


# --- packages


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Debian's own packages, by file name; fetched outside the world."""
    return fetch(tmp_path_factory.mktemp("packages"), "wireguard-tools", "wireguard-go")


ABSENT = """set -e
mkdir -p /run/absent
for tree in usr etc var/lib; do
    mkdir -p /run/absent/$tree.upper /run/absent/$tree.work
    mount -t overlay -o lowerdir=/$tree,upperdir=/run/absent/$tree.upper,workdir=/run/absent/$tree.work overlay /$tree
done
dpkg --purge --force-depends wireguard-go wireguard-tools >/dev/null 2>&1
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /var/lib/apt/lists
mkdir -p /etc/apt/sources.list.d /etc/apt/apt.conf.d /var/lib/apt/lists/partial
echo 'deb [trusted=yes] file:/run/repository ./' >/etc/apt/sources.list
echo 'APT::Sandbox::User "root"; Dir::Cache "/run/absent";' >/etc/apt/apt.conf.d/00world
"""


def _repository(lab: Lab, host: str, packages: dict[str, bytes]) -> None:
    """A repository of packages below a host's /run, with its index."""
    index = ""
    put(lab.world, host, packages, "/run/repository")
    for name, data in packages.items():
        path = f"/run/repository/{name}"
        control = lab.world.sh(host, f"dpkg-deb -f {path}").strip()
        digest = hashlib.sha256(data).hexdigest()
        index += f"{control}\nFilename: ./{name}\nSize: {len(data)}\nSHA256: {digest}\n\n"
    lab.world.write(host, "/run/repository/Packages", index)


def test_absent_packages_are_installed_by_apt_and_present_ones_are_left(lab: Lab, packages: dict[str, bytes]) -> None:
    world = lab.world
    world.sh("home", ABSENT)
    try:
        _repository(lab, "home", packages)
        assert world.sh("home", "command -v wg wireguard-go || echo none").strip() == "none"

        plan = json.loads(lab.wgorch("plan", INVENTORY, "--json", code=2).stdout)
        installs = {n: [c["object"] for c in h["changes"] if c["step"] == "install"] for n, h in plan["hosts"].items()}
        assert installs == {"bcc": [], "home": ["packages wireguard-go wireguard-tools"], "company": []}

        # Somebody else's apt is at work there: ours waits for it.
        hold = "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(5)"
        holder = world.spawn("home", "/usr/bin/python3", "-c", hold)
        began = time.monotonic()
        lab.up()
        assert time.monotonic() - began > 4
        assert holder.wait(10) == 0
        status = world.sh("home", "dpkg-query -W -f '${Package} ${db:Status-Abbrev}\\n' wireguard-tools wireguard-go")
        assert status.split() == ["wireguard-go", "ii", "wireguard-tools", "ii"]
        assert world.ping("home", TARGET)
        assert "No changes." in lab.wgorch("up", INVENTORY).stdout
        lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
        assert world.sh("home", "command -v wg").strip() == "/usr/bin/wg"
    finally:
        world.reboot("home")


def test_a_package_that_cannot_be_had_stops_it_before_anything_is_touched(lab: Lab) -> None:
    world = lab.world
    world.sh("home", ABSENT)
    try:
        _repository(lab, "home", {})

        done = lab.wgorch("up", INVENTORY, "--yes", code=4)

        assert "home: cannot add packages wireguard-go wireguard-tools" in done.stderr
        assert "wireguard-tools" in done.stderr.split("packages wireguard-go wireguard-tools")[1]
        for host in HOSTS:
            assert (
                world.sh(host, "ls /sys/class/net").split() == world.sh(host, "ls /sys/class/net | grep -v wg0").split()
            )
    finally:
        world.reboot("home")


def test_the_machine_underneath_still_has_its_packages() -> None:
    assert Path("/usr/bin/wg").exists()
