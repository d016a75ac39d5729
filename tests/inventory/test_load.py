"""A good inventory: what is read from it, and that its JSON Schema says the same of good and bad ones."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.networks import as_yaml, inventories
from wgorch.errors import InventoryError
from wgorch.inventory.load import load, loads
from wgorch.inventory.model import Endpoint, Flow, Inventory, SshTarget
from wgorch.inventory.schema import json_schema

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


# --- the schema


def fits(schema: dict[str, Any], value: Any) -> bool:
    """The part of JSON Schema that ours uses."""
    if "anyOf" in schema:
        return any(fits(one, value) for one in schema["anyOf"])
    kind = schema.get("type")
    if kind == "object":
        if not isinstance(value, dict) or len(value) < schema.get("minProperties", 0):
            return False
        names, known, more = (
            schema.get("propertyNames", {}),
            schema.get("properties", {}),
            schema["additionalProperties"],
        )
        return (
            all(name in value for name in schema.get("required", ()))
            and all(re.search(names.get("pattern", ""), name) for name in value)
            and all(fits(known.get(name, more), v) if name in known or more else False for name, v in value.items())
        )
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems", 1 << 32)
        return isinstance(value, list) and least <= len(value) <= most and all(fits(schema["items"], i) for i in value)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        low, high = schema.get("minimum", 0), schema.get("maximum", 1 << 32)
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    assert kind == "string", schema
    longest = schema.get("maxLength", 1 << 20)
    return isinstance(value, str) and len(value) <= longest and bool(re.search(schema.get("pattern", ""), value))


def test_the_schema_is_one_that_our_check_understands() -> None:
    known = {
        *("$schema", "title", "type", "required", "additionalProperties", "properties", "description", "minProperties"),
        *("propertyNames", "items", "pattern", "maxLength", "minimum", "maximum", "anyOf", "examples", "default"),
        *("minItems", "maxItems"),
    }

    def words(schema: Any, names: bool = False) -> set[str]:
        if isinstance(schema, list):
            return set().union(*map(words, schema))
        if not isinstance(schema, dict):
            return set()
        inner = (words(v, names=k in ("properties",) and not names) for k, v in schema.items())
        return (set() if names else set(schema)).union(*inner)

    assert set() == words(json_schema()) - known


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(inventories(most=6))
def test_the_schema_takes_every_inventory_that_the_loader_takes(inventory: Inventory) -> None:
    assert fits(json_schema(), yaml.safe_load(as_yaml(inventory)))


def test_the_schema_takes_the_example() -> None:
    assert fits(json_schema(), yaml.safe_load(REFERENCE.read_text()))


GOOD = {"network": {"name": "a", "subnet": "10.0.0.0/24"}, "hosts": {"h": {"ssh": "h.example", "address": "10.0.0.1"}}}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good one with one field set, or taken away."""
    data: Any = json.loads(json.dumps(GOOD))
    here, names = data, path.split(".")
    for name in names[:-1]:
        here = here[name]
    if value is None:
        del here[names[-1]]
    else:
        here[names[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("network.interface", "wg1"),
        ("network.mtu", 1420),
        ("network.listen_port", 51820),
        ("network.persistent_keepalive", 0),
        ("hosts.h.ssh", {"host": "h.example", "user": "root", "port": 22, "identity": "~/.ssh/x"}),
        ("hosts.h.ssh", {"host": "h.example", "via": "root@a.example"}),
        ("hosts.h.ssh", {"host": "h.example", "via": ["a.example", "b.example"]}),
        ("hosts.h.ssh", {"host": "h.example", "via": {"host": "a.example", "port": 2222}}),
        ("hosts.h.ssh", {"host": "h.example", "via": [{"host": "a.example"}, "b.example"]}),
        ("hosts.h.subnets", ["10.10.13.0/24"]),
        ("hosts.h.subnets", []),
        ("hosts.h.endpoint", "[2001:db8::1]:51820"),
        ("hosts.h.masquerade", False),
        ("hosts.h.wireguard_go", False),
        ("hosts.h.host_key", "SHA256:" + "A" * 43),
        ("verify", ["h -> 10.0.0.1"]),
        ("verify", []),
    ],
)
def test_loader_and_schema_both_take_a_good_value(path: str, value: Any) -> None:
    data = changed(path, value)

    assert loads(yaml.safe_dump(data))
    assert fits(json_schema(), data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("network", None),
        ("hosts", None),
        ("hosts", {}),
        ("hosts", []),
        ("extra", 1),
        ("network.name", None),
        ("network.name", "Office"),
        ("network.name", 5),
        ("network.name", "a" * 16),
        ("network.subnet", None),
        ("network.subnet", 10),
        ("network.mtu", 9000),
        ("network.mtu", "large"),
        ("network.listen_port", 0),
        ("network.listen_port", True),
        ("network.interface", "a b"),
        ("network.nmae", "x"),
        ("hosts.H", {"ssh": "x.example", "address": "10.0.0.2"}),
        ("hosts.-h", {"ssh": "x.example", "address": "10.0.0.2"}),
        ("hosts.h.ssh", None),
        ("hosts.h.ssh", ["h.example"]),
        ("hosts.h.ssh", {"user": "root"}),
        ("hosts.h.ssh", {"host": "h.example", "jump": "x"}),
        ("hosts.h.ssh", {"host": "h.example", "port": 70000}),
        ("hosts.h.ssh", {"host": "h.example", "user": "-x"}),
        ("hosts.h.ssh", {"host": "h.example", "via": 5.5}),
        ("hosts.h.address", []),
        ("hosts.h.address", 10.0),
        ("hosts.h.relay", "maybe"),
        ("hosts.h.subnets", "10.10.13.0/24"),
        ("hosts.h.subnets", [5]),
        ("hosts.h.endpoint", "203.0.113.13"),
        ("hosts.h.lan_interface", "10.10.13.0/24"),
        ("hosts.h.role", "hub"),
        ("verify", "h -> 10.0.0.1"),
        ("verify", ["h => 10.0.0.1"]),
        ("verify", [{"h": "10.0.0.1"}]),
    ],
)
def test_loader_and_schema_both_refuse_a_bad_value(path: str, value: Any) -> None:
    data = changed(path, value)
    with pytest.raises(InventoryError):
        loads(yaml.safe_dump(data))

    assert not fits(json_schema(), data)
