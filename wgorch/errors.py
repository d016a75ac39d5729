"""The error tree; each error names the host, the action, the problem and a hint.

WgorchError
├── InventoryError      a malformed file or value: all problems at once          exit 3
├── UsageError          a request that cannot be carried out                     exit 3
├── HostError           one host and the action that failed on it
│   ├── Unreachable     no session: name, TCP, banner, host key, login           exit 4
│   ├── Unfit           a session, but the host does not meet a requirement      exit 4
│   ├── Changed         the host changed since the plan                          exit 4
│   ├── Lost            the session broke, or a deadline passed                  exit 4, 5 or 6
│   ├── Garbled         a reply that does not parse: a bug or a hostile host     exit 4
│   └── Locked          another run holds the host's lock                        exit 75
└── HostsFailed         several of the above, in one report
"""

from __future__ import annotations

from collections.abc import Sequence

from wgorch.base.text import visible

DONE, FAULT, DIFFERS, BAD_INPUT, UNTOUCHED, ROLLED_BACK, MIXED, ABSENT, HELD, STOPPED = range(10)
INTERNAL, LOCKED = 70, 75
INTERRUPTED = 130
"""128 and the number of the signal: SIGINT; 143 for SIGTERM, 129 for SIGHUP."""


class WgorchError(Exception):
    """The base of all errors that are shown to the user."""

    exit_code = INTERNAL


class InventoryError(WgorchError):
    """Problems of a file or value; `problems` are complete lines, in the order of the file."""

    exit_code = BAD_INPUT

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class UsageError(WgorchError):
    """A request that cannot be carried out, and a hint what to do instead."""

    exit_code = BAD_INPUT

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(_with_hint(problem, hint))
        self.problem, self.hint = problem, hint


class HostError(WgorchError):
    """A failed action on one host; `action` is a verb phrase that follows "cannot"."""

    exit_code = UNTOUCHED
    is_absence = False
    """True where the host is off or cut off, so that a run may go on without it."""

    def __init__(self, host: str, action: str, problem: str, hint: str = "") -> None:
        self.host, self.action, self.problem, self.hint = host, action, visible(problem).strip(), hint
        super().__init__(_with_hint(f"{host}: cannot {action}: {self.problem}", hint))


class Unreachable(HostError):
    """No session could be opened."""

    is_absence = True


class Unfit(HostError):
    """The host lacks something that the plan needs, or has something that conflicts with it."""


class Changed(HostError):
    """The host changed between the plan and the lock."""


class Lost(HostError):
    """The session broke, or the host did not reply in time."""

    exit_code = ROLLED_BACK
    is_absence = True


class Garbled(HostError):
    """The host's reply does not parse."""


class Locked(HostError):
    """Another run holds the host's lock."""

    exit_code = LOCKED


class HostsFailed(WgorchError):
    """The hosts that failed in a phase, after every host finished it."""

    def __init__(self, errors: Sequence[HostError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)
        # Raised only while nothing is changed; later failures are in the Outcome.
        self.exit_code = LOCKED if any(isinstance(error, Locked) for error in errors) else UNTOUCHED


def _with_hint(text: str, hint: str) -> str:
    return f"{text}\n    hint: {hint}" if hint else text
