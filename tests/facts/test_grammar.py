"""A host's answer in sections: read whole, or not at all."""

from __future__ import annotations

import pytest

from wgorch.errors import Garbled
from wgorch.facts.grammar import read_answers
from wgorch.facts.part import Answers

NONCE = "nonce"
WHOLE = "noise\nnonce clock\n17\n\nnonce names\none yes\ntwo no\nnonce end\n"


def read(text: str) -> Answers:
    return read_answers("home", text, NONCE, "read facts", lambda answers: answers)


def test_sections_are_split_and_what_stands_before_them_is_ignored() -> None:
    assert read(WHOLE) == {"clock": ["17"], "names": ["one yes", "two no"], "end": []}


@pytest.mark.parametrize("text", ["", "nonce", WHOLE.replace("nonce end", "nonce"), WHOLE.replace("nonce", "other")])
def test_a_truncated_answer_is_garbled(text: str) -> None:
    with pytest.raises(Garbled) as raised:
        read(text)

    assert (raised.value.host, raised.value.action) == ("home", "read facts")
    assert raised.value.problem == "the answer is truncated"


@pytest.mark.parametrize(
    "reader",
    [
        lambda answers: int(answers["names"][0]),
        lambda answers: answers["absent"],
        lambda answers: answers["names"][7],
        lambda answers: 1 + answers["names"],
        lambda answers: answers.lines,
        lambda _answers: 1 // 0,
    ],
)
def test_whatever_a_reader_trips_over_is_garbled(reader: object) -> None:
    with pytest.raises(Garbled):
        read_answers("home", WHOLE, NONCE, "read facts", reader)  # type: ignore[arg-type]
