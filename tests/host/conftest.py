"""A room for each test, in each shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.host.room import Room


@pytest.fixture(params=["dash", "busybox"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    return Room(tmp_path, request.param)
