"""The controller's journal: private, readable line by line, set aside if corrupt, and never a reason to fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wgorch.journal import Journal

KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_a_line_is_json_without_keys_or_control_characters() -> None:
    journal = Journal("office", "r1")
    journal.write("failed", "home", detail=f"a\x1b[31m {KEY}")
    journal.close()
    line = json.loads(journal.path.read_text())

    assert ("r1", "failed", "home") == (line["run"], line["event"], line["host"])
    assert "a\\x1b[31m <hidden key>" == line["detail"]
    assert 0o600 == journal.path.stat().st_mode & 0o777
    assert 0o700 == journal.path.parent.stat().st_mode & 0o777


def test_a_corrupt_journal_is_set_aside(tmp_path: Path) -> None:
    Journal("office", "r1").close()
    path = tmp_path / "wgorch" / "office.jsonl"
    path.write_text('{"time": 1}\n{"half')
    journal = Journal("office", "r2")
    journal.write("begin")
    journal.close()

    assert 1 == len(path.read_text().strip().split("\n"))
    assert 1 == len(list(path.parent.glob("office.corrupt-*")))


def test_a_symbolic_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    Journal("office", "r1").close()
    path = tmp_path / "wgorch" / "office.jsonl"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    Journal("office", "r2").write("begin")

    assert not (tmp_path / "elsewhere").exists()
