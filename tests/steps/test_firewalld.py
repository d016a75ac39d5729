"""The steps of steps/firewalld.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import UP, ZONE, ZONES, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "firewalld_prepare": [
        ("firewalld knows them", replace(UP, firewalld=ZONE, zones=ZONES), replace(UP, zones=ZONES), []),
        ("nothing is wanted of it", UP, UP, []),
    ],
    "firewalld": [
        (
            "the tunnel comes into the zone, and is let through",
            replace(UP, firewalld=ZONE),
            UP,
            [
                ("+", ["firewalld_set --zone=wgo-office --change-interface=wg0"]),
                ("+", ["firewalld_set --policy=wgo-office-udp --add-port=51820/udp"]),
            ],
        ),
        (
            "the tunnel leaves it last",
            UP,
            replace(UP, firewalld=ZONE | {"wgo-office forward yes"}),
            [
                ("-", ["firewalld_unset --zone=wgo-office --remove-forward"]),
                ("-", ["firewalld_unset --policy=wgo-office-udp --remove-port=51820/udp"]),
                ("-", ["firewalld_unset --zone=wgo-office --remove-interface=wg0"]),
            ],
        ),
    ],
    "firewalld_permanent": [
        (
            "what differs is written",
            replace(UP, zone_files={"wgo-office": "a", "wgo-office-in": "b"}),
            replace(UP, zone_files={"wgo-office": "a", "wgo-office-in": "c"}),
            [("~", ["write_file /etc/firewalld/policies/wgo-office-in.xml 644\nb"])],
        ),
        (
            "teardown takes the files",
            UP,
            replace(UP, zone_files={"wgo-office": "a"}),
            [("-", ["rm -f /etc/firewalld/zones/wgo-office.xml /etc/firewalld/zones/wgo-office.xml.old"])],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
