"""SSH targets from files of other tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from wgorch.interop import sources
from wgorch.interop.sources import from_ssh_config


def test_an_openssh_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    (ssh / "config").write_text(
        "Host *\n  User root\nHost home office-gateway\nhost=shop\nInclude more/*\nHost *.example !x\nMatch host y\n"
    )
    (ssh / "more").mkdir()
    (ssh / "more" / "sites").write_text("Host depot\n  Port 2222\n")
    monkeypatch.setattr(sources, "home_directory", lambda: tmp_path)

    assert ["home", "office-gateway", "shop", "depot"] == from_ssh_config()
