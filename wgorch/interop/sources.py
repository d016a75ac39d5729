"""Read SSH targets from Ansible inventories and ~/.ssh/config."""

from __future__ import annotations

from wgorch.remote.ssh.config import read_config
from wgorch.remote.ssh.resolve import home_directory


def from_ansible(text: str) -> list[str]:
    """SSH targets of an Ansible inventory in INI format; ranges of names are left out."""
    found: dict[str, None] = {}
    section = ""
    for line in text.split("\n"):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith(";") and not section.endswith((":vars", ":children")):
            name, *words = line.split()
            if "[" not in name:
                found[_target(name, dict(word.split("=", 1) for word in words if "=" in word))] = None
    return list(found)


def _target(name: str, variables: dict[str, str]) -> str:
    """``[user@]host[:port]`` of a line's name and variables."""
    host = variables.get("ansible_host", name)
    user = variables.get("ansible_user") or variables.get("ansible_ssh_user")
    port = variables.get("ansible_port")
    if ":" in host and port:
        host = f"[{host}]"
    return f"{f'{user}@' if user else ''}{host}{f':{port}' if port else ''}"


def from_ssh_config() -> list[str]:
    """Names of the user's OpenSSH configuration, without patterns; Includes are followed."""
    return read_config(home_directory()).names()
