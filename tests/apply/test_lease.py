"""The bounds of the lease."""

from __future__ import annotations

import pytest

from wgorch.apply.lease import LEASE_S, MAX_LEASE_S, MIN_LEASE_S, check_lease
from wgorch.errors import UsageError


@pytest.mark.parametrize("seconds", [MIN_LEASE_S, LEASE_S, MAX_LEASE_S])
def test_a_lease_within_its_bounds_is_accepted(seconds: int) -> None:
    check_lease(seconds)


@pytest.mark.parametrize("seconds", [-1, 0, 9, 301, 10**6])
def test_a_lease_out_of_bounds_is_refused(seconds: int) -> None:
    with pytest.raises(
        UsageError, match=f"confirm timeout of {seconds} s is out of range\n    hint: 10 to 300 seconds"
    ):
        check_lease(seconds)
