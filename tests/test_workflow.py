"""Hosts that left the inventory: taken down after a successful `up`, or remembered as orphans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from wgorch import departed, workflow
from wgorch.errors import ABSENT, DONE, MIXED, ROLLED_BACK, HostsFailed, Unreachable
from wgorch.events import Event
from wgorch.inventory.load import load
from wgorch.inventory.model import Inventory
from wgorch.memory import base_record, forget_member, remember, remember_teardown, removed_since
from wgorch.outcome import Outcome
from wgorch.plan.playbook import load_all
from wgorch.remote.fleet import Fleet
from wgorch.run import Run

WHOLE = load(Path(__file__).parents[1] / "inventory" / "home-company.yaml")
SMALLER = Inventory(WHOLE.path, WHOLE.network, {"bcc": WHOLE.hosts["bcc"]})


class Silence:
    def event(self, host: str, event: Event, detail: str = "") -> None:
        pass


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    remember(WHOLE, {}, "")


@pytest.fixture
def fleets() -> list[list[str]]:
    """The hosts of each fleet that was opened."""
    return []


@pytest.fixture
def prune(monkeypatch: pytest.MonkeyPatch, fleets: list[list[str]]) -> Callable[..., Outcome]:
    """`workflow.prune` with a teardown whose result is given by host: an exit code, or an error."""

    def open_fleet(inventory: Inventory) -> Fleet:
        fleets.append(list(inventory.hosts))
        return Fleet(inventory.hosts)

    def pruned(results: Mapping[str, int | HostsFailed], code: int = DONE) -> Outcome:
        def teardown(run: Run, consent: workflow.Consent, *, lease_s: int) -> Outcome:
            assert lease_s == 30
            consent({})
            (name,) = run.inventory.hosts
            result = results[name]
            if isinstance(result, HostsFailed):
                raise result
            return Outcome(result, failed=(Unreachable(name, "roll back the change", "no route"),) if result else ())

        monkeypatch.setattr(departed, "teardown", teardown)
        run = Run(SMALLER, Fleet(SMALLER.hosts), Silence(), load_all(WHOLE.path, None, frozenset(SMALLER.hosts)))
        return departed.prune(run, Outcome(code), open_fleet, 30)

    return pruned


def test_hosts_that_left_are_torn_down_one_by_one_and_forgotten(
    prune: Callable[..., Outcome], fleets: list[list[str]]
) -> None:
    outcome = prune({"home": DONE, "company": DONE})

    assert (("home", "company"), {}) == (outcome.removed, outcome.orphans)
    assert [["home"], ["company"]] == fleets
    assert {} == removed_since(SMALLER)


def test_a_host_that_cannot_be_torn_down_is_an_orphan_until_it_can(prune: Callable[..., Outcome]) -> None:
    failed = HostsFailed([Unreachable("home", "connect", "no route", "is it up?")])
    outcome = prune({"home": failed, "company": MIXED})

    assert () == outcome.removed
    assert {
        "home": "home: cannot connect: no route\n    hint: is it up?",
        "company": "company: cannot roll back the change: no route",
    } == outcome.orphans
    assert ABSENT == outcome.code
    assert ["home", "company"] == list(removed_since(SMALLER))
    assert ("home",) == prune({"home": DONE, "company": failed}).removed
    assert ["company"] == list(removed_since(SMALLER))


def test_after_an_up_that_failed_no_host_is_torn_down_and_nothing_is_remembered(
    prune: Callable[..., Outcome], fleets: list[list[str]]
) -> None:
    outcome = prune({}, code=ROLLED_BACK)

    assert (ROLLED_BACK, (), {"home": "", "company": ""}) == (outcome.code, outcome.removed, outcome.orphans)
    assert [] == fleets
    assert ["home", "company"] == list(removed_since(SMALLER))


def test_after_a_teardown_only_what_still_carries_the_network_is_remembered() -> None:
    remember_teardown(SMALLER, [], {})
    assert {} == removed_since(SMALLER)

    remember_teardown(SMALLER, [], {"home": WHOLE.hosts["home"]})
    assert ["home"] == list(removed_since(SMALLER))
    assert WHOLE.hosts["home"].ssh == removed_since(SMALLER)["home"].ssh
    forget_member(SMALLER.network.name, "home", "", "")
    assert {} == removed_since(SMALLER)


def test_forgetting_goes_on_from_a_record_only_where_it_was_the_base() -> None:
    remember(WHOLE, {}, "one")
    forget_member(WHOLE.network.name, "home", "another", "two")
    assert "one" == base_record(WHOLE.network.name)
    forget_member(WHOLE.network.name, "home", "one", "two")
    assert "two" == base_record(WHOLE.network.name)
