"""What the controller remembers of past runs: hints, never the truth.

The hosts themselves are the only record of what is on them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wgorch.base.directories import state_directory, store, stored
from wgorch.errors import UsageError
from wgorch.inventory.model import AUTO, Host, Inventory, IPAddress, SshTarget
from wgorch.plan.journals import Head


def find_inventory(given: str | None) -> tuple[str, str]:
    """Find the inventory: its path, and how it was found (empty if given). Raises UsageError."""
    if given is not None:
        if not given:
            raise UsageError("the name of the inventory is empty", "name its file")
        return given, ""
    if named := os.environ.get("WGORCH_INVENTORY"):
        return named, "from WGORCH_INVENTORY"
    if Path("inventory.yaml").is_file():
        return "inventory.yaml", "in this directory"
    if last := last_inventory():
        return last, "last applied from this directory"
    raise UsageError("no inventory given", "name its file, or set WGORCH_INVENTORY; wgorch init writes a new one")


def last_inventory() -> str | None:
    """The path of the inventory last applied from the current directory."""
    path = stored(_inventories()).get(_here())
    return str(path) if path else None


def remember(inventory: Inventory, orphans: Mapping[str, Host], record: str, *, is_here: bool = True) -> None:
    """Store which inventory was applied from the current directory, and how its hosts are reached.

    `orphans`: hosts outside the inventory that still carry its network; `record`: of its members, as it is now;
    `is_here`: the inventory is a file of this machine. Never fails a run.
    """
    if is_here and (here := _here()):
        store(_inventories(), stored(_inventories()) | {here: str(Path(inventory.path).resolve())})
    network = {
        "network": inventory.network.name,
        "subnets": _subnets(inventory),
        "hosts": {name: _host_to_json(host) for name, host in {**orphans, **inventory.hosts}.items()},
        "devices": {name: [str(a) for a in device.addresses] for name, device in inventory.devices.items()},
        "record": record,
    }
    store(_network(inventory.network.name), network)


def remember_teardown(inventory: Inventory, absent: Iterable[str], orphans: Mapping[str, Host]) -> None:
    """Store that a network is down, but on absent hosts and orphans; the addresses it had stay for its next `up`."""
    if orphans:
        remember(inventory, orphans, "")
    last = stored(_network(inventory.network.name))
    if last:
        store(_network(inventory.network.name), last | {"left": sorted({*absent, *orphans})})


def forget_member(network: str, name: str, before: str, after: str) -> None:
    """Strike a host from a network as last applied; `before` and `after`: the record of its members."""
    last = stored(_network(network))
    if not last:
        return
    hosts, left = last.get("hosts"), last.get("left")
    if isinstance(hosts, dict):
        hosts.pop(name, None)
    if isinstance(left, list):
        last["left"] = [other for other in left if other != name]
    if after and last.get("record") == before:
        last["record"] = after
    store(_network(network), last)


def removed_since(inventory: Inventory) -> dict[str, Host]:
    """The hosts of the network as last applied on this controller that are not in the inventory any more."""
    last = stored(_network(inventory.network.name))
    if last.get("subnets") != _subnets(inventory):
        return {}
    left = last.get("left")  # after a teardown: those that still carry it
    present = {(host.ssh.host, host.ssh.port, host.ssh.via) for host in inventory.hosts.values()}
    return {
        name: host
        for name, host in _hosts(last)
        # The same machine under another name was renamed, not removed.
        if name not in inventory.hosts
        and (host.ssh.host, host.ssh.port, host.ssh.via) not in present
        and ("left" not in last or (isinstance(left, list) and name in left))
    }


def remember_heads(network: str, heads: Mapping[str, Head]) -> None:
    """Store where the journals of a network's hosts end; none after a teardown."""
    if heads:
        store(_heads(network), {name: list(head) for name, head in heads.items()})
    else:
        with contextlib.suppress(OSError):
            _heads(network).unlink()


def known_heads(network: str) -> dict[str, Head]:
    """Where the journals of a network's hosts ended, as far as this controller saw them confirm."""
    found = {}
    for name, fields in stored(_heads(network)).items():
        with contextlib.suppress(TypeError, ValueError):
            when, total = fields
            found[name] = Head(int(when), str(total))
    return found


def base_record(network: str) -> str:
    """The record of the members that the last change from this controller left; empty where none is known."""
    return str(stored(_network(network)).get("record", ""))


def hosts_of(network: str) -> dict[str, Host]:
    """The hosts that a network of that name was last applied to from this controller."""
    return dict(_hosts(stored(_network(network)))) if Path(network).name == network else {}


def addresses_had(inventory: Inventory) -> dict[str, tuple[IPAddress, ...]]:
    """The addresses of the network's members as last applied on this controller, by name."""
    last = stored(_network(inventory.network.name))
    return {name: host.addresses for name, host in _hosts(last)} | dict(_devices(last))


def _hosts(last: dict[str, Any]) -> Iterator[tuple[str, Host]]:
    """The stored hosts, without those that do not parse."""
    hosts = last.get("hosts")
    for name, fields in hosts.items() if isinstance(hosts, dict) else ():
        try:
            yield str(name), _host_from_json(str(name), fields)
        except (KeyError, TypeError, ValueError):
            continue


def _devices(last: dict[str, Any]) -> Iterator[tuple[str, tuple[IPAddress, ...]]]:
    devices = last.get("devices")
    for name, texts in devices.items() if isinstance(devices, dict) else ():
        try:
            yield str(name), tuple(ipaddress.ip_address(text) for text in texts)
        except (TypeError, ValueError):
            continue


def _subnets(inventory: Inventory) -> list[str]:
    return [str(subnet) for subnet in inventory.network.subnets]


def _host_to_json(host: Host) -> dict[str, Any]:
    return {
        "ssh": asdict(host.ssh),
        "addresses": [str(address) for address in host.addresses],
        "listen_port": host.listen_port,
        "host_key": host.host_key,
    }


def _host_from_json(name: str, fields: dict[str, Any]) -> Host:
    addresses = tuple(ipaddress.ip_address(text) for text in fields["addresses"])
    return Host(name, _target(fields["ssh"]), addresses, int(fields["listen_port"]), host_key=fields.get("host_key"))


def _target(fields: dict[str, Any]) -> SshTarget:
    via = tuple(_target(jump) for jump in fields["via"])
    client = fields.get("client", AUTO)
    return SshTarget(fields["host"], fields["user"], fields["port"], via, fields["identity"], client)


# --- files


def _inventories() -> Path:
    """The inventory last applied, by directory."""
    return state_directory() / "last.json"


def _network(name: str) -> Path:
    """The members of a network as last applied."""
    return state_directory() / f"{name}.hosts.json"


def _heads(name: str) -> Path:
    """Where the journals of a network's hosts ended."""
    return state_directory() / f"{name}.heads.json"


def _here() -> str:
    """The current directory; empty where it was removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""
