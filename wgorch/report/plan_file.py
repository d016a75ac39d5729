"""Render a plan that was written to a file."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from wgorch.approval import Approvals
from wgorch.base.text import count, visible
from wgorch.plan.file import PlanFile, PlannedHost, shown
from wgorch.plan.host import BOOT
from wgorch.report.as_json import VERSION, change_json
from wgorch.report.console import safe_text
from wgorch.report.plan import render_plan
from wgorch.state.change import Change


def render(out: Console, file: PlanFile, approved: Sequence[Approvals] = ()) -> None:
    """Print a plan as `plan` prints it, by whom it was made, and when, and who approved it."""
    render_plan(out, shown(file))
    for line in (*_removed(file), file.undone):
        if line:
            out.print(safe_text(line, "yellow"))
    out.print(safe_text(_head(file), "dim"))
    for line in _approvals(approved):
        out.print(safe_text(line, "dim"))


def _approvals(approved: Sequence[Approvals]) -> Iterator[str]:
    for each in approved:
        yield f"approved by {', '.join(each.by) or 'no signer'}"
        yield from (f"does not count: {text}" for text in each.refused)


def markdown(file: PlanFile, approved: Sequence[Approvals] = ()) -> str:
    """A plan as what one pastes into a pull request."""
    lines = [f"## Plan of network {file.network}", "", _code(_head(file)), "", f"Digest: `{file.digest}`", ""]
    lines += [line for each in _approvals(approved) for line in (_code(each), "")]
    for name, host in file.hosts.items():
        lines += [f"### {name}: {count(len(host.changes), 'change')}", "", *_changes(host), ""]
    lines += [f"- {_code(line)}" for line in (*_removed(file), file.undone) if line]
    notes = dict.fromkeys(note.text for host in file.hosts.values() for note in host.notes)
    lines += [f"- note: {_code(note)}" for note in notes]
    return "\n".join(lines).rstrip() + "\n"


def _changes(host: PlannedHost) -> Iterator[str]:
    for change in host.changes:
        disruptive = " **disruptive**" if change.disruptive else ""
        reason = "" if change.step == BOOT else f": {_code(change.why)}"
        yield f"- `{change.sign}` {_code(change.what)}{reason}{disruptive}"
        yield from (f"  - {_code(str(value))}" for value in change.values)


def _code(text: str) -> str:
    """Text in which nothing is taken for Markdown or HTML."""
    text = visible(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, blank = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def _head(file: PlanFile) -> str:
    when = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(file.made))
    return f"made by {file.by}, {when}, from {file.path}, by wgorch {file.version}"


def _removed(file: PlanFile) -> Iterator[str]:
    for name, place in file.removed.items():
        yield f"- host {name} ({place}): left the inventory; torn down after its peers drop it"


def as_json(file: PlanFile, approved: Sequence[Approvals] = ()) -> dict[str, Any]:
    """A plan that was written to a file; the id of a change is the same for the same change of the same host."""
    hosts = {
        name: {
            "changes": [{"id": _id(name, change), **change_json(change)} for change in host.changes],
            "notes": [visible(str(note)) for note in host.notes],
        }
        for name, host in file.hosts.items()
    }
    return {
        "version": VERSION,
        "network": visible(file.network),
        "inventory": visible(file.path),
        "time": file.made,
        "by": visible(file.by),
        "digest": file.digest,
        "approved_by": sorted({name for each in approved for name in each.by}),
        "removed_hosts": sorted(map(visible, file.removed)),
        "hosts": hosts,
    }


def _id(host: str, change: Change) -> str:
    return hashlib.sha256(f"{host} {change.step} {change.sign} {change.what}".encode()).hexdigest()[:12]
