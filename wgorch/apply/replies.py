"""Read what a host's scripts and referee reply."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from wgorch.base.text import one_line
from wgorch.facts.observed import Observed
from wgorch.inventory.model import Network
from wgorch.plan.host import HostPlan, changes_between
from wgorch.plan.scope import in_scope
from wgorch.state.change import Change


def failure(said: str, changes: Sequence[Change]) -> tuple[str, str] | None:
    """What a program said of its own failure: the change's words, and the lines printed since it began."""
    lines = said.split("\n")
    for i, line in enumerate(lines):
        if line.startswith(("@fail", "@stop")):
            number = line.split(" ")[-1]
            began = max((j for j, text in enumerate(lines[:i]) if text.startswith("@at ")), default=-1)
            output = "; ".join(text for text in lines[began + 1 : i] if text.strip())[-400:] or "it said nothing"
            if number.isdigit() and 0 < int(number) <= len(changes):
                change = changes[int(number) - 1]
                return f"apply {change.sign} {change.what}", output
            return "write its files", output
    return None


def cut_short(said: str, changes: Sequence[Change]) -> tuple[str, str]:
    """What to say of a program that neither ended well nor said where it failed: it was killed, or hung until it was."""
    begun = re.findall(r"^@at (\d+)$", said, re.M)
    if begun and 0 < int(begun[-1]) <= len(changes):
        change = changes[int(begun[-1]) - 1]
        return f"apply {change.sign} {change.what}", "it did not end in time, or was killed"
    return "apply the change", one_line(said, 300) or "no word from its referee"


MOVES_IN_PREPARE = {
    "tools",
    "key_file",
    "key_file_mode",
    "key_file_public",
    "staged_keys",
    "source_key",
    "secrets",
    "installed",
    "zones",
    "zone_files",
    "kernel_wireguard",
    "os",
    "units",
}


def differences(before: Observed, after: Observed) -> list[str]:
    """What changed on the host between the plan and the lock, apart from what preparing it does."""
    found = []
    for name in Observed.__dataclass_fields__:
        if not Observed.__dataclass_fields__[name].compare or name in MOVES_IN_PREPARE:
            continue
        if getattr(before, name) != getattr(after, name):
            found.append(name.replace("_", " "))
    return found


def mismatches(plan: HostPlan, after: Observed, network: Network) -> list[str]:
    """Differences that are still there although the host said that it made the changes."""
    have = after.state(network)
    steps = [s for s in dict.fromkeys(c.step for c in (*plan.do, *plan.undo)) if s and s != "run"]
    want = replace(plan.want, runs=have.runs)
    return [f"{c.what}: {c.why}" for c in changes_between(want, in_scope(have, want), steps)]
