"""A command is an argv, a Change is a command with its reason; this file quotes them for a shell."""

from __future__ import annotations

import shlex
import string
from collections.abc import Iterable

from wgorch.base.value import value


@value
class Command:
    """One command that states an end, never a step: run twice, it does nothing the second time.

    `stdin` is handed over as a here-document. `may_be_absent` is for removals: the end is "it is not there",
    however it got there; whether it really is gone is read back afterwards.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    may_be_absent: bool = False

    def render(self) -> str:
        """The command as POSIX sh text, as a person could type it."""
        line = quote_words(self.argv)
        if self.stdin:
            end = "END"
            while end in self.stdin.split("\n"):
                end += "_"
            return f"{line} <<'{end}'\n{self.stdin.rstrip(chr(10))}\n{end}"
        return line


def command(*argv: str | int, stdin: str = "", may_be_absent: bool = False) -> Command:
    """A Command from its words."""
    return Command(tuple(str(word) for word in argv), stdin, may_be_absent)


@value
class Change:
    """One difference between a host as it is and as it should be.

    `sign` is ``+`` to add, ``~`` to modify, ``-`` to remove; `what` names the object, `why` gives the reason in one
    clause. `disruptive`: running traffic may notice.
    """

    sign: str
    what: str
    why: str
    commands: tuple[Command, ...]
    disruptive: bool = False
    step: str = ""


def change(sign: str, what: str, why: str, *commands: Command, disruptive: bool = False) -> Change:
    """A Change from its commands, in order."""
    return Change(sign, what, why, commands, disruptive)


_PLAIN = (string.ascii_letters + string.digits + "_@%+=:,./- ").encode()
"""What `shlex.quote` leaves as it is, and the space between words; one look at many words is much quicker than one at each."""


def quote_words(words: Iterable[str]) -> str:
    """Words as one sh command line."""
    words = tuple(words)
    line = " ".join(words)
    if (
        "" not in words
        and line.count(" ") == len(words) - 1
        and not line.encode(errors="replace").translate(None, _PLAIN)
    ):
        return line
    return " ".join(shlex.quote(word) for word in words)
