"""What all tests share: the seed that draws variants, values that are really frozen, and no socket in the pure ones."""

from __future__ import annotations

import os
import random
import socket
from typing import Any

import pytest

# Before wgorch is imported, and for the processes that tests start: a value that is assigned to is an error.
os.environ["WGORCH_STRICT"] = "1"

# In the environment, so that every worker of one run draws the same.
SEED = int(os.environ.setdefault("WGORCH_SEED", str(random.SystemRandom().randrange(1_000_000))))
ALL = bool(os.environ.get("WGORCH_TEST_ALL"))
LONG = bool(os.environ.get("WGORCH_LONG"))
"""The counts of `make long`."""


def pytest_report_header() -> str:
    every = "every variant" if ALL else "variants drawn"
    return f"wgorch: {every}, seed {SEED} (WGORCH_SEED={SEED} draws the same)"


def draw(values: list, count: int, *, salt: str = "") -> list:
    """All values in `make test-all`, else `count` of them, drawn by the printed seed."""
    if ALL or len(values) <= count:
        return list(values)
    return random.Random(f"{SEED}{salt}").sample(list(values), count)


def _seconds(item: pytest.Item) -> float:
    """What the item's file takes in ``make test``, by its mark; 0 where it has none."""
    mark = item.get_closest_marker("slow")
    return float(mark.args[0]) if mark else 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The slow files first, or one worker is waited for; the pure ones last. Of drawn files some tests, in whole runs."""
    items.sort(key=lambda item: (item.path.parent.name != "lab", -_seconds(item)))
    if ALL or config.option.keyword or config.args not in (["tests"], [str(config.rootpath / "tests")]):
        return
    drawn: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("drawn"):
            drawn.setdefault(item.path.name, []).append(item)
    for name, there in drawn.items():
        count = there[0].get_closest_marker("drawn").args[0]  # type: ignore[union-attr]
        chosen = draw([item.nodeid for item in there], count, salt=name.removeprefix("test_").removesuffix(".py"))
        left = [item for item in there if item.nodeid not in chosen]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.fixture(autouse=True)
def no_socket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pure tests open none to the network; one of the machine's own, like an agent's, is a file."""
    if request.node.get_closest_marker("lab") is None:
        connect = socket.socket.connect

        def only_here(self: socket.socket, place: Any) -> None:
            assert self.family == socket.AF_UNIX, "a pure test opened a socket"
            connect(self, place)

        monkeypatch.setattr(socket.socket, "connect", only_here)
