"""The inventory that is proposed for machines without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.interop.hosts import host, targets, tunnel
from wgorch.errors import InventoryError
from wgorch.gather.observed import Observed
from wgorch.interop.proposal import Proposal
from wgorch.interop.propose import NO_ENDPOINT, propose
from wgorch.inventory.load import loads

REFERENCE = {
    "root@203.0.113.13": host("bcc", "eth0 203.0.113.13/24"),
    "root@192.168.0.9": host(
        "home", "docker0 172.17.0.1/16", "eth0 192.168.0.9/24", routes=("0.0.0.0/0 192.168.0.1 eth0",)
    ),
    "root@10.10.13.62": host("company", "ens192 10.10.13.62/24", routes=("0.0.0.0/0 10.10.13.1 ens192",)),
}


def proposed(seen: dict[str, Observed]) -> Proposal:
    return propose(seen, targets(*seen), "office")


def test_the_whole_file() -> None:
    text = proposed(REFERENCE).text()

    assert (
        text
        == """\
# Proposed by `wgorch init` after inspecting each machine. Next: wgorch rehearse; wgorch plan; wgorch up
network:
  name: office
  subnet: 10.99.0.0/24      # free: no machine has an address or a route in it

hosts:
  bcc:
    ssh: root@203.0.113.13
    address: 10.99.0.1
    endpoint: 203.0.113.13:51820      # public address of an interface
    relay: true      # hosts without an endpoint reach each other through it

  home:
    ssh: root@192.168.0.9
    address: 10.99.0.2
    # no endpoint: no public address
    subnets: [192.168.0.0/24]      # LAN of eth0; the other hosts reach it through this one

  company:
    ssh: root@10.10.13.62
    address: 10.99.0.3
    # no endpoint: no public address
    subnets: [10.10.13.0/24]      # LAN of ens192; the other hosts reach it through this one

verify:
  - company -> 192.168.0.1      # router of home's LAN; name a machine that matters instead
  - home -> 10.10.13.1      # router of company's LAN; name a machine that matters instead
