"""Where the documents' own commands do not do what the documents say; the same questions asked of both networks.

One network is typed by hand as the documents have it, the other is ours. Each question is one function, so what fails
there and passes here is the same thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.lab.capture import firewall
from tests.lab.conftest import HOSTS, INVENTORY, Lab, clean
from wgorch.rehearsal.reference import ReferenceWorld

pytestmark = pytest.mark.slow(30)

TARGET = "10.10.13.61"
OTHER_KEY = "bAZiJthnVFdroOyeCcKd8TNYM/2F2ql9sJEkiPNcBnk="
"""The second public key that the documents show for company."""

INTERFACE = """
wg genkey >/run/private 2>/dev/null
LOG_LEVEL=error wireguard-go wg0 >/dev/null 2>&1
ip addr add {address}/24 dev wg0
wg set wg0 private-key /run/private
ip link set wg0 up
"""
"""The documents' five lines for each host; `ip link add … type wireguard` where the kernel has no WireGuard."""


@dataclass
class ByHand:
    """The documents' network: what they have typed, and what could be seen in between."""

    world: ReferenceWorld
    before_forwarding: bool = False

    def key(self, host: str) -> str:
        return self.world.sh(host, "wg show wg0 public-key").strip()

    def port(self) -> str:
        return self.world.sh("bcc", "wg show wg0 listen-port").strip()

    def interfaces(self) -> None:
        for host, address in {"bcc": "192.168.2.1", "home": "192.168.2.2", "company": "192.168.2.3"}.items():
            self.world.sh(host, INTERFACE.format(address=address))

    def peers(self) -> None:
        relay = f"endpoint 203.0.113.13:{self.port()} persistent-keepalive 15"
        spoke = f"wg set wg0 peer {self.key('bcc')} allowed-ips 192.168.2.0/24 {relay}"
        self.world.sh("home", spoke)
        self.world.sh("company", spoke)
        self.world.sh("bcc", f"wg set wg0 peer {self.key('home')} allowed-ips 192.168.2.2/32 persistent-keepalive 15")
        self.world.sh(
            "bcc",
            f"wg set wg0 peer {self.key('company')} allowed-ips 192.168.2.3/32,10.10.13.0/24 persistent-keepalive 15",
        )

    def rules(self) -> None:
        self.world.sh("home", "ip route add 10.10.13.0/24 via 192.168.2.1 dev wg0")
        self.world.sh(
            "bcc",
            """echo 1 >/proc/sys/net/ipv4/ip_forward
            iptables -t filter -A FORWARD -i wg0 -j ACCEPT
            iptables -t filter -A FORWARD -o wg0 -j ACCEPT
            ip r add 10.10.13.0/24 via 192.168.2.1 dev wg0""",
        )
        self.world.sh(
            "company",
            """echo 1 >/proc/sys/net/ipv4/ip_forward
            iptables -t filter -A FORWARD -i wg0 -o ens192 -j ACCEPT
            iptables -t nat -A POSTROUTING -s 192.168.2.0/24 -o ens192 -j MASQUERADE
            iptables -t filter -A FORWARD -i ens192 -o wg0 -j ACCEPT""",
        )

    def home_may_send_to_the_lan(self) -> None:
        """What is missing in the documents' list, so that other questions can be asked behind it."""
        self.world.sh("home", f"wg set wg0 peer {self.key('bcc')} allowed-ips 192.168.2.0/24,10.10.13.0/24")

    def home_may_not(self) -> None:
        self.world.sh("home", f"wg set wg0 peer {self.key('bcc')} allowed-ips 192.168.2.0/24")


@pytest.fixture(scope="class")
def documents(_reference: Lab) -> Iterator[ByHand]:
    """The complete list of commands of the documents, typed."""
    made = ByHand(_reference.world)
    made.interfaces()
    made.peers()
    for host in ("home", "company"):
        _reference.wait(lambda host=host: made.world.ping(host, "192.168.2.1"), 20, f"{host} reaches the relay")
    made.before_forwarding = made.world.ping("home", "192.168.2.3")
    made.rules()
    yield made
    clean(_reference)


@pytest.fixture(scope="class")
def ours(_reference: Lab) -> Iterator[Lab]:
    """The same network by wgorch; both sides declare their LAN, and no card is named."""
    declared = ("    address: 192.168.2.2\n", "    address: 192.168.2.2\n    subnets: [192.168.0.0/24]\n")
    found_by_itself = ("    lan_interface: ens192              # found by itself where left out\n", "")
    _reference.up(_reference.edited(declared, found_by_itself))
    yield _reference
    clean(_reference)


