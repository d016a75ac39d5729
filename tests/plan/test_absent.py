"""Entries of absent hosts are found on their peers, and what would strand such a host is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.interop.hosts import host, key_of, peer, tunnel
from wgorch.inventory.assign import assign
from wgorch.inventory.load import load
from wgorch.plan.absent import Absence, absences, keys_held, stranded
from wgorch.state.state import State
from wgorch.state.wireguard import Interface
from wgorch.topology.topology import build

TOPOLOGY = build(assign(load(Path(__file__).parents[2] / "inventory" / "home-company.yaml")))
MARK = "wgorch:office"


def bcc(*entries: Any) -> Any:
    return host("bcc", "wg0 192.168.2.1/24", wireguard={"wg0": tunnel("bcc", 38371, *entries)}, alias=MARK)


def home(*entries: Any) -> Any:
    return host("home", "wg0 192.168.2.2/24", wireguard={"wg0": tunnel("home", 51820, *entries)}, alias=MARK)


@pytest.mark.parametrize(
    ("seen", "absent", "key"),
    [
        (bcc(peer("x", "192.168.2.3/32", "10.10.13.0/24")), "company", "x"),
        (bcc(peer("x", "192.168.2.3/32")), "company", "x"),
        (bcc(peer("x", "192.168.2.4/32")), "company", ""),
        (bcc(), "company", ""),
        (home(peer("x", "192.168.2.0/24", "10.10.13.0/24")), "bcc", "x"),
        (home(peer("x", "10.0.0.0/8", endpoint="203.0.113.13:38371")), "bcc", "x"),
        (home(peer("x", "10.0.0.0/8", endpoint="203.0.113.14:38371")), "bcc", ""),
    ],
)
def test_the_key_of_an_absent_host_is_the_one_that_its_peer_has(seen: Any, absent: str, key: str) -> None:
    assert keys_held(TOPOLOGY, seen, [absent], ()) == {absent: key_of(key) if key else ""}


def test_a_key_of_a_host_that_was_read_is_no_absent_hosts() -> None:
    seen = bcc(peer("x", "192.168.2.3/32"))
    assert keys_held(TOPOLOGY, seen, ["company"], [key_of("x")]) == {"company": ""}


def test_one_entry_is_one_hosts() -> None:
    seen = bcc(peer("x", "192.168.2.3/32", "192.168.2.2/32"))
    found = keys_held(TOPOLOGY, seen, ["home", "company"], ())
    assert sorted(found.values()) == ["", key_of("x")]


def test_an_interface_of_others_says_nothing() -> None:
    seen = host("bcc", "wg0 1.2.3.4/24", wireguard={"wg0": tunnel("bcc", 1, peer("x", "192.168.2.3/32"))})
    assert keys_held(TOPOLOGY, seen, ["company"], ()) == {"company": ""}


def test_the_absence_is_since_the_latest_handshake_of_any_peer() -> None:
    wg = bcc(peer("x", "192.168.2.3/32"))
    live = replace(wg.wireguard["wg0"], traffic={key_of("x"): SimpleNamespace(handshake_age=lambda _now: 70)})
    seen = {"bcc": replace(wg, wireguard={"wg0": live}), "home": home()}
    held = {"bcc": {"company": key_of("x")}, "home": {"company": ""}}

    assert absences(TOPOLOGY, seen, held, ["company"]) == {"company": Absence(70, "bcc")}
    assert absences(TOPOLOGY, {"home": home()}, held, ["company"]) == {"company": Absence()}


def plan(**new: Any) -> Any:
    old = Interface("wg0", MARK, 1420, 38371, "key")
    state = State(MARK, "/x", interfaces={"wg0": old}, addresses={"wg0": frozenset({"192.168.2.1/24"})})
    wanted = replace(state, interfaces={"wg0": replace(old, **new)})
    return SimpleNamespace(host="bcc", have=state, want=wanted)


@pytest.mark.parametrize(
    ("changes", "address", "refused"),
    [
        ({"public_key": "other"}, "192.168.2.3", True),
        ({"listen_port": 1}, "192.168.2.3", True),
        ({"mtu": 1300}, "192.168.2.3", False),
        ({"public_key": "other"}, "10.10.13.62", False),
        ({"public_key": "other"}, "company.example", False),
    ],
)
def test_what_would_strand_an_absent_host_is_refused(changes: dict[str, Any], address: str, refused: bool) -> None:
    errors = list(stranded(TOPOLOGY, plan(**changes), {"company": address}))
    assert bool(errors) is refused
    assert not errors or "company is absent" in str(errors[0])
