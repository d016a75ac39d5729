"""Who belongs to a network, by the record that its hosts keep; by this controller's memory where there is none."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping

from wgorch.errors import UsageError
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Host, Inventory
from wgorch.memory import base_record, removed_since
from wgorch.plan.members import Record, differences, left, may_have_left, newest, parse


def removed_hosts(inventory: Inventory, seen: Mapping[str, Observed]) -> dict[str, Host]:
    """The hosts of a network that left its inventory and still carry it."""
    record = newest(seen)
    if record.text and not may_have_left(inventory, record):
        return {}
    members = parse(record) if record.text else None
    return left(inventory, members) if members else removed_since(inventory)


def refuse_shrunk(inventory: Inventory, removed: Mapping[str, Host]) -> None:
    """Refuse to take down more than half of a network because its sources do not name it any more. Raises UsageError.

    A controller that never asked the sources before, as in CI, has only the hosts' record to compare with.
    """
    before = len(removed) + len(inventory.hosts)
    if inventory.has_sources and 2 * len(removed) > before:
        names = ", ".join(sorted(removed)[:8]) + (" …" if len(removed) > 8 else "")
        raise UsageError(
            f"of {before} hosts the sources (from:) leave out {len(removed)}: {names}",
            "if that is right: wgorch teardown --host USER@HOST on each, then wgorch forget NAME",
        )


def undone_changes(inventory: Inventory, seen: Mapping[str, Observed]) -> list[str]:
    """What an inventory would undo of changes that it is not based on, made from elsewhere.

    Where this controller does not know what it is based on, all that it would change.
    """
    record, base = newest(seen), base_record(inventory.network.name)
    theirs = parse(record) if record.text and record.text != base else None
    if theirs is None:
        return []
    known = parse(Record(text=base)) if base else None
    own = {*differences(known.inventory, inventory)} if known else set()
    return sorted({*differences(theirs.inventory, inventory)} - own)


def author() -> str:
    """``user@host`` of this controller; a user without a name by number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
