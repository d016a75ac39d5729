"""Directories of the person who runs wgorch: what it remembers, and what that person allows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


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


def stored(path: Path) -> dict[str, Any]:
    """What `store` wrote; empty where it cannot be read."""
    import json

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def store(path: Path, data: Mapping[str, Any]) -> None:
    """Replace a file of the state directory, which its owner alone can read; never fails."""
    import json

    try:
        private_directory(state_directory())
        temporary = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
        temporary.replace(path)
    except OSError:
        pass
