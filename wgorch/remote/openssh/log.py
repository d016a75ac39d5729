"""What OpenSSH's client says with -v: how far a login came, and why it failed."""

from __future__ import annotations

import re
from typing import NamedTuple

from wgorch.remote.ssh.config_dump import ssh_algorithms
from wgorch.remote.ssh.failures import Failure, LoginFailed
from wgorch.remote.ssh.host_keys import name_of
from wgorch.remote.ssh.route import SshRoute

READY = re.compile(r"^debug1: (?:Entering interactive session|mux_client_request_session: master session id)", re.M)
"""The session is there; by a connection of its own, or by a live master."""

_AUTHENTICATED = re.compile(r"^Authenticated to |^debug1: mux_client_request_session", re.M)
_KEX = re.compile(r"^debug1: kex: algorithm: (\S+)", re.M)
_OFFERED = re.compile(r"^debug1: Offering public key: (\S+) (\S+)", re.M)
_ACCEPTED = re.compile(r"^debug1: Server accepts key: (\S+)", re.M)
_HOST_KEY = re.compile(r"^debug1: Server host (?:key|certificate): (\S+ SHA256:\S+)", re.M)
_REFUSED = re.compile(r"^.*open failed: (.*)$", re.M)
_METHODS = re.compile(r"Permission denied \(([^)]*)\)")


_UNMATCHED = re.compile(r"no matching (key exchange method|host key type|cipher|MAC) found")
_QUERIES = {"key exchange method": "kex", "host key type": "key-sig", "cipher": "cipher", "MAC": "mac"}
"""What `ssh -Q` calls each kind of algorithm."""


class Kind(NamedTuple):
    """How a kind of failure is recognized, the action that failed, and the remedy."""

    failure: Failure
    pattern: re.Pattern[str]
    action: str
    hint: str


def _kind(failure: Failure, pattern: str, action: str, hint: str) -> Kind:
    return Kind(failure, re.compile(pattern, re.M), action, hint)


KINDS = (
    _kind(Failure.REVOKED_KEY, "REVOKED HOST KEY DETECTED", "verify host key", "do not connect; ask its administrator"),
    _kind(
        Failure.CHANGED_KEY,
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "verify host key",
        "if the host was reinstalled: ssh-keygen -R '{name}', then wgorch trust {host}",
    ),
    _kind(
        Failure.CERTIFICATE,
        r"^Certificate invalid: .*|^.*[Cc]ertificate.*(?:expired|not yet valid|invalid).*",
        "verify host key",
        "renew the certificate on the host, or correct the @cert-authority line in known_hosts",
    ),
    _kind(
        Failure.UNKNOWN_KEY,
        r"^Host key verification failed\.|^No \S+ host key is known for",
        "verify host key",
        "compare it with the host's own key, then: wgorch trust {host}",
    ),
    _kind(
        Failure.ALGORITHMS,
        r"^Unable to negotiate with .*",
        "log in",
        "allow a common algorithm in its sshd_config or in ~/.ssh/config",
    ),
    _kind(
        Failure.TOO_MANY,
        r"Too many authentication failures",
        "log in as {user}",
        "sshd limits the attempts (MaxAuthTries): name the key in the inventory, identity: ~/.ssh/…",
    ),
    _kind(
        Failure.REFUSED,
        r"Permission denied \(.*|^.*No more authentication methods.*",
        "log in as {user}",
        "add your public key to {user}'s authorized_keys on the host",
    ),
    _kind(Failure.NAME, r"^.*Could not resolve hostname.*", "resolve {address}", "check the name, or give an address"),
    _kind(
        Failure.NO_ANSWER,
        r"^Connection timed out during banner exchange.*|^Connection to .* timed out.*",
        "log in",
        "check that an SSH server listens there",
    ),
    _kind(
        Failure.CONNECT,
        r"^.*connect to (?:host|address) .* port .*: .*",
        "connect",
        "check that the host is up and that this is its SSH address",
    ),
    _kind(
        Failure.JUMP,
        r"^.*stdio forwarding failed.*|^.*open failed: .*|^mux_client_.*forward.*failed.*",
        "connect",
        "check AllowTcpForwarding on the jump host, and that the host is up",
    ),
    _kind(
        Failure.NOT_SSH,
        r"^.*(?:Protocol major versions differ|invalid format banner|remote protocol version mismatch).*",
        "log in",
        "check the port: this is not an SSH server of protocol 2",
    ),
    _kind(
        Failure.DROPPED,
        r"^kex_exchange_identification: .*|^banner exchange: .*|^Connection (?:closed|reset) by .*|^ssh_dispatch_run_fatal.*",
        "log in",
        "check MaxStartups in its sshd_config, and that an SSH server listens there",
    ),
)
"""In the order in which they are looked for: a log often holds several."""


def session_kex(log: str) -> str:
    """The key exchange of a session; empty where a master has it."""
    found = _KEX.search(log)
    return found[1] if found else ""


def open_refusal(log: str) -> str:
    """Why a server did not open a connection, as its master was informed last; empty if it always did."""
    found = _REFUSED.findall(log)
    return found[-1] if found else ""


def is_authenticated(log: str) -> bool:
    """True once the server accepted the login."""
    return bool(_AUTHENTICATED.search(log))


def failure(host: str, route: SshRoute, log: str) -> LoginFailed:
    """What a login that failed is to its caller."""
    words = {"name": name_of(route), "host": host, "user": route.user, "address": route.host}
    said = "\n".join(line for line in log.replace("\r", "").splitlines() if not line.startswith(("debug", "OpenSSH_")))
    for kind in KINDS:
        found = kind.pattern.search(said)
        if found:
            problem = _problem(kind.failure, route, found[0].strip(), log)
            hint = _hint(kind, found[0], log).format(**words)
            return LoginFailed(kind.failure, host, kind.action.format(**words), problem, hint)
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "ssh said nothing")
    return LoginFailed(Failure.OTHER, host, "log in", f"{route}: {last}")


def _hint(kind: Kind, said: str, log: str) -> str:
    methods = _METHODS.search(said)
    if kind.failure is Failure.REFUSED and methods and "publickey" not in methods[1].split(","):
        return "give a password: --ask-ssh-password"
    if kind.failure is Failure.REFUSED and _ACCEPTED.search(log):
        return "give the passphrase on a terminal, or load the key into an agent: ssh-add"
    return kind.hint


def _problem(kind: Failure, route: SshRoute, said: str, log: str) -> str:
    presented = _HOST_KEY.search(log)
    key = presented[1] if presented else "a key"
    if kind is Failure.UNKNOWN_KEY:
        return f"{name_of(route)} presents the unknown key {key}"
    if kind is Failure.CHANGED_KEY:
        return f"{name_of(route)} presents {key}, but known_hosts has another key"
    if kind is Failure.REVOKED_KEY:
        return f"it presents the revoked key {key}"
    if kind is Failure.REFUSED:
        offered = ", ".join(f"{path} ({kind})" for path, kind in _OFFERED.findall(log)) or "no key was found to try"
        methods = _METHODS.search(said)
        locked = _ACCEPTED.findall(log)
        more = f"; not unlocked: {locked[-1]}" if locked else ""
        return f"{route.host} refused: {offered}{more}" + (f"; it accepts {methods[1]}" if methods else "")
    if kind is Failure.ALGORITHMS:
        return f"{route}: {said}; ssh has {', '.join(_own_algorithms(said)) or 'none'}"
    return f"{route}: {said}"


def _own_algorithms(said: str) -> tuple[str, ...]:
    found = _UNMATCHED.search(said)
    return ssh_algorithms(_QUERIES[found[1]]) if found else ()
