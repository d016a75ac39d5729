"""The record of a network's members: who keeps it, what it says, and who left the network since it was written."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from wgorch.base.value import value
from wgorch.errors import InventoryError
from wgorch.gather.observed import Observed
from wgorch.inventory.dump import dump
from wgorch.inventory.load import loads
from wgorch.inventory.model import Host, Inventory
from wgorch.topology.topology import Topology

KEEPERS = 3
"""Number of hosts that keep the record where there is no relay."""


def keepers(topology: Topology) -> list[str]:
    """The hosts that keep the record: the relays; else the first few hosts with an endpoint; else the first host."""
    hosts = topology.inventory.hosts
    relays = [name for name, host in hosts.items() if host.relay]
    return relays or [name for name, host in hosts.items() if host.endpoint][:KEEPERS] or list(hosts)[:1]


@value
class Record:
    """A record as a host keeps it."""

    number: int = 0
    """Of the revision; each change of the network makes a new one."""
    when: int = 0
    """UNIX time of the controller that wrote it."""
    who: str = ""
    """``user@host`` of that controller."""
    text: str = ""
    """The members, as compose() writes them; empty where there is no record."""
    keeper: str = ""
    """The host that keeps it."""


def newest(seen: Mapping[str, Observed]) -> Record:
    """The record with the highest number; one without text where no host that was read keeps one."""
    found = (
        record_of(name, there.slices.get("revision", ""), there.slices.get("members", ""))
        for name, there in seen.items()
    )
    return max(found, key=lambda each: (bool(each.text), each.number, each.when), default=Record())


def record_of(keeper: str, line: str, text: str) -> Record:
    """The record in a host's file. `line`: its first one."""
    number, _, rest = line.partition(" ")
    when, _, who = rest.partition(" ")
    return Record(_integer(number), _integer(when), who[:100], text, keeper)


