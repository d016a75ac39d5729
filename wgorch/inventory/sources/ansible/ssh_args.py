"""Arguments that Ansible gives to ssh, as fields of an SSH target; what cannot be one is refused."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath

from wgorch.inventory.sources.ansible.templates import Unreadable

ALONE = "46AaCfGgKkMNnqsTtVvXxYy"
"""ssh's options without a value."""
WITH_VALUE = "BbcDEeFIiJLlmOoPpQRSWw"

NEEDLESS = frozenset(
    {
        "addkeystoagent", "batchmode", "checkhostip", "compression", "connectionattempts", "connecttimeout",
        "controlmaster", "controlpath", "controlpersist", "forwardagent", "forwardx11", "forwardx11trusted",
        "globalknownhostsfile", "gssapiauthentication", "gssapidelegatecredentials", "hashknownhosts",
        "identitiesonly", "ipqos", "kbdinteractiveauthentication", "loglevel", "numberofpasswordprompts",
        "passwordauthentication", "preferredauthentications", "pubkeyauthentication", "rekeylimit",
        "requesttty", "sendenv", "serveralivecountmax", "serveraliveinterval", "stricthostkeychecking",
        "tcpkeepalive", "updatehostkeys", "userknownhostsfile", "verifyhostkeydns", "visualhostkey",
    }
)  # fmt: skip
"""Options that say nothing of where a host is, or who logs in: wgorch has its own care for those."""

OWN_CONFIG = "write it into ~/.ssh/config, which wgorch reads"


@dataclass
class SshArgs:
    """What the arguments say of a target; the first of each kind counts, as with ssh."""

    host: str = ""
    user: str = ""
    port: str = ""
    identity: str = ""
    jumps: list[SshArgs] | None = None
    """The way to it; None where nothing is said, empty for none."""
    target: str = ""
    """The word that is no option: the host of a ProxyCommand."""
    stdio: str = ""
    """Of ``-W``."""
    command: list[str] = field(default_factory=list)
    """Words behind the host."""

    def set(self, name: str, value: str) -> None:
        """Set what is not yet set."""
        if not getattr(self, name):
            setattr(self, name, value)


@lru_cache(1024)
def parse(text: str) -> SshArgs:
    """Read arguments as a shell and ssh would; what is returned is never changed. Raises Unreadable."""
    try:
        found = _parse(shlex.split(text), depth=0)
        if found.target:
            raise Unreadable("has a word that belongs to no option")
        return found
    except ValueError as error:
        raise Unreadable(f"cannot be split into words: {str(error).lower()}") from None


def _parse(words: list[str], depth: int) -> SshArgs:
    if depth > 5:
        raise Unreadable("goes through too many commands")
    found, rest = SshArgs(), iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            if found.target:
                found.command = [word, *rest]
                break
            found.target = word  # ssh reads options behind it, too
            continue
        for letter, value in _options(word, rest):
            _apply(letter, value, found, depth)
    if found.target and depth:
        user, _, host = found.target.removeprefix("ssh://").rstrip("/").rpartition("@")
        found.set("host", host)
        found.set("user", user)
    return found


def _options(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The letters of one word, the last with its value, which may be the next word."""
    for position, letter in enumerate(word[1:], 1):
        if letter in ALONE:
            yield letter, ""
        elif letter in WITH_VALUE:
            value = word[position + 1 :] or next(rest, None)
            if value is None:
                raise Unreadable(f"-{letter} needs a value")
            yield letter, value
            return
        else:
            raise Unreadable(f"ssh has no option -{letter}")


def _apply(letter: str, value: str, found: SshArgs, depth: int) -> None:
    if letter == "o":
        name, value = [*re.split(r"\s*=\s*|\s+", value.strip(), maxsplit=1), ""][:2]
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        _option(name, value[1:-1] if quoted else value, found, depth)
    elif letter == "J":
        _option("ProxyJump", value, found, depth)
    elif letter in "ilpW":
        found.set({"i": "identity", "l": "user", "p": "port", "W": "stdio"}[letter], value)
    elif letter not in ALONE and letter not in "bcEemOQS":
        raise Unreadable(f"-{letter} is not read")


def _option(name: str, value: str, found: SshArgs, depth: int) -> None:
    key = name.lower()
    if key == "proxyjump":
        if found.jumps is None:
            found.jumps = [] if value.lower() == "none" else [_jump(hop) for hop in value.split(",")]
    elif key == "proxycommand":
        if found.jumps is None:
            found.jumps = [] if value.lower() == "none" else _command(value, depth)
    elif key in ("user", "port", "identityfile", "hostname"):
        found.set({"identityfile": "identity", "hostname": "host"}.get(key, key), value)
    elif key not in NEEDLESS:
        raise Unreadable(f"-o {name} is not read")


def _jump(hop: str) -> SshArgs:
    return SshArgs(host=hop.removeprefix("ssh://").strip("/ "))


def _command(text: str, depth: int) -> list[SshArgs]:
    """The jumps that a ProxyCommand of the usual kind makes: ssh with -W, or with nc on the jump host."""
    why = "its ProxyCommand is not ssh -W %h:%p HOST"  # which may hold a password
    try:
        words = shlex.split(text)
    except ValueError:
        raise Unreadable(why) from None
    if words[:1] == ["exec"]:
        words = words[1:]
    if not words or PurePath(words[0]).name != "ssh":
        raise Unreadable(why)
    hop = _parse(words[1:], depth + 1)
    by_nc = re.fullmatch(r"(?:exec )?(?:\S*/)?(?:nc|ncat|netcat)(?: -\w+(?: \d+)?)* %h %p", " ".join(hop.command))
    by_stdio = hop.stdio in ("%h:%p", "[%h]:%p") and not hop.command
    if not hop.host or not (by_stdio or by_nc):
        raise Unreadable(why)
    if "%" in f"{hop.host}{hop.user}{hop.port}{hop.identity}".replace("%r", ""):
        raise Unreadable(why)
    before, hop.jumps = hop.jumps or [], None
    return [*before, hop]
