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
        "version": 1,
        "changes": 0,
        "hosts": {},
        "code": MIXED,
        "hosts_stand": {
            "home": {"state": "unknown", "why": "not reached"},
            "bcc": {"state": "rolled-back", "why": ""},
        },
        "errors": ["home: cannot connect: no route"],
        "orphans": ["attic", "spoke"],
        "round_trips": {"home": 3},
        "ssh_handshakes": 2,
        "direct": [
            {"hosts": ["home", "bcc"], "works": False, "why": "no handshake"},
            {"hosts": ["bcc", "company"], "works": True, "why": ""},
        ],
    } == json.loads(json.dumps(up_json(outcome)))


def test_the_outcome_of_teardown() -> None:
    outcome = Outcome(DONE, standing={"home": HostOutcome(HostState.APPLIED, "confirmed")})

    assert {
        "version": 1,
        "changes": 0,
        "hosts": {},
        "code": DONE,
        "hosts_stand": {"home": {"state": "applied", "why": "confirmed"}},
    } == json.loads(json.dumps(teardown_json(outcome)))


def test_the_result_of_check() -> None:
    flow = "home -> 10.99.0.1: no route"

    assert {"version": 1, "good": True, "hosts": 3, "refuted": []} == check_json(INVENTORY, [])
    assert {"version": 1, "good": False, "hosts": 3, "refuted": [flow]} == check_json(INVENTORY, [flow])
