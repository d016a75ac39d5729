"""Batches of hosts: their sizes, and the order in which they come."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from wgorch import batches
from wgorch.batches import check_sizes, split
from wgorch.errors import DONE, MIXED, HostsFailed, Unfit, UsageError
from wgorch.outcome import HostState, Outcome

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


def test_a_later_batch_that_cannot_begin_leaves_the_earlier_ones_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is confirmed, the second is refused before anything changes: the outcome is mixed, not an error."""
    done = iter([Outcome(DONE), HostsFailed([Unfit("b", "lock the host", "held by another run")])])

    def up_at_once(*_args: object, **_options: object) -> Outcome:
        its = next(done)
        if isinstance(its, HostsFailed):
            raise its
        return its

    run = SimpleNamespace(gather=lambda *_a, **_o: {}, involved=["a", "b"], names=["a", "b"], absent={})
    run.plans = lambda: {name: SimpleNamespace(changes=(1,)) for name in run.names}
    run.inventory = SimpleNamespace(hosts={name: SimpleNamespace(endpoint=None) for name in run.names})
    monkeypatch.setattr(batches, "up_at_once", up_at_once)
    monkeypatch.setattr(batches, "_only", lambda its, _batch: its)

    outcome = batches.up(run, lambda _plans: None, ("1",))  # type: ignore[arg-type]

    assert MIXED == outcome.code
    assert {"a": HostState.APPLIED, "b": HostState.NOT_BEGUN} == {n: its.state for n, its in outcome.standing.items()}
    assert ["held by another run"] == [error.problem for error in outcome.failed]
