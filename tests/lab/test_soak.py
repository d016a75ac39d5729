"""Some rounds of the soak (``python -m tests.soak``): no promise is broken, whatever happens in between."""

from __future__ import annotations

import pytest

from tests.conftest import ALL, SEED
from tests.soak.__main__ import soak

pytestmark = pytest.mark.slow(270)

ROUNDS = 40 if ALL else 5


def test_no_round_breaks_a_promise(capfd: pytest.CaptureFixture[str]) -> None:
    violations = soak(SEED, list(range(ROUNDS)))
    said = capfd.readouterr().out

    assert (0, ROUNDS) == (violations, said.count("\nround ") + said.startswith("round ")), said
