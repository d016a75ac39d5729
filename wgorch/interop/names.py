"""Names of hosts in inventories that wgorch writes."""

from __future__ import annotations

import re

from wgorch.gather.observed import Observed

RESERVED = ("no", "yes", "on", "off", "null", "true", "false", "local")
"""Names that YAML or the inventory reads as something else."""


def name_of(seen: Observed, taken: set[str]) -> str:
    """A name for a host: its hostname where that is valid and free, else with a number; it is added to `taken`."""
    return free_name(seen.system.hostname.partition(".")[0], "host", taken)


def free_name(text: str, otherwise: str, taken: set[str]) -> str:
    """A name like a text, or like `otherwise` where that makes none; with a number if it is taken. It is added to `taken`."""
    name = re.sub(r"[^a-z0-9-]+", "-", text.lower().replace("'", "").replace("\u2019", "")).strip("-")[:28].strip("-")
    if not re.match(r"[a-z]", name) or name in RESERVED:
        name = otherwise
    names = [name, *(f"{name}-{n}" for n in range(2, 10_000))]
    found = next(n for n in names if n not in taken)
    taken.add(found)
    return found
