"""Revisions of a network, read from the hosts that keep its record; and the hosts' journals, checked."""

from __future__ import annotations

import secrets

from wgorch.base.sh import sh_lines
from wgorch.errors import HostsFailed, UsageError
from wgorch.host.programs import parameters, uploaded
from wgorch.memory import known_heads
from wgorch.plan.journals import Check, HostJournal, check, parse_journal
from wgorch.plan.members import Record, keepers
from wgorch.plan.revisions import merged, records_in
from wgorch.run import Run


def revisions(run: Run) -> dict[int, Record]:
    """The revisions by number, from the hosts that keep them and can be reached. Raises HostsFailed, UsageError."""

    def work(name: str) -> dict[int, Record]:
        mark = f"revision-{secrets.token_hex(8)}"
        words = parameters({"directory": run.network.directory, "mark": mark})
        program = sh_lines([words, uploaded("revisions.sh")])
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


def check_journals(run: Run) -> Check:
    """Read the journal of every host that can be reached, and check them all. Raises HostsFailed."""

    def work(name: str) -> HostJournal:
        mark = f"journal-{secrets.token_hex(8)}"
        words = parameters({"directory": run.network.directory, "mark": mark})
        program = sh_lines([words, uploaded("journal.sh")])
        return parse_journal(run.fleet.open(name).exchange(program, "read its journal", 60), mark)

    found, failed = run.fleet.on_hosts(run.inventory.hosts, work)
    run.absent.update(failed)
    if not found:
        raise HostsFailed(list(failed.values()))
    return check(found, known_heads(run.network.name))


def revision(known: dict[int, Record], number: int) -> Record:
    """One revision. Raises UsageError."""
    if number not in known:
        kept = f"{min(known)} to {max(known)}" if len(known) > 1 else str(max(known))
        raise UsageError(f"there is no revision {number}", f"revisions {kept} are kept: wgorch history")
    return known[number]
