"""The script that captures a probe on one host."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from wgorch.trace.observe import script
from wgorch.trace.probe import Probe


@pytest.mark.parametrize("target", ["10.10.13.61", "fd10:13::61"])
@pytest.mark.parametrize("protocol", ["icmp", "tcp", "udp"])
def test_the_script_names_its_table_and_target(target: str, protocol: str) -> None:
    source = "192.168.2.2" if "." in target else "fd00:2::2"
    probe = Probe(ip_address(source), ip_address(target), protocol, 0 if protocol == "icmp" else 443)
    text = script(probe, "abcd", ("wg0",), (51820,), "")

    assert "wgorch-trace-abcd" in text
    assert f"target={target}" in text
    assert ("ip6 " in text) == (":" in target) or "outer6" in text


def test_only_the_source_sends() -> None:
    probe = Probe(ip_address("192.168.2.2"), ip_address("10.10.13.61"))

    assert "arrives_by=''" in script(probe, "abcd", ("wg0",), (51820,), "").split("\n")
    assert "arrives_by=wg0" in script(probe, "abcd", ("wg0",), (51820,), "wg0").split("\n")


def test_small_and_full_size_packets_are_matched_by_their_length() -> None:
    """nft's `ip length` counts the IP header, `ip6 length` does not."""
    four = Probe(ip_address("192.168.2.2"), ip_address("10.10.13.61"), size=173, full_size=1392)
    six = Probe(ip_address("fd00:2::2"), ip_address("fd10:13::61"), size=173, full_size=1372)

    assert [match.rpartition(" ")[2] for _, match in four.matches()] == ["201", "201", "1420", "1420"]
    assert [match.rpartition(" ")[2] for _, match in six.matches()] == ["181", "181", "1380", "1380"]
    assert (four.full_mtu, six.full_mtu) == (1420, 1420)