def _integer(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def compose(
    inventory: Inventory,
    keys: Mapping[str, str],
    leaving: Mapping[str, Host],
    files: Mapping[str, tuple[str, int]] | None = None,
) -> str:
    """The record's text.

    Hosts with a key, devices, `leaving`: hosts that left and are not taken down yet; and `files`: for each device the
    digest of its configuration file, and since when it is not the one before, in UNIX time, 0 for the first.
    """
    known = {name: host for name, host in _without_interfaces(inventory).items() if name in keys}
    left = dump(replace(inventory, hosts=leaving, devices={}, links=(), verify=()))["hosts"] if leaving else {}
    links = tuple(rule for rule in inventory.links if rule.one in known and rule.other in known)
    # What is verified, and an interface that is found by itself, is no part of who belongs to the network.
    data = dump(replace(inventory, hosts=known, verify=(), links=links))
    rest = {"keys": {name: str(keys[name]) for name in known}, "leaving": left}
    return _lines({**data, **rest, **({"files": files} if files else {})})


def device_files(topology: Topology, keys: Mapping[str, str], record: Record, now: int) -> dict[str, tuple[str, int]]:
    """The digest of each device's configuration file, and since when it is another one."""
    before, found = recorded_files(record), {}
    for name, device in topology.inventory.devices.items():
        if not device.public_key or any(peer not in keys for peer in topology.peers(name)):
            continue
        desired = topology.desired(name)
        links = [(keys[link.peer], *link) for link in desired.links]
        text = repr((device.addresses, device.dns, device.exit, desired.network.mtu, links))
        digest = sha256(text.encode()).hexdigest()[:16]
        old, since = before.get(name, ("", 0))
        found[name] = (digest, since if digest == old else now if old else 0)
    return found


def recorded_files(record: Record) -> dict[str, tuple[str, int]]:
    """The same as a record has it."""
    try:
        found = json.loads(record.text)["files"]
        return {str(name): (str(digest)[:16], int(since)) for name, (digest, since) in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _lines(data: Mapping[str, Any]) -> str:
    """JSON with a line for each member."""
    parts = []
    for key, part in data.items():
        if isinstance(part, dict) and key != "network":
            inner = ",\n".join(f"{_json(name)}:{_json(each)}" for name, each in part.items())
            parts.append(f"{_json(key)}:{{\n{inner}\n}}" if inner else f"{_json(key)}:{{}}")
        else:
            parts.append(f"{_json(key)}:{_json(part)}")
    return "{" + ",\n".join(parts) + "}"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@value
class Members:
    """What a record says."""

    inventory: Inventory
    keys: Mapping[str, str]
    leaving: Mapping[str, Host]


def parse(record: Record) -> Members | None:
    """What a record says; None where it does not parse, as another version's may not."""
    try:
        data = json.loads(record.text)
        keys, left, _ = data.pop("keys", {}), data.pop("leaving", {}), data.pop("files", {})
        inventory = _loaded(record, data)
        leaving = _loaded(record, {"network": data["network"], "hosts": left}).hosts if left else {}
    except (InventoryError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Members(inventory, {str(name): str(key) for name, key in keys.items()}, leaving)


def recorded_keys(record: Record, names: Collection[str]) -> dict[str, str]:
    """The public keys of some hosts, as a record has them."""
    members = parse(record) if names else None
    return {name: key for name, key in members.keys.items() if name in names} if members else {}


def may_have_left(inventory: Inventory, record: Record) -> bool:
    """False if every recorded host is in the inventory by name; parse() takes a hundred times as long."""
    try:
        data = json.loads(record.text)
        names = {*data.get("hosts", ()), *data.get("leaving", ())}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return True
    return not names <= inventory.hosts.keys()


def _loaded(record: Record, data: Mapping[str, Any]) -> Inventory:
    return loads(json.dumps(data), f"the record on {record.keeper}", whole=False)


def left(inventory: Inventory, members: Members) -> dict[str, Host]:
    """The recorded hosts that are not in the inventory any more; the same place under another name was renamed."""
    present = {(host.ssh.host, host.ssh.port, host.enter) for host in inventory.hosts.values()}
    recorded = {**members.leaving, **members.inventory.hosts}
    return {
        name: host
        for name, host in recorded.items()
        if name not in inventory.hosts and (host.ssh.host, host.ssh.port, host.enter) not in present
    }


def recorded_with(
    members: Members | None, inventory: Inventory, names: frozenset[str]
) -> tuple[Inventory, dict[str, Host]]:
    """The recorded members with those of `names` as an inventory has them; and those that left it for good.

    A host that is not in the inventory stays a member, unless its address is another's by now.
    """
    theirs = members.inventory.hosts if members else {}
    hosts = {n: host if n in names else theirs.get(n) for n, host in inventory.hosts.items()}
    kept = {n: host for n, host in hosts.items() if host}
    taken = {address for host in kept.values() for address in host.addresses}
    gone = left(inventory, members) if members else {}
    stay = {n: host for n, host in gone.items() if n in theirs and taken.isdisjoint(host.addresses)}
    # The hosts beyond the limit keep the policy that they have.
    its = members.inventory if members else inventory
    after = replace(inventory, hosts=kept | stay, policy=its.policy, groups=its.groups, approve=its.approve)
    return after, {n: host for n, host in gone.items() if n not in stay}


def differences(before: Inventory, after: Inventory) -> Iterator[str]:
    """What an inventory would change of the recorded one, by name."""
    was, now = (dump(replace(each, hosts=_without_interfaces(each), verify=())) for each in (before, after))
    if was.get("network") != now.get("network"):
        yield "network settings"
    for section in ("hosts", "devices"):
        old, new = was.get(section, {}), now.get(section, {})
        yield from (f"- {name}" for name in old if name not in new)
        yield from (f"+ {name}" for name in new if name not in old)
        yield from (
            f"~ {name} ({', '.join(_fields(old[name], new[name]))})"
            for name in old
            if name in new and old[name] != new[name]
        )
    if was.get("links") != now.get("links"):
        yield "links"
    if was.get("approve") != now.get("approve"):
        yield "approvals"
    if any(was.get(section) != now.get(section) for section in ("policy", "groups")):
        yield "policy"


def _without_interfaces(inventory: Inventory) -> dict[str, Host]:
    return {name: replace(host, lan_interface=None) for name, host in inventory.hosts.items()}


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
