"""Resolve an SSH target to connection settings: inventory first, then ~/.ssh/config (OpenSSH precedence)."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko

from wgorch.base.value import value
from wgorch.errors import UsageError
from wgorch.inventory.model import Host, SshTarget

DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


@value
class SshRoute:
    """Everything needed to open one SSH connection. `via`: the connection it goes through, or None."""

    host: str
    port: int
    user: str
    via: SshRoute | None = None
    identities: tuple[str, ...] = ()
    only_identities: bool = False
    known_as: str = ""
    known_hosts_files: tuple[str, ...] = ()
    proxy_command: str = ""
    host_key: str | None = None

    def __str__(self) -> str:
        port = f":{self.port}" if self.port != 22 else ""
        return f"{self.user}@{self.host}{port}" + (f" via {self.via}" if self.via else "")


def read_config() -> Any:
    """Parse ~/.ssh/config and /etc/ssh/ssh_config into one paramiko.SSHConfig; None if neither exists."""
    config = None
    for path in (Path.home() / ".ssh" / "config", Path("/etc/ssh/ssh_config")):
        if path.is_file():
            config = config or paramiko.SSHConfig()
            with path.open(encoding="utf-8", errors="replace") as file:
                config.parse(file)
    return config


class SshResolver:
    """Resolves the targets of one inventory. `config`: what `read_config` returned."""

    def __init__(self, config: Any, hosts: Mapping[str, Host], home: Path | None = None) -> None:
        self._config = config
        self._hosts = hosts
        self._home = home or Path.home()
        # A lookup costs 28 ms with a thousand Host blocks: names without a block of their own share one result.
        self._plain = not config or not config.get_hostnames() - {"*"}
        self._shared: dict[str, Any] | None = None
        self._found: dict[str, SshRoute] = {}

    def of(self, host: Host) -> SshRoute:
        """The route to a host of the inventory, resolved once. Raises UsageError for circular jump hosts."""
        found = self._found.get(host.name)
        if found is None:
            found = self._found[host.name] = self._route(host.ssh, host.host_key, (host.name,))
        return found

    def default_identities(self) -> list[str]:
        """The key files that OpenSSH tries where none is named."""
        return [str(self._home / ".ssh" / name) for name in DEFAULT_KEYS]

    def _route(self, target: SshTarget, host_key: str | None, trail: tuple[str, ...]) -> SshRoute:
        options = self._lookup(target.host)
        via = self._via(target, options, trail)
        identities = [target.identity] if target.identity else list(options.get("identityfile", ()))
        return SshRoute(
            host=str(options.get("hostname", target.host)),
            port=target.port or int(options.get("port", 22)),
            user=target.user or str(options.get("user") or getpass.getuser()),
            via=via,
            identities=tuple(str(self._expand(path)) for path in identities),
            only_identities=bool(target.identity) or str(options.get("identitiesonly", "no")).lower() == "yes",
            known_as=str(options.get("hostkeyalias", "")),
            known_hosts_files=tuple(str(self._expand(path)) for path in _known_hosts_files(options)),
            proxy_command="" if via else str(options.get("proxycommand", "") or ""),
            host_key=host_key,
        )

    def _via(self, target: SshTarget, options: dict[str, Any], trail: tuple[str, ...]) -> SshRoute | None:
        jumps = list(target.via)
        if not jumps and options.get("proxyjump") and str(options["proxyjump"]).lower() != "none":
            jumps = [_parse_jump(word) for word in str(options["proxyjump"]).split(",")]
        route: SshRoute | None = None
        for jump in jumps:
            named = self._hosts.get(jump.host) if not jump.user and not jump.port else None
            name = named.name if named else jump.host
            if name in trail:
                raise UsageError(
                    f"{trail[0]}: circular jump hosts: {' -> '.join([*trail, name])}",
                    "correct via in the inventory, or ProxyJump in ~/.ssh/config",
                )
            here = self._route(named.ssh if named else jump, named.host_key if named else None, (*trail, name))
            route = here if route is None else _behind(here, route)
        return route

    def _lookup(self, name: str) -> dict[str, Any]:
        if self._config is None:
            return {}
        if self._plain and self._shared is not None:
            return self._shared
        found = dict(self._config.lookup(name))
        if self._plain:
            found.pop("hostname", None)
            self._shared = found
        return found

    def _expand(self, path: str) -> Path:
        return Path(str(self._home) + path[1:] if path.startswith("~/") else path)


def _known_hosts_files(options: Mapping[str, Any]) -> list[str]:
    user = str(options.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")).split()
    system = str(options.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts")).split()
    return [*user, *system]


def _behind(route: SshRoute, first: SshRoute) -> SshRoute:
    """The same route, with `first` before its first hop."""
    return replace(route, via=_behind(route.via, first) if route.via else first)


def _parse_jump(word: str) -> SshTarget:
    """``[ssh://][user@]host[:port]`` of a ProxyJump."""
    user, at, rest = word.strip().removeprefix("ssh://").rpartition("@")
    host, colon, port = rest.rpartition(":") if rest.count(":") == 1 else (rest, "", "")
    return SshTarget(host.strip("[]"), user if at else None, int(port) if colon and port.isdigit() else None)
