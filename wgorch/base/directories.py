"""Directories of the person who runs wgorch: what it remembers, and what that person allows."""

from __future__ import annotations

import os
from pathlib import Path


def state_directory() -> Path:
    """The directory of the journal and of what the controller remembers."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "wgorch"


def config_directory() -> Path:
    """The directory of the person's own configuration."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "wgorch"


def private_directory(path: Path) -> None:
    """Make a directory that only its owner may write. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid != os.getuid() or path.stat().st_mode & 0o022:
        raise PermissionError(f"{path} is writable by others")
