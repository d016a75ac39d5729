"""What can go wrong, as a tree; every error knows the host, the cause and the way out.

WgorchError
├── InventoryError      the file is wrong: all of its troubles at once           exit 3
├── UsageError          what was asked cannot be done like that                  exit 3
├── HostError           one host, and what we wanted of it
│   ├── Unreachable     no session: name, TCP, banner, host key, login           exit 4
│   ├── Unfit           a session, but the host cannot do what is asked          exit 4
│   ├── Changed         the host is no longer as it was planned for              exit 4
│   ├── Lost            the session broke, or a deadline passed                  exit 4, 5 or 6
│   ├── Garbled         an answer that does not parse; a bug or a hostile host   exit 4
│   └── Locked          another run holds the host                               exit 75
└── HostsFailed         several of the above, told together
"""

from __future__ import annotations

from collections.abc import Sequence

from wgorch.base.text import visible

DONE, FAULT, DIFFERS, BAD_INPUT, UNTOUCHED, ROLLED_BACK, MIXED, LOCKED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 75, 130


class WgorchError(Exception):
    """The base of all errors that a user is meant to read."""

    exit_code = FAULT


class InventoryError(WgorchError):
    """An inventory with troubles; `troubles` are complete lines, in the order of the file."""

    exit_code = BAD_INPUT

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class UsageError(WgorchError):
    """A wish that cannot be carried out as it was typed."""

    exit_code = BAD_INPUT


class HostError(WgorchError):
    """One host: what we wished, what we saw, and the way out."""

    exit_code = UNTOUCHED

    def __init__(self, host: str, action: str, problem: str, hint: str = "") -> None:
        self.host, self.action, self.problem, self.hint = host, action, visible(problem).strip(), hint
        super().__init__(f"{host}: {action}: {self.problem}" + (f"\n    fix: {hint}" if hint else ""))


class Unreachable(HostError):
    """No session could be opened."""


class Unfit(HostError):
    """The host lacks something that the plan needs, or has something that stands in its way."""


class Changed(HostError):
    """Somebody changed the host between the plan and the change."""


class Lost(HostError):
    """The session broke while we were using it, or did not answer in time."""

    exit_code = ROLLED_BACK


class Garbled(HostError):
    """The host answered something that is not an answer."""


class Locked(HostError):
    """Another run holds this host."""

    exit_code = LOCKED


class HostsFailed(WgorchError):
    """All hosts finished the phase; these failed in it."""

    def __init__(self, errors: Sequence[HostError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)
        # Only ever raised while nothing is changed: what came later is told by where each host stands.
        self.exit_code = LOCKED if any(isinstance(error, Locked) for error in errors) else UNTOUCHED
