"""The JSON Schema accepts what the loader accepts, and refuses what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from tests.networks import as_yaml, inventories
from wgorch.errors import InventoryError
from wgorch.inventory.load import loads
from wgorch.inventory.model import Inventory
from wgorch.inventory.schema import json_schema

REFERENCE = Path(__file__).parents[2] / "inventory" / "home-company.yaml"


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Check a value by the part of JSON Schema that the inventory's uses."""
    if "anyOf" in schema and not any(fits(one, value) for one in schema["anyOf"]):
        return False
    kind = schema.get("type")
    if kind is None:
        return all(name in value for name in schema.get("required", ()))
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
