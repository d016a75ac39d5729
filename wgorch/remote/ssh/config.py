"""How a name becomes a way: inventory, then ~/.ssh/config, as a user of OpenSSH expects; parsed once for all hosts."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

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
    host_key: str | None = field(default=None)

    def __str__(self) -> str:
        port = f":{self.port}" if self.port != 22 else ""
        return f"{self.user}@{self.host}{port}" + (f" via {self.via}" if self.via else "")


class SshResolver:
    """Resolves targets. `config` is a paramiko SSHConfig, or None where there is no file."""

    def __init__(self, config: Any, hosts: Mapping[str, Host], home: Path | None = None) -> None:
        self._config = config
        self._hosts = hosts
        self._home = home or Path.home()
        # A lookup costs 28 ms with a thousand Host blocks: names without a block of their own share one answer.
        self._plain = not config or not config.get_hostnames() - {"*"}
        self._shared: dict[str, Any] | None = None
        self._found: dict[str, SshRoute] = {}

    def of(self, host: Host) -> SshRoute:
        """The way to a host of the inventory, whose names are one host's each; found out once."""
        found = self._found.get(host.name)
        if found is None:
            found = self._found[host.name] = self._way(host.ssh, host.host_key, (host.name,))
        return found

    def _way(self, target: SshTarget, host_key: str | None, trail: tuple[str, ...]) -> SshRoute:
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
            known_hosts_files=tuple(str(self._expand(p)) for p in self._files(options)),
            proxy_command="" if via else str(options.get("proxycommand", "") or ""),
            host_key=host_key,
        )

    def _via(self, target: SshTarget, options: dict[str, Any], trail: tuple[str, ...]) -> SshRoute | None:
        jumps = list(target.via)
        if not jumps and options.get("proxyjump") and str(options["proxyjump"]).lower() != "none":
            jumps = [_parse_jump(word) for word in str(options["proxyjump"]).split(",")]
        way: SshRoute | None = None
        for jump in jumps:
            named = self._hosts.get(jump.host) if not jump.user and not jump.port else None
            name = named.name if named else jump.host
            if name in trail:
                raise UsageError(f"{trail[0]}: the jump hosts go in a circle: {' -> '.join([*trail, name])}")
            here = self._way(named.ssh if named else jump, named.host_key if named else None, (*trail, name))
            way = here if way is None else _behind(here, way)
        return way

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

    def _files(self, options: dict[str, Any]) -> list[str]:
        user = str(options.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")).split()
        system = str(options.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts")).split()
        return [*user, *system]

    def _expand(self, path: str) -> Path:
        return Path(str(self._home) + path[1:] if path.startswith("~/") else path)

    def default_identities(self) -> list[str]:
        """The keys that OpenSSH tries where none is named."""
        return [str(self._home / ".ssh" / name) for name in DEFAULT_KEYS]


def _behind(way: SshRoute, first: SshRoute) -> SshRoute:
    """The same way, begun at `first`."""
    return replace(way, via=_behind(way.via, first) if way.via else first)


def _parse_jump(word: str) -> SshTarget:
    user, at, rest = word.strip().removeprefix("ssh://").rpartition("@")
    host, colon, port = rest.rpartition(":") if rest.count(":") == 1 else (rest, "", "")
    return SshTarget(host.strip("[]"), user if at else None, int(port) if colon and port.isdigit() else None)
