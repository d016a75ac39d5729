"""Names and quoting for inventories that wgorch writes."""

from __future__ import annotations

import json
import re

from wgorch.gather.observed import Observed


def name_of(seen: Observed, taken: set[str]) -> str:
    """A name for the inventory: the machine's own, where it can be one and nobody has it yet; it is taken then."""
    name = re.sub(r"[^a-z0-9-]+", "-", seen.system.hostname.partition(".")[0].lower()).strip("-")[:30]
    if not re.match(r"[a-z]", name) or name in ("no", "yes", "on", "off", "null", "true", "false", "local"):
        name = "host"
    names = [name, *(f"{name}-{n}" for n in range(2, 10_000))]
    found = next(n for n in names if n not in taken)
    taken.add(found)
    return found


def quoted(text: str) -> str:
    """A value as YAML takes it for the same text."""
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_./@-]*", text) else json.dumps(text)
