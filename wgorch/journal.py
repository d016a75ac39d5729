"""What a run did, one JSON line an event, for people to read; nothing is ever decided by it."""

from __future__ import annotations

import ipaddress
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wgorch.inventory.model import Host, Inventory, IPAddress, SshTarget
from wgorch.text import one_line, without_keys


def state_directory() -> Path:
    """Where the controller keeps its journal and what it brought up last."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "wgorch"


class Journal:
    """Appends events to `<network>.jsonl`, readable by its owner alone. Never fails a run."""

    def __init__(self, network: str, run: str, known_keys: frozenset[str] = frozenset()) -> None:
        self.path = state_directory() / f"{network}.jsonl"
        self.run = run
        self.known_keys = known_keys
        self._file: Any = None
        try:
            _private_directory(self.path.parent)
            self._set_aside_if_corrupt()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            os.fchmod(descriptor, 0o600)
            self._file = os.fdopen(descriptor, "a", encoding="utf-8")
        except OSError:
            self._file = None

    def write(self, event: str, host: str = "", **more: Any) -> None:
        """One line; text is made visible and keys that are not public are hidden."""
        if self._file is None:
            return
        clean = {
            k: without_keys(one_line(v, 500), self.known_keys) if isinstance(v, str) else v for k, v in more.items()
        }
        line = {"time": round(time.time(), 3), "run": self.run, "event": event, "host": host, **clean}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError:
            self._file = None

    def _set_aside_if_corrupt(self) -> None:
        if not self.path.exists() or not self.path.stat().st_size:
            return
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 65536))
            last = file.read().rstrip(b"\n").split(b"\n")[-1]
        try:
            json.loads(last)
        except ValueError:
            self.path.rename(self.path.with_suffix(f".corrupt-{int(time.time())}"))

    def close(self) -> None:
        """End it."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _private_directory(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid != os.getuid() or path.stat().st_mode & 0o022:
        raise PermissionError(f"{path} can be written by others")


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
        _private_directory(state_directory())
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
