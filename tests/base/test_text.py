"""The sanitizer: nothing that comes from outside can move a cursor, set a title, hide a word or turn a line around."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgorch.base.text import one_line, visible, without_keys

KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("办公室 büro ☎", "办公室 büro ☎"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),
        (
            "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
            "\\x1b]8;;http://evil.example\\x1b\\click\\x1b]8;;\\x1b\\",
        ),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2066b\u2069", "a\\u2066b\\u2069"),
        ("ho\u200bme", "ho\\u200bme"),
        ("\ufeffhome", "\\ufeffhome"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("a\rb", "a\\x0db"),
        ("a\bb\x7f", "a\\x08b\\x7f"),
        ("a\0b", "a\\x00b"),
        ("\x85", "\\x85"),
        ("\U000e0041", "\\U000e0041"),
        ("\ue000", "\\ue000"),
        ("\ud800", "\\ud800"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ],
)
def test_what_a_terminal_would_obey_is_made_visible(text: str, expected: str) -> None:
    assert expected == visible(text)


@given(st.text())
def test_nothing_obeyed_is_left_of_any_text(text: str) -> None:
    assert [] == [
        c for c in visible(text) if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    ]


@given(st.text())
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(text) == visible(visible(text))


@given(st.text(), st.integers(2, 50))
def test_one_line_is_one_line_and_bounded(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(line) <= limit
    assert "\n" not in line
    assert "\t" not in line


@pytest.mark.parametrize(
    "text", [KEY, f"PrivateKey = {KEY}", f"[{KEY}]", f"a={KEY},b", f"{KEY}\n{KEY}", f'"{KEY}"', f"key:{KEY}."]
)
def test_a_key_is_hidden_wherever_it_stands(text: str) -> None:
    assert KEY not in without_keys(text)
    assert "<hidden key>" in without_keys(text)


def test_a_known_public_key_is_shown() -> None:
    assert f"peer {KEY}" == without_keys(f"peer {KEY}", frozenset({KEY}))


@pytest.mark.parametrize("text", ["a" * 44, "AAAA=", "x" * 100, "SHA256:" + "A" * 43])
def test_what_is_no_key_is_shown(text: str) -> None:
    assert text == without_keys(text)
