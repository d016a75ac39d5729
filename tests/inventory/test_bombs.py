"""Large and malicious files: refused quickly, with a short text."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from wgorch.errors import InventoryError
from wgorch.inventory.load import loads

MANY = "network: {name: a, subnet: 10.0.0.0/8}\nhosts:\n"

BOMBS = {
    "a_large_file": "x" * 11_000_000,
    "many_values_in_brackets": "a: [" + "a," * 101_000 + "]",
    "many_values_in_lines": "a:\n" + "- a\n" * 101_000,
    "many_unknown_fields": MANY + "  h:\n" + "".join(f"    k{i}: 1\n" for i in range(15_000)),
    "many_broken_hosts": MANY + "".join(f"  h{i}: 1\n" for i in range(15_000)),
    "many_broken_flows": MANY + "  a: {ssh: a, address: 10.0.0.1}\nverify:\n" + "- x -> y\n" * 25_000,
    "one_field_again_and_again": "a: 1\n" * 20_000,
    "aliases_of_aliases": "a: &a [x,x]\n" + "".join(f"b{i}: &b{i} [*a,*a]\n" for i in range(6_000)),
    "a_billion_laughs": "a: &a [x]\n"
    + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefghi")),
    "lists_nested_deeply": "[" * 1_000_000,
    "mappings_nested_deeply": "{a: " * 200_000,
    "dashes": "- " * 300_000,
    "question_marks": "? " * 300_000,
    "colons": ": " * 300_000,
    "a_quote_without_end": 'a: "' + "x" * 900_000,
    "a_key_without_end": "x" * 900_000 + ": 1",
    "a_tag_without_end": "!<" + "x" * 1_000_000 + "> a",
    "spaces": " " * 900_000,
    "tabs": "\t" * 900_000,
    "equal_signs_after_a_secret": "password: " + "a=" * 900_000,
    "jump_hosts_in_a_row": MANY
    + "".join(
        f"  h{i}: {{ssh: {{host: x{i}.example, via: h{i + 1}}}, address: 10.0.{i >> 8}.{i & 255}}}\n"
        for i in range(1, 1200)
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_a_second(name: str) -> None:
    begin = time.process_time()
    with pytest.raises(InventoryError) as raised:
        loads(BOMBS[name])

    assert time.process_time() - begin < 1.0
    assert len(str(raised.value)) < 60_000
