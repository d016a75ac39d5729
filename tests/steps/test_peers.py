"""The steps of steps/peers.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, OTHER, PEER, UP, Row, make, rows, with_peer
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "peers": [
        ("as wanted", replace(UP, **with_peer("10.0.0.2/32")), replace(UP, **with_peer("10.0.0.2/32")), []),
        (
            "missing",
            replace(UP, **with_peer("10.0.0.2/32", "10.10.13.0/24", endpoint="203.0.113.13:38371", keepalive=15)),
            UP,
            [
                (
                    "+",
                    [
                        f"wg set wg0 peer {PEER} allowed-ips 10.0.0.2/32,10.10.13.0/24 "
                        "endpoint 203.0.113.13:38371 persistent-keepalive 15"
                    ],
                )
            ],
        ),
        (
            "it lacks a network: its whole list is stated",
            replace(UP, **with_peer("10.0.0.2/32", "10.10.13.0/24")),
            replace(UP, **with_peer("10.0.0.2/32")),
            [("~", [f"wg set wg0 peer {PEER} allowed-ips 10.0.0.2/32,10.10.13.0/24 persistent-keepalive 0"])],
        ),
        (
            "an endpoint learned from its packets is no difference",
            replace(UP, **with_peer("10.0.0.2/32")),
            replace(UP, **with_peer("10.0.0.2/32", endpoint="198.51.100.7:4000")),
            [],
        ),
        (
            "an endpoint by name is compared by its port",
            replace(UP, **with_peer("10.0.0.2/32", endpoint="bcc.example:51820")),
            replace(UP, **with_peer("10.0.0.2/32", endpoint="203.0.113.13:51820")),
            [],
        ),
        (
            "another endpoint",
            replace(UP, **with_peer("10.0.0.2/32", endpoint="203.0.113.13:51820")),
            replace(UP, **with_peer("10.0.0.2/32", endpoint="203.0.113.14:51820")),
            [
                (
                    "~",
                    [
                        f"wg set wg0 peer {PEER} allowed-ips 10.0.0.2/32 "
                        "endpoint 203.0.113.13:51820 persistent-keepalive 0"
                    ],
                )
            ],
        ),
        (
            "another keepalive",
            replace(UP, **with_peer("10.0.0.2/32", keepalive=25)),
            replace(UP, **with_peer("10.0.0.2/32")),
            [("~", [f"wg set wg0 peer {PEER} allowed-ips 10.0.0.2/32 persistent-keepalive 25"])],
        ),
        (
            "another preshared key: its sessions end, so that the next one proves it",
            replace(UP, **with_peer("10.0.0.2/32", preshared="psk.bcc.2")),
            replace(UP, **with_peer("10.0.0.2/32", preshared="psk.bcc.1")),
            [
                (
                    "~",
                    [
                        f"wg set wg0 peer {PEER} remove peer {PEER} preshared-key /var/lib/wgorch/office/psk.bcc.2 "
                        "allowed-ips 10.0.0.2/32 persistent-keepalive 0"
                    ],
                )
            ],
        ),
        ("a stranger", UP, replace(UP, **with_peer("10.0.0.2/32")), [("-", [f"wg set wg0 peer {PEER} remove"])]),
        (
            "another key for the same host: the new one first, so that the address moves",
            replace(UP, **with_peer("10.0.0.2/32", key=OTHER)),
            replace(UP, **with_peer("10.0.0.2/32")),
            [
                (
                    "~",
                    [
                        f"wg set wg0 peer {OTHER} allowed-ips 10.0.0.2/32 persistent-keepalive 0",
                        f"wg set wg0 peer {PEER} remove",
                    ],
                ),
            ],
        ),
        ("they go with the interface", BASE, replace(UP, **with_peer("10.0.0.2/32")), []),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
