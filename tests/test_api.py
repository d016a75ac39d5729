"""The Python API: what is refused before any connection, and what a program gets back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wgorch import api
from wgorch.apply.lease import MAX_LEASE_S, MIN_LEASE_S
from wgorch.errors import UsageError

INVENTORY = api.load(Path(__file__).parents[1] / "inventory" / "home-company.yaml")


@pytest.mark.parametrize("change", [api.up, api.teardown])
@pytest.mark.parametrize("lease_s", [3, MIN_LEASE_S - 1, MAX_LEASE_S + 1, 10**6])
def test_a_lease_out_of_bounds_is_refused_before_any_connection(change: Callable[..., object], lease_s: int) -> None:
    with pytest.raises(UsageError, match=f"confirm timeout of {lease_s} s is out of range") as raised:
        change(INVENTORY, lease_s=lease_s)

    assert "10 to 300 seconds" == raised.value.hint


def test_a_host_that_is_not_in_the_inventory_is_refused() -> None:
    with pytest.raises(UsageError, match='no host "hme"'):
        api.plan(INVENTORY, limit=frozenset({"hme"}))
