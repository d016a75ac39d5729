"""Why a login fails: the kinds, each with its remedy; by them and never by text it is decided what is tried next."""

from __future__ import annotations

from enum import Enum

from wgorch.errors import Unreachable
from wgorch.remote.ssh.route import SshRoute


class Failure(Enum):
    """One kind of failure, by either client."""

    NAME = "the name does not resolve"
    CONNECT = "TCP: refused, unreachable or timed out"
    NO_ANSWER = "a port that says nothing"
    NOT_SSH = "something other than an SSH server"
    DROPPED = "the server closes the connection before it proves its identity"
    ALGORITHMS = "no common algorithm"
    UNKNOWN_KEY = "unknown host key"
    CHANGED_KEY = "changed host key"
    REVOKED_KEY = "revoked host key"
    CERTIFICATE = "host certificate: unknown authority, expired, or for another name"
    REFUSED = "no key, or no other proof, is accepted"
    TOO_MANY = "too many keys are tried"
    JUMP = "the jump host does not connect further"
    OTHER = "anything else"


CURABLE = frozenset({Failure.ALGORITHMS, Failure.UNKNOWN_KEY, Failure.CERTIFICATE, Failure.REFUSED})
"""Failures of paramiko's login where OpenSSH's own client is tried once; never after a changed or revoked key."""

RETRIED = frozenset({Failure.DROPPED})
"""sshd drops connections at random while many logins are open (MaxStartups)."""


REFUSALS = CURABLE | {Failure.CHANGED_KEY, Failure.REVOKED_KEY, Failure.TOO_MANY}
"""Failures of a host that is there: a person must decide, and the run does not go on without it."""


class LoginFailed(Unreachable):
    """No login; `failure` says of which kind."""

    def __init__(self, failure: Failure, host: str, action: str, problem: str, hint: str = "") -> None:
        super().__init__(host, action, problem, hint)
        self.failure = failure
        self.is_absence = failure not in REFUSALS


def of_jump(error: Unreachable, jump: SshRoute) -> Unreachable:
    """The same failure, with the jump host where it happened."""
    failure = error.failure if isinstance(error, LoginFailed) else Failure.OTHER
    name = jump.name or jump.host
    problem = error.problem if error.problem.startswith("jump host ") else f"jump host {name}: {error.problem}"
    return LoginFailed(failure, error.host, error.action, problem, error.hint)
