"""Flows that are no pings to be answered: what their results mean."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from wgorch.inventory.flow import Flow
from wgorch.inventory.policy import Service
from wgorch.verify.attempts import attempted, works
from wgorch.verify.measure import Attempt, Measurement

TCP = Flow("home", "10.10.13.61", ip_address("10.10.13.61"), Service("tcp", ((22, 22),)))
REFUSED = TCP._replace(refused=True)
UDP = TCP._replace(service=Service("udp", ((53, 53),)))


@pytest.mark.parametrize(
    ("flow", "attempt", "finding"),
    [
        (TCP, Attempt.OPEN, ""),
        (TCP, Attempt.CLOSED, "10.10.13.61 is reached, but nothing listens on tcp 22"),
        (TCP, Attempt.SILENT, "no answer"),
        (TCP, Attempt.UNABLE, "not measured: nothing here can connect"),
        (REFUSED, Attempt.SILENT, ""),
        (REFUSED, Attempt.OPEN, "it gets through"),
        (REFUSED, Attempt.CLOSED, "it gets through"),
        (REFUSED, Attempt.UNABLE, "not measured: nothing here can connect"),
        (REFUSED, Attempt.REJECTED, ""),
        (TCP, Attempt.REJECTED, "a firewall on the way rejects it"),
        (UDP, Attempt.OPEN, ""),
        (UDP, Attempt.ARRIVED, ""),
        (UDP, Attempt.SILENT, "it does not arrive"),
        (UDP, Attempt.UNSEEN, "not measured: no answer, and nothing shows whether it arrives"),
        (UDP._replace(refused=True), Attempt.SILENT, ""),
        (UDP._replace(refused=True), Attempt.ARRIVED, "it gets through"),
        (TCP._replace(service=Service("ping"), refused=True), Attempt.OPEN, "it gets through"),
    ],
)
def test_a_result_is_a_fault_or_not(flow: Flow, attempt: Attempt, finding: str) -> None:
    found = list(attempted(Measurement("home", {}, {}, {}, attempts={flow: attempt})))

    assert [f"{flow}: {finding}"] * bool(finding) == [each.what for each in found]
    assert works(flow, attempt) is (not finding)
    assert all(each.hint and each.pair == ("home", str(flow)) for each in found)


def test_where_nothing_can_see_it_a_refused_datagram_is_no_fault_and_no_success() -> None:
    flow = UDP._replace(refused=True)

    assert [] == list(attempted(Measurement("home", {}, {}, {}, attempts={flow: Attempt.UNSEEN})))
    assert not works(flow, Attempt.UNSEEN)
