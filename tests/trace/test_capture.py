"""The parser of what a host captured."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.trace.recordings import recorded
from wgorch.errors import Garbled
from wgorch.gather.gather import NONCE
from wgorch.trace.capture import parse
from wgorch.trace.drops import Drop, counted, traced
from wgorch.trace.probe import Kind, Probe
from wgorch.trace.sightings import Sighting, of_tcpdump

PROBE = Probe(ip_address("192.168.2.2"), ip_address("10.10.13.61"), full_size=1392)


def test_a_recorded_answer_is_read() -> None:
    _, captures, _ = recorded("healthy")
    home, company = captures["home"], captures["company"]

    assert (home.tool, home.answered, home.full_answered) == ("nft", True, True)
    assert (company.answered, company.full_answered) == (None, None)
    assert company.sighted(Kind.REQUEST, "out", "ens192") == (Sighting("ens192", "10.10.13.62", "10.10.13.61"),)
    assert company.sighted(Kind.REQUEST, "out", "wg0") == ()
    assert company.drops == ()


def test_a_host_whose_answer_is_malformed_is_garbled() -> None:
    for text in ("", "no\n", f"\n{NONCE} by\nnft\n\n{NONCE} end\n"):
        with pytest.raises(Garbled):
            parse("home", text, PROBE)


def test_tcpdump_tells_requests_replies_and_sizes() -> None:
    lines = [
        "sight 12:00:00.1 wg0   In  IP 192.168.2.2 > 10.10.13.61: ICMP echo request, id 1, seq 1, length 181",
        "sight 12:00:00.2 ens192 Out IP 10.10.13.62 > 10.10.13.61: ICMP echo request, id 1, seq 1, length 1400",
        "sight 12:00:00.3 wg0   Out IP 10.10.13.61 > 192.168.2.2: ICMP echo reply, id 1, seq 1, length 181",
        "trace id 1 ip filter FORWARD policy drop",
    ]

    assert of_tcpdump(lines, PROBE) == {
        "request in": (Sighting("wg0", "192.168.2.2", "10.10.13.61"),),
        "request-full out": (Sighting("ens192", "10.10.13.62", "10.10.13.61"),),
        "reply out": (Sighting("wg0", "10.10.13.61", "192.168.2.2"),),
    }


def test_tcpdump_tells_the_direction_of_tcp_by_its_addresses() -> None:
    probe = Probe(ip_address("fd00:2::2"), ip_address("fd10:13::61"), "tcp", 443)
    lines = [
        "sight 12:00:00.1 wg0 In IP6 fd00:2::2.40000 > fd10:13::61.443: Flags [S], length 0",
        "sight 12:00:00.2 wg0 Out IP6 fd10:13::61.443 > fd00:2::2.40000: Flags [S.], length 0",
    ]

    assert of_tcpdump(lines, probe) == {
        "request in": (Sighting("wg0", "fd00:2::2", "fd10:13::61"),),
        "reply out": (Sighting("wg0", "fd10:13::61", "fd00:2::2"),),
    }


def test_drops_are_told_by_rule_or_policy() -> None:
    lines = [
        "trace id 5c3a3a3e inet foreign guard rule ip daddr 10.10.13.61 counter packets 3 bytes 252 drop (verdict drop)",
        "trace id 5c3a3a3e ip filter FORWARD policy drop",
        "trace id 5c3a3a3e inet foreign guard rule ip daddr 10.10.13.61 reject with icmp port-unreachable",
        "trace id 5c3a3a3e ip filter FORWARD rule accept (verdict accept)",
    ]

    assert list(traced(lines)) == [
        Drop("inet foreign guard", "ip daddr 10.10.13.61 drop"),
        Drop("ip filter FORWARD", ""),
        Drop("inet foreign guard", "ip daddr 10.10.13.61 reject with icmp port-unreachable"),
    ]


def test_a_counter_that_grew_by_the_probe_names_its_rule() -> None:
    before = ["*filter", ":FORWARD DROP [7:588]", "[1:84] -A FORWARD -i eth1 -j DROP", "[0:0] -A FORWARD -j REJECT"]
    after = ["*filter", ":FORWARD DROP [10:840]", "[3:252] -A FORWARD -i eth1 -j DROP", "[3:252] -A FORWARD -j REJECT"]

    assert list(counted(before, after, PROBE)) == [Drop("filter FORWARD", ""), Drop("filter FORWARD", "-j REJECT")]
