"""Merged and sorted networks."""

from __future__ import annotations

from ipaddress import collapse_addresses, ip_network

from hypothesis import given
from hypothesis import strategies as st

from wgorch.topology.prefixes import merged, ordered

NETWORKS = st.lists(st.tuples(st.integers(0, 15), st.integers(20, 32)), max_size=12).map(
    lambda pairs: [ip_network((10 << 24 | first << 8, length), strict=False) for first, length in pairs]
)


@given(NETWORKS)
def test_networks_merge_as_the_standard_library_does_it(networks: list) -> None:
    assert list(collapse_addresses(networks)) == merged(networks)


@given(NETWORKS)
def test_ip_versions_merge_apart_from_each_other(networks: list) -> None:
    ipv6 = ip_network("2001:db8::/32")

    assert [*merged(networks), ipv6] == merged([ipv6, *networks, ipv6])


def test_networks_sort_by_version_address_and_prefix() -> None:
    texts = ["10.0.0.0/8", "10.0.0.0/24", "192.168.0.0/16", "fd00::/8"]

    assert tuple(map(ip_network, texts)) == ordered(map(ip_network, reversed(texts)))
