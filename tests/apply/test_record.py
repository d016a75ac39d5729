"""The record is written by itself: every lock is released, whatever fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wgorch.apply import record
from wgorch.errors import HostsFailed, Unfit
from wgorch.inventory.load import load
from wgorch.remote.fleet import Fleet

INVENTORY = load(Path(__file__).parents[2] / "inventory" / "home-company.yaml")


@pytest.mark.parametrize("fails", ["lock", "finish", ""])
def test_no_host_stays_locked(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    """One host, so one thread: a release that waits for another would wait for ever."""
    calls: list[str] = []

    class Transaction:
        def __init__(self, _network: object, fleet: Fleet, *_: object) -> None:
            self.fleet = fleet

        def lock(self, host: str, *_: object) -> None:
            calls.append("lock")
            if fails == "lock":
                raise Unfit(host, "lock", "changed")

        def finish(self, host: str, _plan: object) -> None:
            calls.append("finish")
            if fails == "finish":
                raise Unfit(host, "finish", "disk full")

        def unlock(self, hosts: list[str]) -> None:
            self.fleet.on_hosts(hosts, lambda name: calls.append(f"unlock {name}"))

    monkeypatch.setattr(record, "Transaction", Transaction)
    fleet = Fleet({"bcc": INVENTORY.hosts["bcc"]})
    run: Any = SimpleNamespace(network=None, fleet=fleet, asks={}, listener=None, seen={"bcc": None})
    plans: Any = {"bcc": SimpleNamespace(want=SimpleNamespace(members="text"))}
    try:
        if fails:
            with pytest.raises(HostsFailed):
                record.write_records(run, plans)
        else:
            assert "text" == record.write_records(run, plans)
    finally:
        fleet.close()
    assert ("unlock bcc" in calls) is bool(fails)
