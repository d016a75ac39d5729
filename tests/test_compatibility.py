"""What others rely on changes with its number only; and inventories of 0.1 are read."""

from __future__ import annotations

import pytest

from tests.golden.contracts import CONTRACTS, ROOT, recorded


@pytest.mark.parametrize("name", CONTRACTS)
def test_nothing_is_taken_away_under_the_same_number(name: str) -> None:
    number, now = CONTRACTS[name]
    old_number, old = recorded(name)
    if number == old_number:
        assert not old - now(), f"taken away, and it is still {number}"
    assert (number, now()) == (old_number, old), "python -m tests.golden.contracts"


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_is_not_empty_and_its_page_has_its_number(name: str) -> None:
    number, now = CONTRACTS[name]
    page = (ROOT / "docs" / "compatibility.md").read_text()
    assert len(now()) > 10
    assert f"| {name} | {number} |" in page
