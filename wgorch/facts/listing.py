"""A network's directory on a host as ``ls -lnd`` lists it: what is not as wgorch makes it is refused, or named."""

from __future__ import annotations

import re

from wgorch.base.value import value

_LINE = re.compile(r" *[0-9]+ +([0-9]{1,10}) .*? (/[^ ]+)( -> .*)?")
"""What follows the mode: links, owner, group, size, date, and the path."""
_MODE = re.compile(r"[-dlspcb][rwxsStT-]{9}")
_OWN = re.compile(
    r"(private_key|psk|lock\.stale|referee)\..+|private_key|boot(\.before)?|referee|watch|do|undo(\.log)?|probe|before|after|"
    r"lock|lease|pending|reverting|reverter|running|watching|outcome|recorded|members|installed|journal|heads|cards6"
)
"""Names of wgorch's files; resolv.before is as the host's resolv.conf was."""


@value
class Entry:
    """A file or directory."""

    path: str
    mode: str
    """As ``ls -l`` prints it, without what follows the ten characters."""
    owner: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_directory_of_network(self) -> bool:
        """True for the directory of one network; its parent is that of all."""
        return self.path.count("/") == 4

    @property
    def fault(self) -> str:
        """Why root must not run programs from it; empty where root may."""
        kind = "-" if self.path.count("/") > 4 else "d"
        if self.mode[0] != kind:
            return f"is {_KINDS.get(self.mode[0], 'a device')}, not {_KINDS[kind]}"
        if self.owner:
            return f"belongs to uid {self.owner}, not to root"
        return f"can be written by others ({self.mode})" if "w" in (self.mode[5], self.mode[8]) else ""

    @property
    def is_open(self) -> bool:
        """True where others may read or list it."""
        return self.mode[4:].strip("-") != ""


_KINDS = {"-": "a file", "d": "a directory", "l": "a symbolic link", "p": "a FIFO", "s": "a socket"}


def entry(mode: str, rest: str) -> Entry | None:
    """The Entry of a line of ``ls -lnd``, by its first word and the rest; None for another line, or another's file."""
    hit = _LINE.fullmatch(rest) if _MODE.match(mode) else None
    if hit is None:
        return None
    found = Entry(hit[2], mode[:10], int(hit[1]))
    return found if found.path.count("/") in (3, 4) or _OWN.fullmatch(found.name) else None
