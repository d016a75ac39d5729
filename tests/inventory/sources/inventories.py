"""Inventories with sources, in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from wgorch.errors import InventoryError
from wgorch.inventory.load import load
from wgorch.inventory.model import Inventory

NETWORK = "network: {name: office, subnet: 10.99.0.0/16}\n"
HUB = 'hosts:\n  hub: {ssh: root@203.0.113.10, endpoint: "203.0.113.10:51820", relay: true}\n'


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files; those with a shebang can be run. The path of the inventory."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)
    return folder / "inventory.yaml"


def read(folder: Path, files: dict[str, str], *, run_sources: bool = True) -> Inventory:
    """Load an inventory of some files."""
    return load(write(folder, files), run_sources=run_sources)


def refused(folder: Path, files: dict[str, str], *, run_sources: bool = True) -> list[str]:
    """The problems of an inventory, each with its fix, without the folder's name."""
    with pytest.raises(InventoryError) as error:
        read(folder, files, run_sources=run_sources)
    return [problem.replace(f"{folder}/", "").replace(str(folder), "HERE") for problem in error.value.problems]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of a person, which is not the inventory's folder."""
    home = tmp_path / "home"
    for name, place in (("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config")):
        monkeypatch.setenv(name, str(home / place))
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The inventory's."""
    (tmp_path / "net").mkdir()
    return tmp_path / "net"


def allow(home: Path, text: str) -> None:
    """Write the person's own configuration."""
    path = home / "config" / "wgorch" / "sources.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
