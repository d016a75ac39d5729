"""Value objects are compared by what they hold, and never assigned to."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from wgorch.base.value import value


@value
class Point:
    x: int
    y: int = 0


def test_values_with_the_same_fields_are_equal_and_hash_alike() -> None:
    assert Point(1) == Point(1, 0) != Point(1, 2)
    assert {Point(1)} == {Point(1), replace(Point(1, 2), y=0)}


def test_a_value_is_frozen_in_every_test_run() -> None:
    point: Any = Point(1)

    with pytest.raises(FrozenInstanceError):
        point.x = 2


def test_values_are_not_frozen_without_wgorch_strict() -> None:
    code = "from tests.base.test_value import Point\npoint = Point(1)\npoint.x = 2\nprint(point.x)"
    environment = {name: text for name, text in os.environ.items() if name != "WGORCH_STRICT"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)

    assert "2\n" == done.stdout
