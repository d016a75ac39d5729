"""Batches of hosts: their sizes, and the order in which they come."""

from __future__ import annotations

import pytest

from wgorch.batches import check_sizes, split
from wgorch.errors import UsageError

HOSTS = [f"h{number}" for number in range(10)]


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        ("1", [1] * 10),
        ("1,10%,100%", [1, 1, 8]),
        ("3", [3, 3, 3, 1]),
        ("15%", [2, 2, 2, 2, 2]),
        ("100%", [10]),
        ("20", [10]),
        ("1,50%", [1, 5, 4]),
    ],
)
def test_batches_have_the_sizes_given_and_hold_each_host_once(sizes: str, lengths: list[int]) -> None:
    found = split(HOSTS, check_sizes(sizes))

    assert lengths == [len(batch) for batch in found]
    assert HOSTS == [name for batch in found for name in batch]


def test_no_hosts_are_no_batch() -> None:
    assert [] == split([], ("1",))


@pytest.mark.parametrize("sizes", ["", "0", "0%", "101%", "1,", "-1", "1;2", "½", "1 %", "9999999"])
def test_what_is_no_size_is_refused(sizes: str) -> None:
    with pytest.raises(UsageError, match="is no size of a batch"):
        check_sizes(sizes)
