"""Revisions of a network, read from the hosts that keep its record."""

from __future__ import annotations

import secrets

from wgorch.base.sh import quote, sh
from wgorch.errors import HostsFailed, UsageError
from wgorch.host.programs import uploaded
from wgorch.plan.members import Record, keepers
from wgorch.plan.revisions import merged, records_in
from wgorch.run import Run


def revisions(run: Run) -> dict[int, Record]:
    """The revisions by number, from the hosts that keep them and can be reached. Raises HostsFailed, UsageError."""

    def work(name: str) -> dict[int, Record]:
        mark = f"revision-{secrets.token_hex(8)}"
        place = quote(run.network.directory)
        program = sh(
            "directory={place} mark={mark}\n{text}", place=place, mark=quote(mark), text=uploaded("revisions.sh")
        )
        return records_in(name, run.fleet.open(name).exchange(program, "read its revisions", 60), mark)

    found, failed = run.fleet.on_hosts(keepers(run.topology), work)
    run.absent.update(failed)
    if not found:
        raise HostsFailed(list(failed.values()))
    every = merged(found)
    if not every:
        raise UsageError(
            f"no revision of network {run.network.name} is kept on {', '.join(found)}", "wgorch up makes one"
        )
    return every


def revision(known: dict[int, Record], number: int) -> Record:
    """One revision. Raises UsageError."""
    if number not in known:
        kept = f"{min(known)} to {max(known)}" if len(known) > 1 else str(max(known))
        raise UsageError(f"there is no revision {number}", f"revisions {kept} are kept: wgorch history")
    return known[number]
