"""Read host names from Ansible inventories and ~/.ssh/config."""

from __future__ import annotations

import re

# --- machines that other files know of


def from_ansible(text: str) -> list[str]:
    """The SSH places in an inventory of Ansible's, in INI."""
    found: dict[str, None] = {}
    section = ""
    for line in text.split("\n"):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith(";") and not section.endswith((":vars", ":children")):
            host, *words = line.split()
            of = dict(word.split("=", 1) for word in words if "=" in word)
            place = of.get("ansible_host", host)
            user = of.get("ansible_user") or of.get("ansible_ssh_user")
            port = of.get("ansible_port")
            if ":" in place and port:
                place = f"[{place}]"
            if "[" not in host:  # a range of names is nobody's SSH place
                found[f"{f'{user}@' if user else ''}{place}{f':{port}' if port else ''}"] = None
    return list(found)


def from_ssh_config(text: str) -> list[str]:
    """The hosts that an OpenSSH configuration names, without patterns."""
    found: dict[str, None] = {}
    for line in text.split("\n"):
        words = line.strip().replace("=", " ").split()
        if words[:1] and words[0].lower() == "host":
            found |= {word: None for word in words[1:] if not re.search(r"[*?!]", word)}
    return list(found)
