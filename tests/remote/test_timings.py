"""Spans of a run, whether what they time succeeds or not."""

from __future__ import annotations

import time

import pytest

from wgorch.remote.timings import Timings, process_began


def test_a_span_is_added_when_its_body_ends_or_raises() -> None:
    timings = Timings()
    with timings.span("home", "log in"):
        time.sleep(0.01)
    with pytest.raises(ValueError, match="x"), timings.span("office", "log in"):
        raise ValueError("x")

    assert [("home", "log in"), ("office", "log in")] == [(span.host, span.what) for span in timings.spans]
    assert timings.spans[0].ended - timings.spans[0].began >= 0.01


def test_this_process_began_before_now() -> None:
    # The longest run of all tests in one process takes more than an hour.
    assert 0 < time.monotonic() - process_began() < 24 * 3600
