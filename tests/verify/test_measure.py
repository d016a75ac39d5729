"""The script that measures, and the parser of its output."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.verify.networks import BCC, COMPANY
from wgorch.errors import Garbled
from wgorch.gather.gather import NONCE
from wgorch.inventory.flow import Flow
from wgorch.inventory.policy import PINGS, Service
from wgorch.verify.measure import Attempt, Ping, Targets, parse, script

END = f"\n{NONCE} latest-handshakes\n{NONCE} end\n"


def test_what_ping_prints_is_counted() -> None:
    text = (
        "ping 0 3 packets transmitted, 2 received, 33% packet loss, time 402ms rtt min/avg/max/mdev = 0.1/0.25/0.3/0.1 ms\n"
        f"ping 1 3 packets transmitted, 0 packets received, 100% packet loss\n{END}"
    )
    measurement = parse("home", text, Targets([BCC, COMPANY], [], []))

    assert measurement.pings == {BCC: Ping(3, 2, 0.1), COMPANY: Ping(3, 0, None)}


def test_the_largest_packet_that_fits_counts_its_headers() -> None:
    six = ip_address("fd00:2::1")
    measurement = parse("home", f"fits 0 1292\nfits 1 1272\nfits 2 9\n{END}", Targets([BCC, six], [], []))

    assert measurement.fits == {BCC: 1320, six: 1320}


@pytest.mark.parametrize("text", ["", "ping 0 3 packets transmitted, 3 received\n", f"\n{NONCE} latest-handshakes\n"])
def test_a_truncated_answer_is_garbled(text: str) -> None:
    with pytest.raises(Garbled) as raised:
        parse("home", text, Targets([BCC], [], []))

    assert raised.value.problem == "the answer is truncated"


def test_full_size_packets_fill_the_tunnel() -> None:
    six = ip_address("fd00:2::1")
    lines = script("wg0", Targets([BCC, six, COMPANY], [BCC, six], []), 1420, 20).split("\n")

    assert "targets='192.168.2.1/1392 fd00:2::1/1372 192.168.2.3'" in lines


def test_a_ping_that_does_not_run_measures_nothing() -> None:
    text = f"ping 0 unable ping: socket: Operation not permitted\n\n{NONCE} latest-handshakes\n\n{NONCE} end\n"
    measurement = parse("home", text, Targets([BCC], [], []))
    assert measurement.pings[BCC].unable == "ping: socket: Operation not permitted"


TCP = Flow("home", "company", COMPANY, Service("tcp", ((22, 22),)))


def test_flows_are_tried_with_their_port_and_refused_ones_once() -> None:
    refused = TCP._replace(refused=True)
    ping = TCP._replace(service=PINGS, refused=True)
    lines = script("wg0", Targets([], [], [TCP, refused, ping]), 1420, 20).split("\n")

    words = [f"tcp/{COMPANY}/22/3", f"tcp/{COMPANY}/22/1", f"ping/{COMPANY}/0/1"]
    assert f"attempts='{' '.join(words)}'" in lines


def test_what_became_of_each_flow_is_read() -> None:
    flows = [TCP, TCP._replace(refused=True)]
    text = f"attempt 1 silent\nattempt 0 closed\nattempt 7 open\nattempt 0 strange\n{END}"
    measurement = parse("home", text, Targets([], [], flows))

    assert {flows[0]: Attempt.CLOSED, flows[1]: Attempt.SILENT} == measurement.attempts
