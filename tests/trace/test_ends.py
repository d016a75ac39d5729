"""The ends of a trace, as far as the inventory tells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wgorch.errors import UsageError
from wgorch.inventory.load import load
from wgorch.plan.playbook import load_all
from wgorch.run import Run
from wgorch.trace.follow import trace

INVENTORY = load(Path(__file__).parents[2] / "inventory" / "home-company.yaml")


@pytest.mark.parametrize(
    ("source", "target"), [("home", "home"), ("home", "192.168.2.2"), ("10.10.13.61", "10.10.13.61")]
)
def test_a_trace_to_the_source_itself_is_refused_before_any_connection(source: str, target: str) -> None:
    run = Run(INVENTORY, None, None, load_all(INVENTORY.path, None))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"{target} is {source} itself"):
        trace(run, source, target)
