"""A cache by identity: one result per value and text, of the text it was called with last."""

from __future__ import annotations

from wgorch.base import cache
from wgorch.base.cache import cached_by_identity


def test_a_result_is_kept_for_the_same_value_and_text() -> None:
    calls = []

    @cached_by_identity
    def joined(value: tuple[str, ...], text: str) -> str:
        calls.append((value, text))
        return text.join(value)

    one, twin = ("a", "b"), tuple("ab")
    results = [joined(one, "-"), joined(one, "-"), joined(one, "+"), joined(one, "-"), joined(twin, "-")]

    assert ["a-b", "a-b", "a+b", "a-b", "a-b"] == results
    assert [(one, "-"), (one, "+"), (one, "-"), (twin, "-")] == calls


def test_a_full_cache_is_emptied_and_results_stay_right() -> None:
    @cached_by_identity
    def first(value: list[int], _text: str) -> int:
        return value[0]

    assert list(range(cache.LIMIT * 2)) == [first([number], "") for number in range(cache.LIMIT * 2)]
