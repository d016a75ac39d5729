"""What becomes of flows by what the last host of their path counted."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from wgorch.inventory.flow import Flow
from wgorch.inventory.policy import Service
from wgorch.verify.arrivals import _counted, judged
from wgorch.verify.measure import Attempt

UDP = Flow("home", "10.10.13.61", ip_address("10.10.13.61"), Service("udp", ((53, 53),)))
TCP = UDP._replace(service=Service("tcp", ((22, 22),)), refused=True)

LISTED = """\
table inet wgorch-verify-00000000 {
	chain input {
		ct direction original ct original ip saddr 10.8.0.2 meta l4proto udp ct original proto-dst 53 counter packets 0 bytes 0 comment "flow 0"
		ct direction original ct original ip saddr 10.8.0.2 meta l4proto tcp ct original proto-dst 22 counter packets 0 bytes 0 comment "flow 1"
	}
	chain postrouting {
		ct direction original ct original ip saddr 10.8.0.2 meta l4proto udp ct original proto-dst 53 counter packets 3 bytes 105 comment "flow 0"
		ct direction original ct original ip saddr 10.8.0.2 meta l4proto tcp ct original proto-dst 22 counter packets 0 bytes 0 comment "flow 1"
	}
}"""


def test_a_flow_arrived_where_either_hook_saw_it() -> None:
    assert {0: True, 1: False} == _counted(LISTED.split("\n"))


def test_a_table_that_is_gone_has_counted_nothing() -> None:
    assert {} == _counted(["Error: No such file or directory"])


@pytest.mark.parametrize(
    ("flow", "attempt", "counted", "came", "becomes"),
    [
        (UDP, Attempt.SILENT, {UDP}, {UDP}, Attempt.ARRIVED),
        (UDP, Attempt.SILENT, {UDP}, set(), Attempt.SILENT),
        (UDP, Attempt.SILENT, set(), set(), Attempt.UNSEEN),
        (UDP, Attempt.OPEN, set(), set(), Attempt.OPEN),
        (UDP, Attempt.CLOSED, {UDP}, {UDP}, Attempt.CLOSED),
        (UDP, Attempt.CLOSED, {UDP}, set(), Attempt.REJECTED),
        (UDP, Attempt.CLOSED, set(), set(), Attempt.CLOSED),
        (UDP, Attempt.UNABLE, {UDP}, set(), Attempt.UNABLE),
        (TCP, Attempt.SILENT, {TCP}, {TCP}, Attempt.SILENT),
        (TCP, Attempt.CLOSED, {TCP}, set(), Attempt.REJECTED),
        (TCP, Attempt.CLOSED, {TCP}, {TCP}, Attempt.CLOSED),
    ],
)
def test_silence_means_what_was_counted(
    flow: Flow, attempt: Attempt, counted: set[Flow], came: set[Flow], becomes: Attempt
) -> None:
    assert {flow: becomes} == judged({flow: attempt}, counted, came)
