"""The report of --profile."""

from __future__ import annotations

import re

from tests.report.samples import rendered
from wgorch.remote.timings import Span, Timings, process_began
from wgorch.report.timings import render_profile


def test_a_phase_is_a_row_with_its_slowest_host() -> None:
    start = process_began()
    spans = [Span("home", "gather", 1.0, 2.0), Span("bcc", "gather", 1.0, 2.5), Span("home", "gather", 3.0, 3.5)]
    clock = Timings([Span(span.host, span.what, start + span.began, start + span.ended) for span in spans])
    text = rendered(lambda out: render_profile(out, [clock]))

    assert re.search(r"^gather +1\.00 +2\.50 +1250 +1500 +bcc", text, re.M)
    assert re.search(r"^gather +3\.00 +3\.50 +500 +500 +home", text, re.M)
    assert "2.00 s of it waiting for hosts" in text
