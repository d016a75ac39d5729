"""What the YAML writer writes, a YAML reader reads back."""

from __future__ import annotations

import pytest
import yaml as reader
from hypothesis import given
from hypothesis import strategies as st

from wgorch.interop import yaml

TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))


def read(text: str) -> object:
    return reader.load(text, Loader=reader.BaseLoader)


@given(TEXTS)
def test_a_scalar_is_read_as_the_same_text(text: str) -> None:
    assert {"key": text} == read(yaml.entry("key", yaml.scalar(text)))


@given(st.lists(TEXTS, max_size=4))
def test_a_list_is_read_as_the_same_texts(texts: list[str]) -> None:
    assert {"key": texts} == read(yaml.entry("key", yaml.flow(texts)))


@given(TEXTS, TEXTS)
def test_a_reason_is_only_a_comment(text: str, reason: str) -> None:
    assert {"key": text} == read(yaml.entry("key", yaml.scalar(text), reason))
    assert [text] == read(yaml.item(yaml.scalar(text), reason))
    assert None is read(yaml.comment(reason))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["10.0.0.0/8"], "10.0.0.0/8"),
        (["fd00::/64"], '"fd00::/64"'),
        (["10.0.0.0/8", "fd00::/64"], '[10.0.0.0/8, "fd00::/64"]'),
        ([], "[]"),
    ],
)
def test_one_value_is_no_list(values: list[str], text: str) -> None:
    assert text == yaml.one_or_more(values)


def test_a_comment_cannot_control_a_terminal() -> None:
    assert "mtu: 1420      # \\x1b[2J" == yaml.entry("mtu", "1420", "\x1b[2J")


def test_parts_have_an_empty_line_between_them_and_blocks_are_indented() -> None:
    inner = yaml.paragraphs([yaml.block("a", ["x: 1"]), [], yaml.block("b", ["x: 2"])])

    assert "# head\n\nhosts:\n  a:\n    x: 1\n\n  b:\n    x: 2\n" == yaml.document(
        ["# head"], yaml.block("hosts", inner)
    )
