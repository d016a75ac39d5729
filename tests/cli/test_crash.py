"""An unforeseen error ends with one line, a report without secrets, and exit code 70."""

from __future__ import annotations

import stat
from base64 import b64encode
from pathlib import Path

import pytest

from wgorch.cli.crash import report_crash

KEY = b64encode(bytes(range(32))).decode()


def crashed(text: str) -> int:
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        return report_crash(error)


def test_the_report_is_private_and_holds_no_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["wgorch", "up", "secret.yaml", "--playbooks=/secret", "-y"])

    assert crashed(f"key {KEY}\x1b[2J") == 70

    (report,) = (tmp_path / "wgorch").glob("error-*.txt")
    text, said = report.read_text(), capsys.readouterr().err
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert str(report) in said
    assert said.count("\n") == 2
    assert "RuntimeError" in text
    for shown in (text, said):
        assert KEY not in shown
        assert "secret" not in shown.replace("secrets", "")
        assert "\x1b" not in shown


def test_a_report_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/nowhere")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))

    assert crashed("a bug") == 70
    assert "no report could be written" in capsys.readouterr().err