"""
    )
    assert ["bcc", "home", "company"] == list(loads(text).hosts)


def test_a_lan_that_is_not_shared_is_left_out() -> None:
    proposal = proposed(REFERENCE)
    proposal.shared["home"].clear()

    assert "192.168.0" not in proposal.text().replace("root@192.168.0.9", "")


def test_without_a_public_address_an_endpoint_is_missing() -> None:
    proposal = proposed({"a": host("a", "eth0 10.0.0.1/24"), "b": host("b", "eth0 10.1.0.2/24", port_taken=True)})

    assert ("", [NO_ENDPOINT]) == (proposal.relay, proposal.notes)
    assert f"# {NO_ENDPOINT}\nnetwork:" in proposal.text()
    assert "listen_port: 51821      # UDP 51820 is in use" in proposal.text()
    with pytest.raises(InventoryError):
        loads(proposal.text())


@pytest.mark.parametrize(("reached", "keeps"), [("2001:db8:7::5", ["a"]), ("10.0.0.9", [])])
def test_an_address_that_two_machines_have_is_the_endpoint_of_the_one_that_ssh_reaches_there(
    reached: str, keeps: list[str]
) -> None:
    one, other = host("a", "eth0 2001:db8:7::5/64"), host("b", "eth0 2001:db8:7::5/64", "eth1 10.0.0.1/24")
    seen = {"root@a": one, "root@b": other, "root@203.0.113.1": host("c", "eth0 203.0.113.1/24")}
    proposal = propose(seen, targets(*seen), "office", {"root@a": reached})

    assert [*keeps, "c"] == [machine.name for machine in proposal.machines if machine.endpoint]
    assert "no endpoint: a has its public address 2001:db8:7::5, too" in proposal.text()
    assert ["a", "b", "c"] == sorted(loads(proposal.text()).hosts)


def test_no_relay_where_every_machine_has_an_endpoint() -> None:
    proposal = proposed({"a": host("a", "eth0 203.0.113.1/24"), "b": host("b", "eth0 198.51.100.3/24")})

    assert "" == proposal.relay
    assert "relay" not in proposal.text()


def test_a_machine_behind_a_cloud_firewall_is_reached_by_the_address_of_ssh() -> None:
    seen = {"root@198.51.100.9": host("cloud", "eth0 10.99.0.5/24"), "b": host("b", "eth0 10.98.0.2/24")}
    (cloud, _), subnet = proposed(seen).machines, str(proposed(seen).subnet)

    assert "198.51.100.9:51820" == cloud.endpoint
    assert "address of its SSH target; open UDP 51820 there, too (cloud firewall)" == cloud.why
    assert "10.97.0.0/24" == subnet


def test_a_port_and_an_interface_that_are_in_use_are_avoided() -> None:
    a = host("a", "eth0 203.0.113.1/24", "wg0 10.1.1.1/24", port_taken=True, wireguard={"wg0": tunnel("a", 51820)})
    text = proposed({"a": a, "b": host("b", "eth0 198.51.100.3/24")}).text()

    assert "endpoint: 203.0.113.1:51821      # UDP 51820 is in use" in text
    assert "interface: wg1      # wg0 exists on one of the machines" in text


def test_a_lan_that_another_machine_is_in_is_not_routed() -> None:
    proposal = proposed({"b": host("b", "eth0 10.98.0.2/24"), "c": host("c", "e 203.0.113.9/24", "eth1 10.98.0.2/16")})

    assert {} == proposal.shared
    assert (
        "10.98.0.0/24 of b is not routed: c has 10.98.0.2/16 on eth1; if it is one LAN, give b subnets: [10.98.0.0/24] "
        "and c behind: b; if they are two, renumber one." == proposal.notes[0]
    )
    assert proposal.notes[1].startswith("10.98.0.0/16 of c is not routed: b has 10.98.0.2/24 on eth0")


def test_a_tunnel_subnet_is_free_or_said_to_be_in_use() -> None:
    ours = [f"{net} 192.0.2.1 eth0" for net in ("10.0.0.0/8", "172.16.0.0/12")]
    routed = {"a": host("a", "eth0 203.0.113.9/24", routes=(*ours, "0.0.0.0/1 192.0.2.1 eth0"))}
    assert "192.168.99.0/24" == str(proposed(routed).subnet)
    routed["b"] = host("b", "eth0 203.0.113.10/24", routes=("192.168.0.0/16 192.0.2.1 eth0",))
    proposal = proposed(routed)
    assert "in use: choose another" in proposal.text()
    assert any("Every candidate for network.subnet is in use" in note for note in proposal.notes)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("docker0 172.17.0.1/16", "of Docker"),
        ("wg3 10.5.0.1/24", "a tunnel"),
        ("eth0 169.254.1.1/16", "link-local"),
        ("eth0 10.0.0.1/32", "a single address"),
        ("eth0 fd00::1/64", "IPv6"),
        ("eth0 203.0.113.13/24", "public"),
    ],
)
def test_what_is_no_lan(address: str, reason: str) -> None:
    assert () == proposed({"a": host("a", address)}).machines[0].lans, reason


def test_a_machine_with_ipv6_alone_is_reachable_by_it() -> None:
    machine = host("six", "eth0 2001:db8::11/64")
    text = propose({"root@2001:db8::11": machine}, targets("root@2001:db8::11"), "office").text()

    assert 'endpoint: "[2001:db8::11]:51820"' in text


def test_an_interface_that_is_down_is_no_endpoint() -> None:
    machine = host("a", "eth0 192.168.0.2/24", "eth1 198.51.100.9/24")
    down = replace(machine.links.devices["eth1"], up=False)
    machine = replace(machine, links=replace(machine.links, devices={**machine.links.devices, "eth1": down}))

    assert "198.51.100.9" not in propose({"a": machine}, targets("a"), "office").text()


@pytest.mark.parametrize(
    ("device", "is_lan"),
    [
        ("br-lan", True),
        ("vmbr0", True),
        ("br-0123456789ab", False),
        ("podman0", False),
        ("lxdbr0", False),
        ("wtf0", True),
        ("docker0", False),
        ("wg1", False),
        ("zte0", True),
    ],
)
def test_whose_an_interface_is_is_told_by_its_whole_name(device: str, is_lan: bool) -> None:
    text = propose({"a": host("a", f"{device} 192.168.7.1/24")}, targets("a"), "office").text()
    assert ("subnets: [192.168.7.0/24]" in text) is is_lan


def test_one_machine_by_two_names_is_one_host() -> None:
    one = host("a", "eth0 203.0.113.9/24")
    found = propose(
        {"a": one, "alias": one, "b": host("b", "eth0 203.0.113.10/24")}, targets("a", "alias", "b"), "office"
    )

    assert len(found.machines) == 2
    assert "alias is the same machine as a: left out." in found.notes
