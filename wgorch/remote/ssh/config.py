"""Read the configuration files of OpenSSH's client, as far as they are plain; `ssh -G` decides about the others.

Plain are Host blocks, Include, and those words and values whose meaning is the same in every version of ssh. Anything
else is noted as `odd` and not interpreted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")

MAX_DEPTH = 16
"""Of Includes, as in ssh."""

MAX_FILES = 256
"""Files that are read; with more, ssh decides: two that include each other are read 65,000 times."""

Settings = Mapping[str, tuple[str, ...]]
"""Values by keyword in lower case; several for those that add up."""

ADDING = ("identityfile", "certificatefile")
"""Keywords each of whose lines adds a value; of the others the first line wins."""

_FLAG = r"yes|no|true|false"
_NAME = r"[A-Za-z0-9_.@:-]+"
_PATH = r"[A-Za-z0-9_.@:/~+-]+"
_NUMBER = r"[0-9]{1,5}"
_PATTERN = r"[A-Za-z0-9_.@:/*?!-]+"

_WORDS: Mapping[str, Iterable[str]] = {
    _NAME: ("hostname", "user", "hostkeyalias"),
    r"[A-Za-z0-9_.@:,/\[\]-]+": ("proxyjump",),
    _PATH: ("identityfile", "certificatefile"),
    rf"{_PATH}(\s+{_PATH})*": ("userknownhostsfile", "globalknownhostsfile"),
    r"[1-9][0-9]{0,4}": ("port",),
    r"\S.*": ("proxycommand",),
    # Without effect on a login, or on one by wgorch.
    "yes|true|ask|no|off|false": ("stricthostkeychecking",),
    _FLAG: (
        *("identitiesonly", "compression", "forwardagent", "forwardx11", "forwardx11trusted", "hashknownhosts"),
        *("tcpkeepalive", "gssapiauthentication", "gssapidelegatecredentials", "visualhostkey", "batchmode"),
        *("clearallforwardings", "exitonforwardfailure", "passwordauthentication", "kbdinteractiveauthentication"),
        *("challengeresponseauthentication",),
    ),
    _NUMBER: ("serveraliveinterval", "serveralivecountmax", "connecttimeout", "connectionattempts"),
    r"yes|no|ask|confirm": ("addkeystoagent",),
    r"yes|no|auto|autoask|ask": ("controlmaster",),
    r"yes|no|[0-9]{1,5}[smhd]?": ("controlpersist",),
    r"QUIET|FATAL|ERROR|INFO|VERBOSE|DEBUG[123]?": ("loglevel",),
    r"[A-Za-z0-9_*? -]+": ("sendenv",),
}
PLAIN = {word: pattern for pattern, words in _WORDS.items() for word in words}
"""The plain words, each with the values that are plain."""

_OTHER_PROXY = {"proxyjump": "proxycommand", "proxycommand": "proxyjump"}
"""Of the two, the one that comes first wins."""

_PLAIN_INCLUDE = r"(?:~/)?[A-Za-z0-9_.@/*?+-]+"
_TRIVIAL_MATCH = r"(?i:(?:final\s+|canonical\s+)?all|final|canonical)"


class Line(NamedTuple):
    """One setting. `place`: FILE:LINE."""

    place: str
    keyword: str
    value: str


class Block:
    """The lines between two of Host or Match. `guards`: the patterns of its Host line and of those around its Include."""

    def __init__(self, guards: tuple[tuple[str, ...], ...] = ()) -> None:
        self.guards = guards
        self.lines: list[Line] = []

    def applies(self, name: str) -> bool:
        """True if all its patterns match a name."""
        return all(_matches(patterns, name) for patterns in self.guards)


class SshConfig:
    """The user's file and then the system's. `odd`: the lines that ssh itself has to interpret.

    `depends_on_target`: true if a Match asks for more than the patterns of Host do.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.blocks: list[Block] = []
        self.odd: list[Line] = []
        self.depends_on_target = False
        self.files = 0

    def settings(self, name: str) -> Settings:
        """The settings of a name, where no line is odd."""
        found: dict[str, tuple[str, ...]] = {}
        for line in (line for block in self.blocks if block.applies(name) for line in block.lines):
            had = found.get(line.keyword, ())
            if line.keyword in ADDING:
                found[line.keyword] = had if line.value in had else (*had, line.value)
            elif not had and _OTHER_PROXY.get(line.keyword) not in found:
                found[line.keyword] = (line.value,)
        return found

    def sharing(self, name: str) -> tuple[int, ...] | None:
        """The same for all names to which ssh gives the same settings; None: those of this name are its own."""
        if self.depends_on_target:
            return None
        applying = [index for index, block in enumerate(self.blocks) if block.applies(name)]
        values = (line for index in applying for line in self.blocks[index].lines)
        if any("%" in line.value or "$" in line.value or line.keyword.startswith("canonical") for line in values):
            return None
        return tuple(applying)

    def names(self) -> list[str]:
        """The names of Host lines, without patterns."""
        words = (word for block in self.blocks for patterns in block.guards for word in patterns)
        return list(dict.fromkeys(word for word in words if not re.search(r"[*?!]", word)))


