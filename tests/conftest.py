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


SLOW = [
    "soak",
    "absent",
    "contact",
    "networks",
    "seed_rows",
    "trace_worlds",
    "safe_change",
    "firewalls",
    "owners",
    "drift",
    "ways",
    "trace",
    "staying",
    "examples",
    "crash_points",
    "controller_dies",
    "random_worlds",
    "keys",
    "hard_hosts",
    "logins",
    "adopt",
    "readme",
    "ssh_ways",
    "main_job",
    "names",
    "packages",
    "secrets",
    "mtu",
    "userlands",
]
"""The files of the lab that take longest, first: what begins last must be short, or one worker is waited for."""


DRAWN = {"firewalls": 1, "owners": 1, "staying": 2, "packages": 2, "logins": 4, "userlands": 1, "adopt": 1, "readme": 2}
"""Kinds of hosts are variants of one: of these files so many tests are drawn by the seed, and all in `make test-all`."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The slow files first, the pure ones last; of the kinds of hosts some, where nobody asked for any by name."""
    places = {f"test_{name}.py": place for place, name in enumerate(SLOW)}
    items.sort(key=lambda item: (item.path.parent.name != "lab", places.get(item.path.name, len(SLOW))))
    if ALL or config.option.keyword or config.args not in (["tests"], [str(config.rootpath / "tests")]):
        return
    for name, count in DRAWN.items():
        there = [item for item in items if item.path.name == f"test_{name}.py" and item.path.parent.name == "lab"]
        chosen = draw([item.nodeid for item in there], count, salt=name)
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