# --- the questions


def home_reaches_target(world: ReferenceWorld) -> bool:
    return world.ping("home", TARGET)


def no_route_leads_to_the_host_itself(world: ReferenceWorld) -> bool:
    own = world.sh("bcc", "ip -o -4 address show wg0").split()[3].split("/")[0]
    return f"via {own}" not in world.sh("bcc", "ip route show 10.10.13.0/24")


def every_key_at_the_relay_has_an_owner(world: ReferenceWorld) -> bool:
    owned = {world.sh(host, "wg show wg0 public-key").strip() for host in HOSTS}
    return set(world.sh("bcc", "wg show wg0 peers").split()) <= owned


@contextmanager
def a_reject_stands_in_forward(world: ReferenceWorld, where: str) -> Iterator[None]:
    """A firewall's REJECT in company's FORWARD: `-I` before all that is there, `-A` behind it."""
    world.sh("company", f"iptables {where} FORWARD -j REJECT")
    yield
    world.sh("company", "iptables -D FORWARD -j REJECT")


@contextmanager
def lans_know_each_other(world: ReferenceWorld) -> Iterator[None]:
    """One machine of each LAN knows that the other LAN lies behind its gateway."""
    world.sh("controller", "ip route add 10.10.13.0/24 via 192.168.0.9")
    world.sh("target", "ip route add 192.168.0.0/24 via 10.10.13.62; ip route add 192.168.2.0/24 via 10.10.13.62")
    try:
        yield
    finally:
        world.sh("controller", "ip route del 10.10.13.0/24")
        world.sh("target", "ip route del 192.168.0.0/24; ip route del 192.168.2.0/24")


@contextmanager
def routers_may_not_complain(world: ReferenceWorld) -> Iterator[None]:
    """target never hears that a packet of its was too large; many firewalls drop that word."""
    world.sh("target", "iptables -A INPUT -p icmp --icmp-type fragmentation-needed -j DROP; ip route flush cache")
    try:
        yield
    finally:
        world.sh(
            "target", "iptables -D INPUT -p icmp --icmp-type fragmentation-needed -j DROP; nft delete table ip filter"
        )


