"""Read SSH targets from ~/.ssh/config."""

from __future__ import annotations

from wgorch.remote.ssh.config import read_config
from wgorch.remote.ssh.resolve import home_directory


def from_ssh_config() -> list[str]:
    """Names of the user's OpenSSH configuration, without patterns; Includes are followed."""
    return read_config(home_directory()).names()
