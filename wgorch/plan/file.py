"""A plan as a file: what people review, and what `apply` holds the hosts to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from wgorch.base.value import value
from wgorch.errors import Changed, HostError, UsageError
from wgorch.plan.host import HostPlan
from wgorch.plan.notes import Note
from wgorch.plan.script import Script
from wgorch.state.change import Attribute, Change
from wgorch.state.state import State

KIND = "wgorch plan"
FORMAT = 1

PROGRAMS = ("prepare", "do", "undo", "boot")
"""The programs of a host that a file holds; what comes after the confirmation has the time of the change in it."""


@value
class PlannedHost:
    """The part of one host in a plan."""

    changes: tuple[Change, ...]
    """Without their commands."""
    notes: tuple[Note, ...]
    programs: Mapping[str, str]
    rests_on: Mapping[str, str]
    """Digests of what the host has of the network, by object."""


@value
class PlanFile:
    """A plan with all that it takes to make it again."""

    network: str
    path: str
    """Of the inventory that it was made of."""
    inventory: str
    """The inventory as it was resolved: as YAML, with every address, and no secret."""
    playbooks: Mapping[str, str]
    """Texts by file name."""
    options: Mapping[str, Any]
    """Those that decide what is planned, by name."""
    removed: Mapping[str, str]
    """Hosts that left the inventory and are taken down, with their SSH places."""
    hosts: Mapping[str, PlannedHost]
    undone: str
    """What it undoes of a change made from elsewhere; empty for nothing."""
    made: int
    """UNIX time."""
    by: str
    """``user@host`` of the controller."""
    version: str
    """Of wgorch."""
    approvals: tuple[str, ...] = ()
    """The rules for approvals that were in force, each in one line."""
    digest: str = ""
    """SHA-256 of all of it, which approvals sign."""


def planned(plan: HostPlan) -> PlannedHost:
    """The part of a host, from its plan."""
    made: dict[str, Script] = {"prepare": plan.prepare_program, "do": plan.do_program, "undo": plan.undo_program}
    texts = {name: str(each.text) for name, each in made.items()} | {"boot": str(plan.boot.text)}
    boot = {"boot script": _digest(plan.boot_before)} if plan.boot_before else {}
    return PlannedHost(plan.changes, plan.notes, texts, rests_on(_without_learned(plan)) | boot)


def _without_learned(plan: HostPlan) -> State:
    """What a host has, without the endpoints that its peers were last seen at: they move by themselves."""
    want = plan.want.peers
    peers = {
        interface: {
            key: peer
            if (wanted := want.get(interface, {}).get(key)) and wanted.endpoint
            else replace(peer, endpoint=None)
            for key, peer in its.items()
        }
        for interface, its in plan.have.peers.items()
    }
    return replace(plan.have, peers=peers)


def rests_on(state: State) -> dict[str, str]:
    """Digests of what a host has, by object: ``peers wg0 KEY``, ``sysctls net/ipv4/ip_forward``."""
    found: dict[str, str] = {}
    for each in fields(state):
        if each.compare and (its := getattr(state, each.name)) not in ("", (), {}, frozenset()):
            found |= {" ".join(path): _digest(part) for path, part in _objects((each.name,), its)}
    return found


def _objects(path: tuple[str, ...], its: object) -> Iterator[tuple[tuple[str, ...], object]]:
    """The parts of a value that have names of their own."""
    if isinstance(its, Mapping):
        for key, part in its.items():
            yield from _objects((*path, getattr(key, "name", str(key))), part)
    elif isinstance(its, frozenset):
        for part in its:
            yield (*path, part if isinstance(part, str) else " ".join(map(str, _plain(part)))), ""
    else:
        yield path, its


def _digest(its: object) -> str:
    return hashlib.sha256(json.dumps(_plain(its)).encode()).hexdigest()[:16]


def _plain(its: Any) -> Any:
    """A value as lists and text, the same for equal values."""
    if isinstance(its, Mapping):
        return sorted([str(key), _plain(part)] for key, part in its.items())
    if isinstance(its, frozenset):
        return sorted(json.dumps(_plain(part)) for part in its)
    if is_dataclass(its):
        return [_plain(getattr(its, each.name)) for each in fields(its) if each.compare]
    return [_plain(part) for part in its] if isinstance(its, tuple) else str(its)


def departures(file: PlanFile, plans: Mapping[str, HostPlan], removed: Mapping[str, str]) -> Iterator[HostError]:
    """What is no longer as it was when a plan was made, by host; nothing where the same programs would run.

    `removed`: the hosts that are taken down now, with their SSH places.
    """
    for name in sorted({*file.hosts, *plans, *file.removed, *removed}):
        problem = _departure(file, name, plans.get(name), removed.get(name, ""))
        if problem:
            yield Changed(name, "apply the plan", problem, "make a new plan, and have it reviewed: wgorch plan -o FILE")


def _departure(file: PlanFile, name: str, plan: HostPlan | None, removed: str) -> str:
    if bool(removed) != (name in file.removed):
        return "it left the network since the plan was made" if removed else "the plan takes it down, and it is gone"
    if removed and removed != file.removed[name]:
        return f"the plan takes it down at {file.removed[name]}, and it is at {removed} now"
    then = file.hosts.get(name)
    if plan is None:
        return "it is part of the plan, and is not reached" if then else ""
    if then is None:
        return "it was not reached when the plan was made" if plan.changes else ""
    now = planned(plan)
    if moved := sorted(key for key, _ in {*then.rests_on.items()} ^ {*now.rests_on.items()}):
        return f"changed since the plan was made: {_listed(dict.fromkeys(moved))}"
    other = {f"{c.sign} {c.what}" for c in now.changes} ^ {f"{c.sign} {c.what}" for c in then.changes}
    texts = [text for text in PROGRAMS if _compared(now.programs[text]) != _compared(then.programs[text])]
    return f"another change would be made: {_listed(sorted(other) or texts)}" if other or texts else ""


def _compared(program: str) -> str:
    """A program without endpoints: those that are wanted are compared as objects, others are what was last seen."""
    return re.sub(r" endpoint \S+", "", program)


MOST_NAMED = 8


def _listed(names: Any) -> str:
    names = list(names)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


# --- text


def to_text(file: PlanFile) -> str:
    """The file as JSON, with the digest of all of it."""
    data = {
        "kind": KIND,
        "format": FORMAT,
        **{each.name: getattr(file, each.name) for each in fields(file) if each.name not in ("hosts", "digest")},
        "hosts": {name: _host_data(host) for name, host in file.hosts.items()},
    }
    return json.dumps({**data, "digest": digest_of(data)}, indent=1, ensure_ascii=False) + "\n"


def digest_of(data: Mapping[str, Any]) -> str:
    """SHA-256 of a file's content, but for the digest itself."""
    rest = {key: part for key, part in data.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _host_data(host: PlannedHost) -> dict[str, Any]:
    changes = [
        {
            "sign": change.sign,
            "step": change.step,
            "object": change.what,
            "reason": change.why,
            "disruptive": change.disruptive,
            "values": [list(each) for each in change.values],
        }
        for change in host.changes
    ]
    notes = [list(note) for note in host.notes]
    return {"changes": changes, "notes": notes, "programs": host.programs, "rests_on": host.rests_on}


def from_text(text: str, name: str) -> PlanFile:
    """The plan in a text. Raises UsageError for what is no plan, was edited or cut, or is of another version."""
    hint = "wgorch plan -o FILE writes one; wgorch up takes an inventory"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"{name} is no plan of wgorch, or was cut", hint) from None
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise UsageError(f"{name} is no plan of wgorch", hint)
    if data.get("format") != FORMAT:
        problem = f"{name} is a plan of format {str(data.get('format'))[:20]}, and this version reads {FORMAT}"
        raise UsageError(problem, hint)
    if data.get("digest") != digest_of(data):
        raise UsageError(f"{name} was edited or cut since it was made", hint)
    try:
        return PlanFile(
            network=str(data["network"]),
            path=str(data["path"]),
            inventory=str(data["inventory"]),
            playbooks={str(file): str(its) for file, its in data["playbooks"].items()},
            options=_options(data["options"]),
            removed={str(host): str(place) for host, place in data["removed"].items()},
            hosts={str(host): _host_of(its) for host, its in data["hosts"].items()},
            undone=str(data["undone"]),
            made=int(data["made"]),
            by=str(data["by"]),
            version=str(data["version"]),
            approvals=tuple(map(str, data["approvals"])),
            digest=str(data["digest"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UsageError(f"{name} is no plan of wgorch", hint) from None


def _options(data: Mapping[str, Any]) -> dict[str, Any]:
    """Names of hosts by option, and switches. Raises AttributeError, KeyError or TypeError."""
    lists = {name: [str(host) for host in data[name]] for name in ("limit", "accept_new_keys", "rotate_keys")}
    return {**lists, **{name: bool(data[name]) for name in ("redo_mtu", "adopt")}}


def _host_of(data: Mapping[str, Any]) -> PlannedHost:
    """Raises AttributeError, KeyError, TypeError or ValueError."""
    changes = tuple(map(_change_of, data["changes"]))
    notes = tuple(Note(str(host), str(text)) for host, text in data["notes"])
    programs = {name: str(data["programs"][name]) for name in PROGRAMS}
    return PlannedHost(changes, notes, programs, {str(key): str(each) for key, each in data["rests_on"].items()})


def _change_of(data: Mapping[str, Any]) -> Change:
    """Raises AttributeError, KeyError, TypeError or ValueError."""
    if data["sign"] not in ("+", "~", "-"):
        raise ValueError(data["sign"])
    values = tuple(Attribute(*map(str, each)) for each in data["values"])
    sign, what, why, step = (str(data[each]) for each in ("sign", "object", "reason", "step"))
    return Change(sign, what, why, (), bool(data["disruptive"]), step, lambda: values)


def shown(file: PlanFile) -> dict[str, HostPlan]:
    """The plans of a file, to be printed: their changes have no commands."""
    state = State("", "")

    def nothing() -> Any:
        return ()

    return {
        name: HostPlan(name, state, state, (), host.changes, (), nothing, nothing, nothing, host.notes)
        for name, host in file.hosts.items()
    }
