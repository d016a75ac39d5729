"""A host key that the inventory names, as options and files of ssh."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from wgorch.remote.ssh.host_keys import HostKey


def read_host_key(file: Path) -> HostKey | None:
    """The key that ssh wrote to a known_hosts file; None if it wrote none."""
    try:
        words = file.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return None
    try:
        return HostKey(words[-2], base64.b64decode(words[-1], validate=True))
    except (IndexError, ValueError):
        return None


def pinned(directory: Path, key: HostKey) -> dict[str, str]:
    """Options by which ssh accepts one key, and no other."""
    name = f"pin-{hashlib.sha256(key.blob).hexdigest()[:16]}"
    file = directory / name
    file.write_text(f"{name} {key.kind} {base64.b64encode(key.blob).decode()}\n", encoding="ascii")
    kinds = "rsa-sha2-512,rsa-sha2-256" if key.kind == "ssh-rsa" else key.kind
    return {
        "HostKeyAlias": name,
        "UserKnownHostsFile": str(file),
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlgorithms": kinds,
        "StrictHostKeyChecking": "yes",
    }
