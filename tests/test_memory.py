"""What the controller remembers: which inventory, and how to reach the hosts that left it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wgorch.errors import UsageError
from wgorch.inventory.load import load
from wgorch.inventory.model import Inventory
from wgorch.memory import addresses_had, find_inventory, last_inventory, remember, removed_since

EXAMPLE = Path(__file__).resolve().parents[1] / "inventory" / "home-company.yaml"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("WGORCH_INVENTORY", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def without(inventory: Inventory, name: str) -> Inventory:
    hosts = {n: host for n, host in inventory.hosts.items() if n != name}
    return Inventory(inventory.path, inventory.network, hosts)


def test_which_inventory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no inventory given"):
        find_inventory(None)

    remember(load(EXAMPLE), {}, "")
    assert (str(EXAMPLE), "last applied from this directory") == find_inventory(None)

    Path("inventory.yaml").write_text("")
    assert ("inventory.yaml", "in this directory") == find_inventory(None)

    monkeypatch.setenv("WGORCH_INVENTORY", "from-environment.yaml")
    assert ("from-environment.yaml", "from WGORCH_INVENTORY") == find_inventory(None)
    assert ("given.yaml", "") == find_inventory("given.yaml")


def test_the_last_inventory_of_another_directory_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(load(EXAMPLE), {}, "")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError):
        find_inventory(None)


def test_a_host_that_left_is_remembered_with_its_ssh_target() -> None:
    inventory = load(EXAMPLE)
    remember(inventory, {}, "")

    assert str(EXAMPLE) == last_inventory()
    assert {} == removed_since(inventory)
    removed = removed_since(without(inventory, "company"))
    assert {"company": inventory.hosts["company"].ssh} == {name: host.ssh for name, host in removed.items()}
    assert inventory.hosts["company"].addresses == addresses_had(without(inventory, "company"))["company"]


def test_an_orphan_stays_remembered() -> None:
    inventory = load(EXAMPLE)
    smaller = without(inventory, "company")
    remember(smaller, {"company": inventory.hosts["company"]}, "")

    assert ["company"] == list(removed_since(smaller))


def test_what_does_not_parse_is_ignored(tmp_path: Path) -> None:
    inventory = load(EXAMPLE)
    remember(inventory, {}, "")
    path = tmp_path / "state" / "wgorch" / "office.hosts.json"
    stored = json.loads(path.read_text())
    stored["hosts"]["company"] = {"ssh": None}
    stored["devices"] = {"phone": ["no address"]}
    path.write_text(json.dumps(stored))

    assert {} == removed_since(without(inventory, "company"))
    assert {"bcc", "home"} == set(addresses_had(inventory))
    path.write_text("[]")
    assert {} == addresses_had(inventory)