class TestByTheDocuments:
    """What their commands do."""

    def test_home_may_not_send_to_the_lan_that_it_routes_into_the_tunnel(self, documents: ByHand) -> None:
        assert not home_reaches_target(documents.world)

        documents.home_may_send_to_the_lan()
        assert home_reaches_target(documents.world)
        documents.home_may_not()

    def test_tunnel_addresses_do_not_answer_before_the_relay_forwards(self, documents: ByHand) -> None:
        assert documents.before_forwarding is False
        assert documents.world.ping("home", "192.168.2.3")

    def test_the_relays_route_leads_to_itself(self, documents: ByHand) -> None:
        assert not no_route_leads_to_the_host_itself(documents.world)

    def test_two_keys_are_shown_for_one_host(self, documents: ByHand) -> None:
        relay = f"wg set wg0 peer {OTHER_KEY}"
        documents.world.sh("bcc", f"{relay} allowed-ips 192.168.2.3/32,10.10.13.0/24")

        assert not every_key_at_the_relay_has_an_owner(documents.world)
        assert not documents.world.ping("bcc", "192.168.2.3")

        documents.world.sh("bcc", f"{relay} remove")
        documents.peers()
        assert every_key_at_the_relay_has_an_owner(documents.world)

    def test_rules_appended_behind_a_reject_are_dead(self, documents: ByHand) -> None:
        documents.home_may_send_to_the_lan()
        assert home_reaches_target(documents.world)
        with a_reject_stands_in_forward(documents.world, "-I"):
            assert not home_reaches_target(documents.world)
        documents.home_may_not()

    def test_the_other_documents_hooks_do_not_work(self, documents: ByHand) -> None:
        world = documents.world
        world.write(
            "home", "/run/peers.conf", f"[Peer]\nPublicKey = {documents.key('bcc')}\nAllowedIPs = 192.168.2.0/24\n"
        )
        assert world.run("home", "wg", "addconf", "/run/peers.conf", check=False).returncode != 0
        assert world.run("home", "wg", "addconf", "wg0", "/run/peers.conf", check=False).returncode == 0

        world.write("home", "/run/wg0.conf", "[Interface]\nAllowedIps = 192.0.2.3/24\n")
        refused = world.run("home", "wg", "addconf", "wg0", "/run/wg0.conf", check=False)
        assert refused.returncode != 0
        assert "AllowedIps" in refused.stderr

        documents.home_may_send_to_the_lan()
        world.sh("company", "iptables -t nat -F POSTROUTING; iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE")
        assert not home_reaches_target(world)
        world.sh(
            "company",
            "iptables -t nat -F POSTROUTING; iptables -t nat -A POSTROUTING -s 192.168.2.0/24 -o ens192 -j MASQUERADE",
        )
        assert home_reaches_target(world)
        documents.home_may_not()

    def test_the_companys_side_reaches_nobody_at_home(self, documents: ByHand) -> None:
        documents.home_may_send_to_the_lan()
        with lans_know_each_other(documents.world):
            assert not documents.world.ping("target", "192.168.0.20")
            assert not documents.world.ping("company", "192.168.0.20")
        documents.home_may_not()

    def test_large_packets_vanish(self, documents: ByHand) -> None:
        """With everything added that lets a machine of home's LAN in, but nothing that tells TCP the tunnel's size."""
        world = documents.world
        documents.home_may_send_to_the_lan()
        world.sh("home", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        world.sh("home", "iptables -t nat -A POSTROUTING -s 192.168.0.0/24 -o wg0 -j MASQUERADE")

        assert not world.ping("home", TARGET, "-M", "do", "-s", "1472")
        with lans_know_each_other(world):
            assert world.ask("controller", "tcp", TARGET).endswith("said hello")
            with routers_may_not_complain(world):
                assert world.ask("controller", "tcp", TARGET, text="send 10000000") == ""
        documents.home_may_not()

    def test_the_relays_port_is_another_one_after_its_restart(self, documents: ByHand) -> None:
        """The last of its class: it leaves the relay without its peers."""
        before = documents.port()
        documents.world.sh("bcc", "ip link delete wg0")
        documents.world.sh("bcc", INTERFACE.format(address="192.168.2.1"))

        assert documents.port() != before


class TestByUs:
    """What ours does, asked the same."""

    def test_home_may_send_to_the_lan_that_it_routes_into_the_tunnel(self, ours: Lab) -> None:
        assert home_reaches_target(ours.world)

    def test_every_tunnel_address_answers_every_host(self, ours: Lab) -> None:
        assert ours.world.ping("home", "192.168.2.3")
        assert ours.world.ping("company", "192.168.2.2")

    def test_no_route_leads_to_the_host_itself(self, ours: Lab) -> None:
        assert no_route_leads_to_the_host_itself(ours.world)

    def test_there_is_one_key_for_one_host(self, ours: Lab) -> None:
        assert every_key_at_the_relay_has_an_owner(ours.world)

    def test_rules_stand_before_a_reject(self, ours: Lab) -> None:
        with a_reject_stands_in_forward(ours.world, "-A"):
            assert home_reaches_target(ours.world)

    def test_masquerade_leaves_by_the_card_that_the_host_has(self, ours: Lab) -> None:
        rules = [rule for rule in firewall(ours.world, "company").split("\n") if "MASQUERADE" in rule]

        assert rules != []
        assert [rule for rule in rules if "-o ens192 " not in rule] == []

    def test_both_sides_reach_each_other(self, ours: Lab) -> None:
        with lans_know_each_other(ours.world):
            assert ours.world.ping("target", "192.168.0.20")
            assert ours.world.ping("company", "192.168.0.20")
            assert ours.world.ping("controller", TARGET)

    def test_large_packets_pass(self, ours: Lab) -> None:
        with lans_know_each_other(ours.world), routers_may_not_complain(ours.world):
            assert ours.world.ask("controller", "tcp", TARGET, text="send 10000000") == "all"

    def test_the_relays_port_is_the_same_after_its_restart(self, ours: Lab) -> None:
        before = ours.world.sh("bcc", "wg show wg0 listen-port")
        ours.world.reboot("bcc")

        ours.wait(lambda: "wg0" in ours.world.sh("bcc", "ls /sys/class/net"), 20, "the relay's tunnel is there again")
        assert ours.world.sh("bcc", "wg show wg0 listen-port") == before
        assert before.strip() == "38371"


def test_a_firewall_that_ends_in_reject_before_up_lets_the_network_through(lab: Lab) -> None:
    lab.world.sh("company", "iptables -A FORWARD -j REJECT")

    lab.up(INVENTORY)

    assert home_reaches_target(lab.world)
