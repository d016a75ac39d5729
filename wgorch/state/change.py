"""A command is an argv, a Change is a command with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import NamedTuple

from wgorch.base.sh import EMPTY, Sh, here_document, quote_words, sh
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

    def render(self, then: Sh = EMPTY) -> Sh:
        """The command as POSIX sh text, as a person could type it; `then`: what follows it on its line."""
        line = quote_words(self.argv)
        return here_document(line, self.stdin, then) if self.stdin else sh("{line}{then}", line=line, then=then)


def command(*argv: str | int, stdin: str = "", may_be_absent: bool = False) -> Command:
    """A Command from its words."""
    return Command(tuple(str(word) for word in argv), stdin, may_be_absent)


class Attribute(NamedTuple):
    """A value of an object that a Change sets: what it is, and what it becomes; empty for none."""

    name: str
    old: str
    new: str

    def __str__(self) -> str:
        if self.old and self.new:
            return f"{self.name} {self.old} -> {self.new}"
        return f"{self.name} {self.new}" if self.new else f"{self.name} {self.old} -> none"


def attributes(*pairs: tuple[str, object, object]) -> tuple[Attribute, ...]:
    """The attributes that differ, from their names, old and new values; an empty value or 0 is none."""
    texts = (Attribute(name, str(old or ""), str(new or "")) for name, old, new in pairs)
    return tuple(each for each in texts if each.old != each.new)


Values = Callable[[], tuple[Attribute, ...]]


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
    make_values: Values = field(default=tuple, compare=False, repr=False)

    @property
    def values(self) -> tuple[Attribute, ...]:
        """What it sets, for those who read a plan; made when it is asked for, as scripts do without."""
        return self.make_values()


def change(
    sign: str, what: str, why: str, *commands: Command, disruptive: bool = False, values: Values = tuple
) -> Change:
    """A Change from its commands, in order."""
    return Change(sign, what, why, commands, disruptive, "", values)
