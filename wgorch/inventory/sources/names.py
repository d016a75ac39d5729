"""Names and fields of hosts in the words of other tools."""

from __future__ import annotations

import re

from wgorch.inventory.nodes import Scalar
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.ansible.groups import Variables

PREFIX = "wgorch_"
"""What variables and custom fields begin with that hold a field of a host."""


def host_key(name: str, at: Scalar, own: Variables, problems: Problems) -> Scalar | None:
    """The key of a host: ``wgorch_name``, or its name in small letters and dashes. None if a problem was added."""
    given = own.get(f"{PREFIX}name")
    if given and isinstance(given[1], Scalar):
        return given[1]
    key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not re.match(r"[a-z0-9]", key) or len(key) > 32:
        # It is not shown: a file that is no inventory may have been named.
        problems.add(at, "", "makes no name of a host: 1 to 32 of a-z 0-9 -", f"give it a {PREFIX}name")
        return None
    return at._replace(text=key)
