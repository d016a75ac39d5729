"""What a relay's counters say of what it forwards; no answer of a host ends in a traceback."""

from __future__ import annotations

import pytest

from wgorch.drain import _count

IP = "Ip: Forwarding DefaultTTL ForwDatagrams\nIp: 1 64 {}\n"


@pytest.mark.parametrize(
    ("text", "total"),
    [
        (IP.format(12) + "Ip6OutForwDatagrams             \t30\n", 42),
        (IP.format(12), 12),
        ("Ip6OutForwDatagrams 30\n", 30),
        (IP.format("x"), 0),
        (IP.format("-1"), 0),
        (IP.format("٣"), 0),
        ("Ip: Forwarding\n", 0),
        ("", 0),
        ("Ip6OutForwDatagrams " + "9" * 30, 0),
    ],
)
def test_counters_of_both_ip_versions_are_added(text: str, total: int) -> None:
    assert _count(text) == total
