"""Files that hold secrets: new ones, whole, and of their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wgorch.errors import UsageError
from wgorch.report import files, prometheus


def test_a_file_that_somebody_else_has_open_does_not_get_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "phone.conf"
    path.write_text("theirs")
    with path.open() as theirs:
        files.write_text("PrivateKey", path)
        assert "theirs" == theirs.read()
    assert ("PrivateKey", 0o600) == (path.read_text(), path.stat().st_mode & 0o777)


def test_a_file_of_another_owner_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "phone.conf"
    path.touch()
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    files.write_text("PrivateKey", path)

    assert os.geteuid() == path.stat().st_uid


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "phone.conf"
    target.write_text("kept")
    path.symlink_to(target)
    files.write_text("PrivateKey", path)

    assert ("kept", "PrivateKey", False) == (target.read_text(), path.read_text(), path.is_symlink())


def test_a_path_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "none" / "x.prom", tmp_path / "file" / "x"):
        for write in (files.write_text, prometheus.write):
            with pytest.raises(UsageError, match="cannot write"):
                write("text", path)
    with pytest.raises(UsageError, match="cannot make the directory"):
        files.write_packets({"home": b"x"}, tmp_path / "file")
    assert ["file"] == [path.name for path in tmp_path.iterdir()]


def test_metrics_can_be_read_by_a_collector(tmp_path: Path) -> None:
    prometheus.write("text", tmp_path / "x.prom")

    assert 0o644 == (tmp_path / "x.prom").stat().st_mode & 0o777
