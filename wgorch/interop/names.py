"""Names of hosts in inventories that wgorch writes."""

from __future__ import annotations

import re

from wgorch.gather.observed import Observed

RESERVED = ("no", "yes", "on", "off", "null", "true", "false", "local")
"""Names that YAML or the inventory reads as something else."""


def name_of(seen: Observed, taken: set[str]) -> str:
    """A name for a host: its hostname where that is valid and free, else with a number; it is added to `taken`."""
    name = re.sub(r"[^a-z0-9-]+", "-", seen.system.hostname.partition(".")[0].lower()).strip("-")[:30]
    if not re.match(r"[a-z]", name) or name in RESERVED:
        name = "host"
    names = [name, *(f"{name}-{n}" for n in range(2, 10_000))]
    found = next(n for n in names if n not in taken)
    taken.add(found)
    return found
