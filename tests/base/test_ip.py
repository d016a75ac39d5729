"""IP addresses and networks: what a text names, what is public, longest prefix match."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgorch.base.ip import Prefixes, as_ip, is_ip_endpoint, is_ip_host, is_public, network, network_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("fe80::1%eth0", True),
        ("[2001:db8::1]", False),
        ("192.0.2.1:22", False),
        ("192.0.2", False),
        ("192.0.2.1/24", False),
        ("host.example", False),
        ("", False),
    ],
)
def test_a_text_is_an_address_or_none(text: str, expected: bool) -> None:
    assert expected == (as_ip(text) is not None)
    assert as_ip(text) == (ip_address(text) if expected else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1:51820", True),
        ("[2001:db8::1]:51820", True),
        ("2001:db8::1:51820", True),
        ("host.example:51820", False),
        ("192.0.2.1", False),
    ],
)
def test_an_endpoint_is_of_an_address_or_of_a_name(text: str, expected: bool) -> None:
    assert expected == is_ip_endpoint(text)


@pytest.mark.parametrize(
    ("host", "expected"), [("192.0.2.1", True), ("2001:db8::1", True), ("host.example", False), ("x1", False)]
)
def test_a_valid_host_is_an_address_if_it_has_no_letter(host: str, expected: bool) -> None:
    assert expected == is_ip_host(host)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10.1.2.3", "private use"),
        ("172.31.255.255", "private use"),
        ("192.168.0.9", "private use"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("fd00::1", "unique local"),
    ],
)
def test_an_address_that_the_internet_cannot_reach_is_not_public(text: str, reason: str) -> None:
    assert not is_public(ip_address(text)), reason


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "203.0.113.13", "2001:db8::1", "2606:4700::1"]
)
def test_every_other_address_is_public_and_so_are_those_of_documentation(text: str) -> None:
    assert is_public(ip_address(text))


def test_a_network_is_read_with_host_bits_and_written_without() -> None:
    assert ip_network("10.0.0.0/24") == network("10.0.0.7/24")
    assert ["10.0.0.0/24"] * 2 == [network_text(network("10.0.0.7/24")) for _ in range(2)]


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(8, 16)), max_size=20),
    st.integers(0, (1 << 16) - 1),
)
def test_the_longest_prefix_decides(nets: list[tuple[int, int]], low: int) -> None:
    table = [ip_network((first << 24 | low << 8, 16 + length), strict=False) for first, length in nets]
    address = ip_address((nets[0][0] if nets else 0) << 24 | low << 8)
    expected = max((net for net in table if address in net), key=lambda net: net.prefixlen, default=None)

    assert expected == Prefixes((net, net) for net in table).of(address)


def test_of_two_values_for_a_network_the_first_is_kept_and_ip_versions_are_apart() -> None:
    table = Prefixes([(network("0.0.0.0/0"), "first"), (network("0.0.0.0/0"), "second")])

    assert ("first", None) == (table.of(ip_address("192.0.2.1")), table.of(ip_address("::1")))
