"""JSON of the verbs that change hosts, and of check."""

from __future__ import annotations

import json
from pathlib import Path

from wgorch.errors import DONE, MIXED, Unreachable
from wgorch.inventory.load import load
from wgorch.outcome import DirectResult, HostOutcome, HostState, Outcome
from wgorch.report.as_json import check_json, teardown_json, up_json

INVENTORY = load(Path(__file__).parents[2] / "inventory" / "home-company.yaml")


def test_the_outcome_of_up() -> None:
    outcome = Outcome(
        MIXED,
        standing={"home": HostOutcome(HostState.UNKNOWN, "not reached"), "bcc": HostOutcome()},
        failed=(Unreachable("home", "connect", "no route"),),
        exchanges={"home": 3},
        handshakes=2,
        tried=(DirectResult("home", "bcc", "no handshake"), DirectResult("bcc", "company")),
        removed=("old",),
        orphans={"spoke": "no route", "attic": ""},
    )

    assert {
        "version": 2,
        "absent": {},
        "changes": 0,
        "disruptive": 0,
        "removed_hosts": [],
        "hosts": {},
        "exit_code": MIXED,
        "host_states": {
            "home": {"state": "unknown", "reason": "not reached"},
            "bcc": {"state": "rolled-back", "reason": ""},
        },
        "errors": ["home: cannot connect: no route"],
        "orphans": ["attic", "spoke"],
        "round_trips": {"home": 3},
        "ssh_handshakes": 2,
        "direct_peers": [
            {"hosts": ["home", "bcc"], "direct": False, "reason": "no handshake"},
            {"hosts": ["bcc", "company"], "direct": True, "reason": ""},
        ],
    } == json.loads(json.dumps(up_json(outcome)))


def test_the_outcome_of_teardown() -> None:
    outcome = Outcome(
        DONE, standing={"home": HostOutcome(HostState.APPLIED, "confirmed")}, others={"bcc": ("branch", "hq")}
    )

    assert {
        "version": 2,
        "absent": {},
        "changes": 0,
        "disruptive": 0,
        "removed_hosts": [],
        "hosts": {},
        "exit_code": DONE,
        "host_states": {"home": {"state": "applied", "reason": "confirmed"}},
        "other_networks": {"bcc": ["branch", "hq"]},
    } == json.loads(json.dumps(teardown_json(outcome)))


def test_the_result_of_check() -> None:
    flow = "home -> 10.99.0.1: no route"

    assert {"version": 2, "ok": True, "hosts": 3, "unreachable_flows": []} == check_json(INVENTORY, [])
    assert {"version": 2, "ok": False, "hosts": 3, "unreachable_flows": [flow]} == check_json(INVENTORY, [flow])
