"""Bundled assets."""

from __future__ import annotations

from wgorch.base.assets import asset, minified


def test_a_minified_asset_has_no_comments_no_indentation_and_no_empty_lines() -> None:
    lines = minified("host", "watch.sh").strip().split("\n")

    assert len(lines) < len(asset("host", "watch.sh").split("\n"))
    assert [] == [line for line in lines if line != line.lstrip() or line.startswith("#") or not line]
