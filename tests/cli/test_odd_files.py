"""Files, names and streams that are no plain files end in a sentence, and what is no file is not replaced by one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wgorch.errors import InventoryError, Unreachable, UsageError
from wgorch.interop.ansible import machines
from wgorch.inventory import load as loading
from wgorch.remote.ssh.sockets import connect_tcp
from wgorch.report.files import write_text

LONG = "a" * 300


def wgorch(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run with standard input closed."""
    script = 'exec "$0" -m wgorch "$@" <&-'
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "HOME": str(cwd)}
    return subprocess.run(
        ["sh", "-c", script, sys.executable, *words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["init", "-o", LONG, "local"],
        ["init", "-y", "-o", "x.yaml", "root@nowhere.invalid"],
        ["adopt", "-o", LONG, "root@nowhere.invalid"],
        ["trust", "root@nowhere.invalid"],
        ["check", "--playbooks", LONG, LONG],
        ["check", LONG],
        ["init", "-y", "-o", "x.yaml", "root@a..b"],
        ["init", "-y", "-o", "x.yaml", f"root@{'a' * 70}.example"],
    ],
)
def test_no_internal_error_with_standard_input_closed(words: list[str], tmp_path: Path) -> None:
    done = wgorch(*words, cwd=tmp_path)
    assert done.returncode not in (0, 1, 70), done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "out.svg"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="cannot write"):
        write_text("lost", pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    while not got and reader.is_alive():
        try:
            write_text("whole", pipe)
            break
        except UsageError:
            continue
    reader.join(10)
    assert got == ["whole"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write_text("gone", link)
    write_text("gone", Path("/dev/null"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_an_inventory_from_a_pipe_is_read_and_an_idle_one_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "inventory.yaml"
    os.mkfifo(pipe)
    monkeypatch.setattr(loading, "PATIENCE_S", 1)
    with pytest.raises(InventoryError, match="no data within 1 s"):
        loading.load(pipe)
    text = (Path(__file__).resolve().parents[2] / "inventory" / "home-company.yaml").read_text()
    writer = threading.Thread(target=lambda: pipe.write_text(text))
    writer.start()
    assert "bcc" in loading.load(pipe).hosts
    writer.join(10)


@pytest.mark.parametrize("name", ["a..b", "a" * 70 + ".example"])
def test_a_name_that_cannot_be_asked_for_is_said(name: str) -> None:
    with pytest.raises(Unreachable, match="check the name"):
        connect_tcp("bcc", name, 22, 1)


def test_ansible_tags_are_read_and_broken_yaml_is_located(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(
        "all:\n  hosts:\n    web:\n      ansible_host: 192.0.2.1\n      ansible_password: !vault |\n        $ANSIBLE_VAULT;1.1\n"
    )
    assert list(map(str, machines(path).targets)) == ["192.0.2.1"]
    path.write_text("all: {x:\n  - ]\n")
    assert "hosts.yml:2:3: not YAML" in machines(path).passed_over[0]
