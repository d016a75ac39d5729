"""Networks that a host reports without an inventory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wgorch.interop.discover import discover
from wgorch.outcome import ManagedNetwork


def fleet(output: str) -> Any:
    """A fleet of hosts that all print the same."""
    shell = SimpleNamespace(exchange=lambda *_: output)
    return SimpleNamespace(open=lambda _host: shell)


@pytest.mark.parametrize(
    ("output", "found", "reason"),
    [
        ("", [], "nothing is there"),
        ("network office \n", [("office", "wg0")], "a directory without a boot script"),
        ("network office \nnetwork office wg7\n", [("office", "wg7")], "its boot script says the interface"),
        ("network office wg7\nnetwork office \n", [("office", "wg7")], "a line without one does not overrule it"),
        ("network a \nnetwork b wg1", [("a", "wg0"), ("b", "wg1")], "two networks"),
        ("network $(x) wg0\nnetwork office wg0;x\nmotd", [], "not an answer"),
    ],
)
def test_networks_of_a_host(output: str, found: list[tuple[str, str]], reason: str) -> None:
    assert [ManagedNetwork(*pair) for pair in found] == discover(fleet(output), "home"), reason
