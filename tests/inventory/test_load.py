"""A good inventory, and a file that is none."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.inventory.mistyped import BASE
from tests.networks import as_yaml, inventories
from wgorch.errors import InventoryError
from wgorch.inventory.flow import Flow
from wgorch.inventory.load import load, loads
from wgorch.inventory.model import Endpoint, Inventory, SshTarget

REFERENCE = Path(__file__).parents[2] / "inventory" / "home-company.yaml"


def test_the_example_inventory_says_what_its_comments_say() -> None:
    inventory = load(REFERENCE)
    bcc, home, company = inventory.hosts.values()

    assert ("office", "wg0", ip_network("192.168.2.0/24")) == (
        inventory.network.name,
        inventory.network.interface,
        inventory.network.subnet,
    )
    assert (Endpoint("203.0.113.13", 38371), 38371, True) == (bcc.endpoint, bcc.listen_port, bcc.relay)
    assert (None, 51820, False, 15) == (home.endpoint, home.listen_port, home.relay, home.persistent_keepalive)
    assert SshTarget("10.10.13.62", "root", via=(SshTarget("198.51.100.66", "root"),)) == company.ssh
    assert ((ip_network("10.10.13.0/24"),), "ens192") == (company.subnets, company.lan_interface)
    assert (Flow("home", "10.10.13.61", ip_address("10.10.13.61")),) == inventory.verify
    assert () == inventory.warnings


def test_every_shipped_inventory_loads() -> None:
    for path in REFERENCE.parent.glob("*.yaml"):
        assert load(path).hosts


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(inventories(most=12))
def test_an_inventory_written_out_reads_back_the_same(inventory: Inventory) -> None:
    assert inventory == loads(as_yaml(inventory), inventory.path)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(inventories(most=8))
def test_how_the_yaml_is_written_changes_nothing(inventory: Inventory) -> None:
    block = as_yaml(inventory)
    flow = yaml.safe_dump(yaml.safe_load(block), default_flow_style=True, sort_keys=False)
    quoted = json.dumps(yaml.safe_load(block), indent=1)

    assert loads(block) == loads(flow) == loads(quoted)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="ab:-[]{}\n \t#&*!|>'\"%@`,?01.", max_size=60))
def test_any_text_is_an_inventory_or_an_inventory_error(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # no file holds it
    with pytest.raises(InventoryError):
        loads(text)


def test_the_reference_inventory_has_no_problem() -> None:
    assert () == loads(BASE).warnings


@pytest.mark.parametrize(
    "text", ["\ufeff" + BASE, BASE.replace("\n", "\r\n"), BASE.replace("\n", "\r"), "---\n" + BASE]
)
def test_what_editors_add_does_no_harm(text: str) -> None:
    assert loads(BASE) == loads(text)


def test_a_missing_file_is_named_with_a_fix(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as raised:
        load(tmp_path / "none.yaml")

    assert f'none.yaml: error: cannot read "{tmp_path}/none.yaml": No such file' in str(raised.value)
    assert "fix: " in str(raised.value)


def test_a_directory_is_no_inventory(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="Is a directory"):
        load(tmp_path)


def test_a_file_in_another_encoding_is_refused_at_its_first_foreign_byte(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_bytes(BASE.replace("office", "b\xfcro").encode("latin-1"))

    with pytest.raises(InventoryError) as raised:
        load(path)

    assert "inventory.yaml:2:10: error: byte 0xfc is not UTF-8\n    fix: save the file as UTF-8" in str(raised.value)


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    with path.open("wb") as file:
        file.truncate(8 << 30)

    with pytest.raises(InventoryError):
        load(path)
