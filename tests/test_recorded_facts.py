"""Facts in files: read as they were written, and whatever is in a file, refused in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.anything import JSON
from tests.trace.recordings import recorded
from wgorch.errors import UsageError
from wgorch.gather.recorded import from_text, to_text

SEEN = recorded("healthy")[0]["home"]


def test_facts_are_read_as_they_were_written() -> None:
    read, time = from_text(to_text(SEEN, 1_795_000_000), "home.json", "home")

    assert (SEEN, 1_795_000_000) == (read, time)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", '{"kind": "wgorch plan"}', '{"kind": "wgorch facts", "format": 2}']
)
def test_what_are_no_facts_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="has no facts of wgorch"):
        from_text(text, "home.json", "home")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_file_ends_in_a_traceback(data: st.DataObject) -> None:
    content: dict[str, Any] = json.loads(to_text(SEEN, 1))
    section = data.draw(st.sampled_from([None, *content["answers"]]))
    if section is None:
        content[data.draw(st.sampled_from(list(content)))] = data.draw(JSON)
    else:
        content["answers"][section] = data.draw(JSON)
    try:
        from_text(json.dumps(content), "home.json", "home")
    except UsageError:
        return
