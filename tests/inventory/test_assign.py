"""Addresses that the inventory leaves open: members keep theirs, and new ones get the next free ones."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from wgorch.inventory.assign import assign
from wgorch.inventory.load import loads
from wgorch.inventory.model import Inventory

NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=3), min_size=1, max_size=20, unique=True)


def network(names: list[str], subnet: str = "192.168.2.0/24", given: dict[str, str] | None = None) -> Inventory:
    lines = ["network:", "  name: office", f"  subnet: {subnet}", "hosts:"]
    for name in names:
        lines += [f"  {name}:", f"    ssh: root@{name}.example", f"    endpoint: {name}.example:51820"]
        if name in (given or {}):
            lines.append(f"    address: {(given or {})[name]}")
    return loads("\n".join(lines) + "\n")


def addresses(inventory: Inventory) -> dict[str, list[str]]:
    return {name: [str(a) for a in host.addresses] for name, host in inventory.hosts.items()}


def test_hosts_get_the_next_free_addresses_in_the_order_of_the_file() -> None:
    found = addresses(network(["bcc", "home", "company"], given={"home": "192.168.2.1"}))

    assert found == {"bcc": ["192.168.2.2"], "home": ["192.168.2.1"], "company": ["192.168.2.3"]}


def test_of_two_subnets_every_host_gets_one_address_each() -> None:
    found = addresses(network(["bcc", "home"], '[192.168.2.0/24, "fd00:2::/64"]', {"home": "192.168.2.9"}))

    assert found == {"bcc": ["192.168.2.1", "fd00:2::1"], "home": ["192.168.2.9", "fd00:2::2"]}


def test_a_large_network_costs_nothing() -> None:
    found = addresses(network([f"h{i}" for i in range(300)], "[10.0.0.0/8]"))

    assert found["h299"] == ["10.0.1.44"]


def test_addresses_of_others_are_not_used() -> None:
    found = assign(network(["bcc", "home"]), taken=[ip_address("192.168.2.1")])

    assert addresses(found) == {"bcc": ["192.168.2.2"], "home": ["192.168.2.3"]}


def test_an_address_that_was_given_to_another_meanwhile_is_not_kept() -> None:
    found = assign(network(["bcc", "home"], given={"bcc": "192.168.2.7"}), {"home": [ip_address("192.168.2.7")]})

    assert addresses(found)["home"] != ["192.168.2.7"]


@settings(deadline=None)
@given(NAMES, NAMES, st.randoms(use_true_random=False))
def test_hosts_keep_their_addresses_when_others_are_added_removed_or_moved(
    before: list[str], after: list[str], random: st.DataObject
) -> None:
    first = network(before)
    names = [*dict.fromkeys([*after, *before[::2]])]
    random.shuffle(names)  # type: ignore[attr-defined]
    then = assign(network(names), {name: host.addresses for name, host in first.hosts.items()})

    for name in set(before) & set(names):
        assert then.hosts[name].addresses == first.hosts[name].addresses
    every = [address for host in then.hosts.values() for address in host.addresses]
    assert len(every) == len(set(every)) == len(names)


def test_a_flow_to_a_host_leads_to_each_of_its_addresses() -> None:
    text = "network: {name: office, subnet: [192.168.2.0/24, 'fd00:2::/64']}\nhosts:\n  a: {ssh: root@a.example, endpoint: a.example:51820}\n  b: {ssh: root@b.example}\nverify:\n  - a -> b\n"

    assert [str(flow.address) for flow in loads(text).verify] == ["192.168.2.2", "fd00:2::2"]
