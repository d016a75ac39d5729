"""Files of other programs that make a live interface: names and endpoints of its peers, and what else they do at a start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import field

from wgorch.base.text import visible
from wgorch.base.value import value

_KEY = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
_HEADER = re.compile(r"\s*(\[|-\s+[a-z-]+:(\s|$))")
"""A section, or a list item of netplan that is a mapping."""
_ENDPOINT = re.compile(r"\s*-?\s*endpoint\s*[=:]\s*[\"']?([^\s\"'#]+)", re.I)
_COMMAND = re.compile(r"\s*(?:(?:Pre|Post)Up\s*=|(?:pre-|post-)?up\s)\s*(\S.*)", re.I)
_DNS = re.compile(r"\s*dns\s*=\s*([^#]+)", re.I)
_DECORATION = re.compile(
    r"^[#;\s]*(?:(?:begin_peer|end_peer|begin|client|peer|name|user|friendly_name|description)\b\s*[:=]?\s*)*", re.I
)
"""What generators of configurations put before a peer's name: `### Client anna`, `# BEGIN_PEER anna`, `# friendly_name=anna`."""


@value
class PeerLines:
    """What a file says of one peer."""

    name: str = ""
    """The comment beside it."""
    endpoint: str = ""


@value
class Configuration:
    """One file that makes an interface."""

    path: str
    peers: dict[str, PeerLines] = field(default_factory=dict)
    """By public key."""
    commands: tuple[str, ...] = ()
    """What it runs when the interface comes up."""
    dns: tuple[str, ...] = ()


def read(text: str) -> list[Configuration]:
    """The files in a host's answer."""
    files: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if line.startswith("file /"):
            files.append((line.removeprefix("file "), []))
        elif line.startswith("|") and files:
            files[-1][1].append(line[1:])
    return [_configuration(path, lines) for path, lines in files]


def _configuration(path: str, lines: list[str]) -> Configuration:
    live = [line for line in lines if not line.lstrip().startswith(("#", ";"))]
    commands = [found[1].strip() for line in live if (found := _COMMAND.match(line))]
    dns = [word for line in live if (found := _DNS.match(line)) for word in re.split(r"[\s,;]+", found[1]) if word]
    return Configuration(path, _peers(lines), tuple(commands), tuple(dns))


def _peers(lines: list[str]) -> dict[str, PeerLines]:
    found = {}
    for comments, block in _blocks(lines):
        keys = [key for line in block if not line.lstrip().startswith("#") for key in _KEY.findall(line)]
        if keys:
            endpoint = next((hit[1] for line in block if (hit := _ENDPOINT.match(line))), "")
            found[keys[0]] = PeerLines(next((name for line in comments if (name := _name(line))), ""), endpoint)
    return found


def _blocks(lines: Iterable[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Sections and list items, each with its comments: those inside it first, then those right above it."""
    above: list[str] = []
    block: list[str] = []
    inside: list[str] = []
    gap: list[str] = []
    """Comments that may belong to the next block."""
    for line in lines:
        if _HEADER.match(line):
            yield [*inside, *above], block
            above, block, inside, gap = gap[::-1], [line], [], []
        elif line.lstrip().startswith(("#", ";")):
            gap.append(line)
        elif not line.strip():
            gap = []
        else:
            inside += gap
            gap = []
            block.append(line)
        _, mark, beside = line.partition(" #")
        if mark and not line.lstrip().startswith("#"):
            inside.append(beside)
    yield [*inside, *above], block


def _name(comment: str) -> str:
    """The name in a comment; empty where it is a sentence, a commented-out setting or nothing."""
    text = _DECORATION.sub("", comment.strip()).strip("#;:=-'\" \t")
    text = re.sub(r"\s*[(<].*", "", text)
    plain = visible(text)
    return plain if plain and len(plain.split()) <= 3 and "=" not in plain and len(plain) <= 40 else ""
