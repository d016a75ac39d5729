"""Resolve an SSH target to a route: the inventory first, then the configuration as OpenSSH reads it."""

from __future__ import annotations

import ipaddress
import os
import pwd
import re
import threading
from collections.abc import Mapping
from pathlib import Path

from wgorch.errors import UsageError
from wgorch.inventory.model import Host, SshTarget
from wgorch.remote.ssh import config_dump, tokens
from wgorch.remote.ssh.config import Settings, SshConfig, read_config
from wgorch.remote.ssh.needs import is_live, needs_ssh
from wgorch.remote.ssh.route import Algorithms, SshRoute

USER_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"

_UNSAFE_HOST = r"""[\s'`"$\\&<>;(){}|]|^-|[\x00-\x1f\x7f]"""
_UNSAFE_USER = r"""['`";&<>|(){}$\s]|^-|\\$|[\x00-\x1f\x7f]"""


def home_directory() -> Path:
    """The home folder that ssh takes: that of the password database, whatever $HOME is."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path.home()


def _login_name() -> str:
    import getpass

    return getpass.getuser()


class SshResolver:
    """Resolves the targets of one inventory, each once. `config`: read from the files that ssh reads, by default."""

    def __init__(self, hosts: Mapping[str, Host], config: SshConfig | None = None) -> None:
        self._config = config or read_config(home_directory())
        self._home = self._config.home
        self._hosts = hosts
        self._shared: dict[tuple[int, ...], Settings] = {}
        self._found: dict[str, SshRoute] = {}
        self._guard = threading.Lock()

    def of(self, host: Host) -> SshRoute:
        """The route to a host of the inventory. Raises UsageError for circular jump hosts and for a bad file."""
        found = self._found.get(host.name)
        if found is None:
            found = self._found[host.name] = self._route(host.ssh, host.host_key, (host.name,))
        return found

    def _route(self, target: SshTarget, host_key: str | None, trail: tuple[str, ...]) -> SshRoute:
        settings = self._settings(target)
        first = {keyword: values[0] for keyword, values in settings.items()}
        meant = tokens.Meant(
            asked=target.host,
            host=_lowered(first.get("hostname") or target.host),
            port=target.port or int(first.get("port", 22)),
            user=target.user or first.get("user") or _login_name(),
            alias=first.get("hostkeyalias", ""),
            home=str(self._home),
        )
        via = self._via(target, first, meant, trail)
        identities = (target.identity,) if target.identity else settings.get("identityfile", ())
        proxy = "" if via or first.get("proxycommand", "none").lower() == "none" else first["proxycommand"]
        _check_shell_words(trail[0], target, bool(proxy))
        return SshRoute(
            host=meant.host,
            port=meant.port,
            user=meant.user,
            via=via,
            identities=self._files(identities, meant),
            only_identities=bool(target.identity) or _is_yes(first.get("identitiesonly")),
            certificates=self._files(settings.get("certificatefile", ()), meant),
            agent=_agent(first.get("identityagent")),
            known_as=first.get("hostkeyalias", ""),
            known_hosts_files=self._files(_known_hosts_files(first), meant),
            proxy_command=tokens.expand(proxy, meant),
            host_key=host_key,
            name=target.host,
            pinned_identity=bool(target.identity),
            algorithms=_algorithms(first),
            accepts_new=first.get("stricthostkeychecking") == "accept-new",
            control_path=first["controlpath"] if is_live(first.get("controlpath")) else "",
            needs_ssh=needs_ssh(settings, meant),
        )

    def _via(
        self, target: SshTarget, first: Mapping[str, str], meant: tokens.Meant, trail: tuple[str, ...]
    ) -> SshRoute | None:
        jumps = list(target.via)
        configured = first.get("proxyjump", "none")
        if not jumps and configured.lower() != "none":
            jumps = [_parse_jump(word) for word in tokens.expand(configured, meant).split(",")]
            _check_loop(trail[0], jumps[-1], meant, target.user or first.get("user"))
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
            route = here if route is None else here.behind(route)
        return route

    def _settings(self, target: SshTarget) -> Settings:
        """What the files say about a target; by `ssh -G` where a line is more than plain, once for names that share it."""
        if not self._config.odd:
            return self._config.settings(target.host)
        sharing = self._config.sharing(target.host)
        if sharing is None:
            _check_shell_words(target.host, target, True)
            return config_dump.ask_ssh(self._config, target)
        with self._guard:
            found = self._shared.get(sharing)
            if found is None:
                found = config_dump.ask_ssh(self._config, SshTarget(target.host))
                if found["hostname"] == (_lowered(target.host),):
                    found = {keyword: values for keyword, values in found.items() if keyword != "hostname"}
                self._shared[sharing] = found
        return found

    def _files(self, paths: tuple[str, ...], meant: tokens.Meant) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tokens.expand_path(path, meant) for path in paths if path.lower() != "none"))


def _known_hosts_files(first: Mapping[str, str]) -> tuple[str, ...]:
    user = first.get("userknownhostsfile", USER_KNOWN_HOSTS).split()
    return (*user, *first.get("globalknownhostsfile", SYSTEM_KNOWN_HOSTS).split())


def _is_yes(word: str | None) -> bool:
    return (word or "no").lower() in ("yes", "true")


def _agent(word: str | None) -> str:
    """The socket of IdentityAgent."""
    if word is None or word == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if word.lower() == "none":
        return ""
    return os.environ.get(word[1:], "") if word.startswith("$") else word


def _algorithms(first: Mapping[str, str]) -> Algorithms:
    def names(keyword: str) -> tuple[str, ...]:
        return tuple(word for word in first.get(keyword, "").split(",") if word)

    return Algorithms(names("kexalgorithms"), names("ciphers"), names("macs"), names("hostkeyalgorithms"))


def _lowered(name: str) -> str:
    """A host name as ssh uses it: in lower case, but for an address."""
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name.lower()
    return name


def _check_shell_words(host: str, target: SshTarget, reaches_shell: bool) -> None:
    """Refuse what a shell would take for more than a word, where ssh hands it to one. Raises UsageError."""
    if not reaches_shell:
        return
    for word, unsafe, field in ((target.host, _UNSAFE_HOST, "host"), (target.user or "", _UNSAFE_USER, "user")):
        if re.search(unsafe, word):
            raise UsageError(
                f"{host}: the SSH {field} {word!r} would reach a shell by ProxyCommand or Match exec",
                f"use a {field} name without shell metacharacters",
            )


def _check_loop(host: str, last: SshTarget, meant: tokens.Meant, user: str | None) -> None:
    """Refuse, as ssh does, a last jump host that is the target itself. `user`: the login name given. Raises UsageError."""
    if (last.host, last.port or 22) == (meant.host, meant.port) and last.user in (None, user):
        raise UsageError(f"{host}: jumphost loop via {last.host}", "correct ProxyJump in ~/.ssh/config")


def _parse_jump(word: str) -> SshTarget:
    """``[ssh://][user@]host[:port]`` of a ProxyJump."""
    user, at, rest = word.strip().removeprefix("ssh://").rpartition("@")
    bracketed = re.fullmatch(r"\[([^]]+)\](?::([0-9]+))?", rest)
    if bracketed:
        host, port = bracketed[1], bracketed[2] or ""
    else:
        host, _, port = rest.rpartition(":") if rest.count(":") == 1 else (rest, "", "")
    return SshTarget(host, user if at else None, int(port) if port.isdigit() else None)
