"""Files that hold secrets: new ones, whole, and of their owner alone."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from wgorch.errors import InventoryError, UsageError
from wgorch.inventory.edit import add_member
from wgorch.inventory.load import load
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


HEAD = "network: {name: office, subnet: 10.9.0.0/24}\nhosts:\n  hub:\n    ssh: root@203.0.113.1\n"
HEAD += "    endpoint: 203.0.113.1:51820\n    relay: true\n"


def _add_phone(text: str) -> str:
    return f"{text}devices:\n  phone:\n"


def test_an_edited_inventory_keeps_its_mode_and_a_bad_one_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(HEAD)
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)

    with pytest.raises(InventoryError, match="unknown"):
        files.edit_inventory(str(link), lambda text: f"{text}nonsense: 1\n")
    assert path.read_text() == HEAD
    files.edit_inventory(str(link), _add_phone)
    assert link.is_symlink()
    assert "phone" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["inventory.yaml", "link.yaml"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_an_edited_inventory_keeps_its_line_ends(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_bytes(HEAD.replace("\n", ends).encode())

    files.edit_inventory(str(path), lambda text: add_member(text, "hosts", "branch", ["ssh: root@192.0.2.7"]))

    after = path.read_bytes().decode()
    assert after == after.replace("\r\n", "\n").replace("\n", ends)
    assert after.startswith(HEAD.replace("\n", ends).rstrip())
    assert list(load(path).hosts) == ["hub", "branch"]


def test_an_inventory_that_cannot_be_written_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(HEAD)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        files.edit_inventory(str(path), _add_phone)
    assert path.read_text() == HEAD
    assert [path] == list(tmp_path.iterdir())
