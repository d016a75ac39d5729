"""WireGuard keys: what is a public key, and the names of keys."""

from __future__ import annotations

import base64

import pytest

from wgorch.base.wgkey import names_by_key, new_pair, public_key

KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="


def test_a_public_key_is_returned_as_it_is() -> None:
    assert KEY == public_key(KEY)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not 44 characters"),
        (KEY[:-1], "not 44 characters"),
        (KEY.replace("+", "-"), "not 44 characters"),
        (KEY[:-2] + "l=", "not canonical"),
        (base64.b64encode(bytes(32)).decode(), "low order"),
        (base64.b64encode(bytes([1, *[0] * 31])).decode(), "low order"),
        (base64.b64encode(bytes([0] * 31 + [128])).decode(), "low order"),
    ],
)
def test_what_only_looks_like_a_key_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        public_key(text)


def test_a_new_pair_has_a_valid_public_key() -> None:
    private, public = new_pair()

    assert public == public_key(public)
    assert private != public


def test_names_are_found_by_key() -> None:
    assert {"A": "home", "B": "bcc"} == names_by_key({"home": "A", "bcc": "B"})