def read_config(home: Path, system: Path = SYSTEM_CONFIG) -> SshConfig:
    """Read ~/.ssh/config and /etc/ssh/ssh_config with what they include; a missing file is empty."""
    config = SshConfig(home)
    _Reader(config, home / ".ssh").read(home / ".ssh" / "config", checks_mode=True)
    _Reader(config, system.parent).read(system, checks_mode=False)
    return config


class _Reader:
    """Reads one of the two files. `directory`: where relative Includes are."""

    def __init__(self, config: SshConfig, directory: Path) -> None:
        self._config, self._directory = config, directory
        self._is_user = directory == config.home / ".ssh"

    def read(
        self, path: Path, guards: tuple[tuple[str, ...], ...] = (), depth: int = 0, *, checks_mode: bool = True
    ) -> None:
        self._config.files += 1
        if self._config.files > MAX_FILES:
            return
        try:
            status = path.stat()
            text = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            return
        if checks_mode and (status.st_uid not in (0, os.getuid()) or status.st_mode & 0o022):
            self._config.odd.append(Line(f"{path}:1", "permissions", oct(status.st_mode & 0o777)))
        block = self._open(guards)
        for line in _lines(path, text):
            block = self._take(line, block, guards, depth)

    def _take(self, line: Line, block: Block, guards: tuple[tuple[str, ...], ...], depth: int) -> Block:
        """Take one line; the block that the next one belongs to."""
        if line.keyword == "host" and all(re.fullmatch(_PATTERN, word) for word in line.value.split()):
            return self._open((*guards, tuple(line.value.split())))
        if line.keyword == "match":
            self._config.odd.append(line)
            self._config.depends_on_target |= not re.fullmatch(_TRIVIAL_MATCH, line.value)
            return self._open(guards)
        if (
            line.keyword == "include"
            and depth < MAX_DEPTH
            and self._config.files < MAX_FILES
            and self._is_plain_include(line.value)
        ):
            for path in self._included(line.value):
                self.read(path, block.guards, depth + 1)
            return self._open(block.guards)
        if line.keyword == "host":
            self._config.depends_on_target = True
            self._config.odd.append(line)
            return self._open(guards)
        if line.keyword not in PLAIN or not re.fullmatch(PLAIN[line.keyword], line.value):
            self._config.odd.append(line)
            self._config.depends_on_target |= line.keyword == "include"
        block.lines.append(line)
        return block

    def _open(self, guards: tuple[tuple[str, ...], ...]) -> Block:
        block = Block(guards)
        self._config.blocks.append(block)
        return block

    def _is_plain_include(self, pattern: str) -> bool:
        return bool(re.fullmatch(_PLAIN_INCLUDE, pattern)) and (self._is_user or not pattern.startswith("~"))

    def _included(self, pattern: str) -> list[Path]:
        if pattern.startswith("~/"):
            pattern = f"{self._config.home}{pattern[1:]}"
        import glob  # as glob(3) in ssh, without hidden files; Path.glob has those

        return [Path(path) for path in sorted(glob.glob(str(self._directory / pattern)))]  # noqa: PTH207


def _lines(path: Path, text: str) -> Iterator[Line]:
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t\r\f")
        if line and not line.startswith("#"):
            keyword, value = _words(line)
            yield Line(f"{path}:{number}", keyword.lower(), value)


def _words(line: str) -> tuple[str, str]:
    """The keyword, and what follows it or an equals sign."""
    keyword, _, value = line.replace("\t", " ").partition(" ")
    value = value.lstrip()
    if "=" in keyword:
        keyword, _, rest = keyword.partition("=")
        return keyword, f"{rest} {value}".strip()
    return keyword, value[1:].lstrip() if value.startswith("=") else value


def _matches(patterns: Iterable[str], name: str) -> bool:
    """As ssh matches a Host line: one pattern must match, and none with an exclamation mark."""
    hits = [p for p in patterns if fnmatchcase(name, p.removeprefix("!"))]
    return bool(hits) and not any(p.startswith("!") for p in hits)
