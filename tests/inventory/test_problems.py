"""Problems as text: their locations, their order, their number, and nothing in them that a terminal interprets."""

from __future__ import annotations

import unicodedata
from types import ModuleType

import pytest
import yaml

from tests.inventory import test_reader, test_targets, test_yaml_errors
from tests.inventory.fields import test_addresses, test_field, test_lists, test_mappings, test_scalars, test_suggest
from tests.inventory.mistyped import BASE, address, endpoint, problems, shown, subnets, swap
from tests.inventory.rules import test_addresses as test_address_rules
from tests.inventory.rules import (
    test_devices,
    test_endpoints,
    test_exits,
    test_lans,
    test_links,
    test_loops,
    test_mtus,
    test_ssh,
)
from tests.inventory.sections import test_lines, test_members, test_reading
from wgorch.inventory import reader

TABLES: tuple[ModuleType, ...] = (
    test_reader,
    test_targets,
    test_yaml_errors,
    test_addresses,
    test_field,
    test_lists,
    test_mappings,
    test_scalars,
    test_suggest,
    test_address_rules,
    test_devices,
    test_endpoints,
    test_exits,
    test_lans,
    test_links,
    test_loops,
    test_mtus,
    test_ssh,
    test_lines,
    test_members,
    test_reading,
)

BAD = [row for table in TABLES for row in table.BAD]
"""Every mistyped inventory that a test has."""


def test_every_place_lies_inside_the_file() -> None:
    for _, text, *_ in BAD:
        lines = reader.BREAKS.split(text)
        locations = [tuple(map(int, t.place.split(":"))) for t in problems(text)]

        assert [] == [(line, column) for line, column in locations if not 1 <= column <= len(lines[line - 1]) + 1]


def test_a_line_with_windows_endings_is_shown_at_its_place() -> None:
    text = address("192.168.2.300").replace("\n", "\r\n")

    assert ["12:14"] == [t.place for t in problems(text)]


def test_a_control_character_after_other_scripts_is_shown_at_its_place() -> None:
    text = swap("  name: office", "  # 网络，办公室\n  name: of\0fice")

    assert [("3:11", "character U+0000 is not allowed in YAML")] == [(t.place, t.message) for t in problems(text)]


def test_all_problems_of_a_file_are_shown_at_once_in_its_order() -> None:
    text = (
        BASE.replace("38371", "70000").replace("192.168.2.2", "192.168.2.300").replace("10.10.13.0/24", "10.10.13.0/33")
    )

    actual = problems(text + "  - unknown -> 10.10.13.61\n")

    assert ["7:15", "12:14", "16:15", "20:5"] == [t.place for t in actual]


def test_a_wrong_value_has_no_echo_in_other_fields() -> None:
    assert ["hosts.bcc.endpoint"] == [t.path for t in problems(endpoint("203.0.113.13"))]
    assert ["hosts.company.subnets[0]"] == [t.path for t in problems(subnets("[10.10.13.0/33]"))]
    assert ["hosts.company.subnets"] == [t.path for t in problems(subnets("*a"))]


def test_of_a_hundred_problems_fifty_are_shown_and_the_rest_counted() -> None:
    text = "".join(f"x{i}: 1\n" for i in range(100))

    lines = shown(text).split("\n")

    assert "inventory.yaml: … and 52 more" == lines[-1]


def test_nothing_that_a_terminal_would_obey_is_shown() -> None:
    actual = "".join(shown(text) for _, text, *_ in BAD)

    assert set() == {c for c in actual if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}


def test_the_yaml_parser_in_python_finds_the_same_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    here = [(name, t.place.split(":")[0], t.path) for name, text, *_ in BAD for t in problems(text) if t.path]
    monkeypatch.setattr(reader, "_Loader", yaml.SafeLoader)

    there = [(name, t.place.split(":")[0], t.path) for name, text, *_ in BAD for t in problems(text) if t.path]

    assert here == there
