"""What the failover script of a host says, as it is read."""

from __future__ import annotations

import pytest

from wgorch.facts.failover import Active, Detoured, read
from wgorch.facts.grammar import NotAnAnswer

SAID = [
    "active wg0b bcc2 412 3 lost",
    "back 60 -10000 442",
    "detour home wg0rb 400",
    "drained 1795879693 root@admin",
    "left wg0",
]


def test_active_relay_detours_and_marks_are_read() -> None:
    found = read({"failover": SAID})
    assert found.active == Active("wg0b", "bcc2", 412, 3, "lost")
    assert found.detours == (Detoured("home", "wg0rb", 400),)
    assert (found.drained, found.left) == ("1795879693 root@admin", frozenset({"wg0"}))


def test_a_host_with_one_relay_says_nothing() -> None:
    assert read({}) == read({"failover": []})
    assert read({}).active == Active()


@pytest.mark.parametrize(
    "line",
    [
        "active wg0b bcc2;id 412 3 lost",
        "active wg/0 bcc2 412 3 lost",
        "active wg0b bcc2 x 3 lost",
        "active wg0b bcc2 412 3 \x1b[31m",
        "detour ../home wg0rb 400",
        "detour home wg0rb -4",
        "drained yesterday root",
        "left wg0/../..",
    ],
)
def test_what_does_not_fit_is_refused(line: str) -> None:
    with pytest.raises(NotAnAnswer):
        read({"failover": [line]})
