"""Words that the glossary replaced stay out of code, messages and documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORDS = [line for line in (ROOT / "tests" / "words.txt").read_text().splitlines() if not line.startswith("#")]
FORMER = re.compile(rf"\b(?:{'|'.join(WORDS)})\b(?!=)", re.IGNORECASE)
ALLOWED = {
    "docs/json.md": ("`card`",),  # the table of former keys
    "CHANGELOG.md": (),
}
FILES = sorted(
    path
    for place, kinds in {
        "wgorch": ("py", "sh", "css", "html"),
        "docs": ("md",),
        "playbooks": ("yaml",),
        "inventory": ("yaml",),
        ".": ("md",),
    }.items()
    for kind in kinds
    for path in (ROOT / place).glob(f"*.{kind}" if place == "." else f"**/*.{kind}")
)


def test_there_is_something_to_read() -> None:
    assert len(FILES) > 200


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_former_word(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    allowed = ALLOWED.get(name, ())
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [f"{name}:{i}: {m[0]}" for i, line in enumerate(lines, 1) for m in FORMER.finditer(line)]
    spared = {i for i, line in enumerate(lines, 1) if any(text in line for text in allowed)}

    assert [] == [place for place in found if int(place.split(":")[1]) not in spared]
