"""The arguments of an ssh child: what wgorch requires, over what the person's own configuration says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from functools import cache

from wgorch.base.sh import Sh, quote_words
from wgorch.remote.ssh.config_dump import ssh_program
from wgorch.remote.ssh.limits import CONNECT_TIMEOUT_S, KEEPALIVE_S
from wgorch.remote.ssh.route import SshRoute

BEHIND_JUMP_S = 30
"""ConnectTimeout behind a jump host: it covers the jump host's own login."""

_REQUIRED = {
    "ServerAliveInterval": str(KEEPALIVE_S),
    "ServerAliveCountMax": "2",
    "ConnectionAttempts": "1",
    # A master that ssh would leave behind outlives the run; a live one is used all the same.
    "ControlMaster": "no",
    "ClearAllForwardings": "yes",
    "Tunnel": "no",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    # With a terminal, a line that begins with ~. would end the session.
    "EscapeChar": "none",
    "CheckHostIP": "no",
    "UpdateHostKeys": "no",
    "VisualHostKey": "no",
    "AddKeysToAgent": "no",
}

_SINCE = {"AddKeysToAgent": (7, 2), "RemoteCommand": (7, 6), "UpdateHostKeys": (6, 8)}
"""The first version that has a word; an unknown word ends ssh."""

PQ_WITHOUT_COST = (9, 9)
"""The first version of OpenSSH whose post-quantum key exchange costs no more than curve25519 does."""


@cache
def ssh_version() -> tuple[int, int]:
    """The version of OpenSSH's client."""
    done = subprocess.run([ssh_program() or "ssh", "-V"], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(r"OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)", done.stderr)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def options_of(route: SshRoute, *, asks: bool, light: bool) -> dict[str, str]:
    """Options of ssh_config for one hop.

    `asks`: ssh may ask for passphrases and passwords; `light`: without the key exchange that costs 100 ms of CPU.
    """
    found = {word: text for word, text in _REQUIRED.items() if ssh_version() >= _SINCE.get(word, (0, 0))}
    found["BatchMode"] = "no" if asks else "yes"
    # A wrong answer is wrong on every host: each more try brings a lock-out nearer.
    found["NumberOfPasswordPrompts"] = "1"
    found["ConnectTimeout"] = str(BEHIND_JUMP_S if route.via or route.proxy_command else CONNECT_TIMEOUT_S)
    # BatchMode and `ask` would refuse an unknown key too, but say less; `no` would accept a changed one.
    found["StrictHostKeyChecking"] = "accept-new" if route.accepts_new else "yes"
    if route.pinned_identity:
        found["IdentitiesOnly"] = "yes"
    if light and not route.algorithms.kex and ssh_version() < PQ_WITHOUT_COST:
        found["KexAlgorithms"] = "-sntrup761*"
    return found


def argv(route: SshRoute, options: dict[str, str], *flags: str, command: Sh | None = None) -> list[str]:
    """Arguments that connect to one hop."""
    words = [ssh_program() or "ssh", "-v", *flags]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    words += ["-l", route.user, "-p", str(route.port)]
    if route.pinned_identity:
        words += [word for path in route.identities for word in ("-i", path)]
    return [*words, "--", route.name or route.host, *([command] if command is not None else [])]


def shell_text(command: Sequence[str]) -> str:
    """A command as a shell reads it: one word is shell text already, as ssh takes it; more are quoted."""
    return command[0] if len(command) == 1 else quote_words(command)


def interactive_argv(route: SshRoute, command: Sequence[str], *, terminal: bool = False) -> list[str]:
    """Arguments of a person's own session; `command`: what runs there, a shell where empty; `terminal`: on a terminal."""
    words = [ssh_program() or "ssh", *(["-t"] if terminal and command else []), "-l", route.user, "-p", str(route.port)]
    if route.pinned_identity:
        words += [word for path in route.identities for word in ("-i", path)]
    if route.via:
        words += ["-J", ",".join(_jump(hop) for hop in route.via.hops)]
    return [*words, "--", route.name or route.host, *([shell_text(command)] if command else [])]


def _jump(hop: SshRoute) -> str:
    host = hop.name or hop.host
    return f"{hop.user}@{f'[{host}]' if ':' in host else host}:{hop.port}"


def through_master(socket: str, target: str = "[%h]:%p") -> Sh:
    """A ProxyCommand that connects through a jump host's master, and in no other way."""
    words = [ssh_program() or "ssh", "-F", "none", "-S", socket, "-o", "ProxyCommand=false", "-W", target, "--", "jump"]
    return quote_words(words)
