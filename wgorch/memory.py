"""Remember on the controller what was brought up from here; a hint, never the truth."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wgorch.errors import UsageError
from wgorch.inventory.model import Host, Inventory, IPAddress, SshTarget
from wgorch.journal import private_directory, state_directory


def remember(inventory: Inventory, orphans: Mapping[str, Host]) -> None:
    """Note what was brought up from the current directory, and how its hosts are reached.

    A hint for later runs, never the truth: the hosts themselves are the only record of what is on them.
    """
    known = _known(state_directory() / "last.json")
    known[str(Path.cwd())] = str(Path(inventory.path).resolve())
    _write(state_directory() / "last.json", known)
    hosts = {name: _host_to_json(host) for name, host in {**orphans, **inventory.hosts}.items()}
    devices = {name: [str(a) for a in device.addresses] for name, device in inventory.devices.items()}
    told = {"network": inventory.network.name, "subnets": _subnets(inventory), "hosts": hosts, "devices": devices}
    _write(state_directory() / f"{inventory.network.name}.hosts.json", told)


def removed_since(inventory: Inventory) -> dict[str, Host]:
    """Hosts that this network had when it was last brought up from here, and that left the inventory since."""
    told = _known(state_directory() / f"{inventory.network.name}.hosts.json")
    if told.get("subnets") != _subnets(inventory) or not isinstance(told.get("hosts"), dict):
        return {}
    there = {(host.ssh.host, host.ssh.port, host.ssh.via) for host in inventory.hosts.values()}
    found = {}
    for name, words in told["hosts"].items():
        try:
            host = _host_from_json(str(name), words)
        except (KeyError, TypeError, ValueError):
            continue
        # The same machine under another name has not left.
        if name not in inventory.hosts and (host.ssh.host, host.ssh.port, host.ssh.via) not in there:
            found[str(name)] = host
    return found


def _subnets(inventory: Inventory) -> list[str]:
    return [str(subnet) for subnet in inventory.network.subnets]


def addresses_had(inventory: Inventory) -> dict[str, tuple[IPAddress, ...]]:
    """The addresses that the hosts of this network had when it was last brought up from here."""
    told = _known(state_directory() / f"{inventory.network.name}.hosts.json")
    hosts = told.get("hosts")
    found = {}
    for name, words in hosts.items() if isinstance(hosts, dict) else ():
        try:
            found[str(name)] = _host_from_json(str(name), words).addresses
        except (KeyError, TypeError, ValueError):
            continue
    devices = told.get("devices")
    for name, texts in devices.items() if isinstance(devices, dict) else ():
        try:
            found[str(name)] = tuple(ipaddress.ip_address(text) for text in texts)
        except (TypeError, ValueError):
            continue
    return found


def _host_to_json(host: Host) -> dict[str, Any]:
    return {
        "ssh": asdict(host.ssh),
        "addresses": [str(address) for address in host.addresses],
        "listen_port": host.listen_port,
        "host_key": host.host_key,
    }


def _host_from_json(name: str, words: dict[str, Any]) -> Host:
    addresses = tuple(ipaddress.ip_address(text) for text in words["addresses"])
    return Host(name, _target(words["ssh"]), addresses, int(words["listen_port"]), host_key=words.get("host_key"))


def _target(words: dict[str, Any]) -> SshTarget:
    via = tuple(_target(jump) for jump in words["via"])
    return SshTarget(words["host"], words["user"], words["port"], via, words["identity"])


def _write(place: Path, value: dict[str, Any]) -> None:
    try:
        private_directory(state_directory())
        temporary = place.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(value, indent=1), encoding="utf-8")
        temporary.chmod(0o600)
        temporary.replace(place)
    except OSError:
        pass


def last_inventory() -> str | None:
    """The inventory that was last brought up from the current directory."""
    found = _known(state_directory() / "last.json").get(str(Path.cwd()))
    return str(found) if found else None


def _known(place: Path) -> dict[str, Any]:
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def find_inventory(given: str | None) -> tuple[str, str]:
    """The inventory, and how it was found."""
    if given:
        return given, ""
    if named := os.environ.get("WGORCH_INVENTORY"):
        return named, "from WGORCH_INVENTORY"
    if Path("inventory.yaml").is_file():
        return "inventory.yaml", "found here"
    from wgorch.memory import last_inventory

    if last := last_inventory():
        return last, "the last one brought up from here"
    raise UsageError("no inventory is given\n    fix: wgorch VERB INVENTORY, or set WGORCH_INVENTORY")
