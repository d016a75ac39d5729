"""What ssh says with -v: the kind of a failure, the session, and words that a server may have put there."""

from __future__ import annotations

import pytest

from wgorch.remote.openssh.log import READY, failure, is_authenticated, open_refusal, session_kex
from wgorch.remote.ssh.failures import CURABLE, Failure
from wgorch.remote.ssh.route import SshRoute

ROUTE = SshRoute("192.0.2.1", 22, "root", name="box")
HEAD = """OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026
debug1: Reading configuration data /root/.ssh/config
debug1: kex: algorithm: curve25519-sha256
debug1: Server host key: ssh-ed25519 SHA256:abc
"""

KINDS = [
    ("Host key verification failed.", Failure.UNKNOWN_KEY, "presents the unknown key ssh-ed25519 SHA256:abc"),
    (
        "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.",
        Failure.CHANGED_KEY,
        "presents ssh-ed25519 SHA256:abc, but known_hosts has another key",
    ),
    (
        "@ WARNING: REVOKED HOST KEY DETECTED! @\r\nHost key verification failed.",
        Failure.REVOKED_KEY,
        "it presents the revoked key",
    ),
    (
        "Certificate invalid: expired\r\nHost key verification failed.",
        Failure.CERTIFICATE,
        "Certificate invalid: expired",
    ),
    (
        "debug1: Offering public key: /root/.ssh/id ED25519 SHA256:k\r\nroot@192.0.2.1: Permission denied (publickey,password).",
        Failure.REFUSED,
        "192.0.2.1 refused: /root/.ssh/id (ED25519); it accepts publickey,password",
    ),
    ("Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures", Failure.TOO_MANY, "Too many"),
    ("ssh: Could not resolve hostname box: Name or service not known", Failure.NAME, "Could not resolve"),
    ("ssh: connect to host 192.0.2.1 port 22: Connection refused", Failure.CONNECT, "Connection refused"),
    ("ssh: connect to host 192.0.2.1 port 22: No route to host", Failure.CONNECT, "No route to host"),
    ("Connection timed out during banner exchange", Failure.NO_ANSWER, "timed out"),
    (
        "Unable to negotiate with 192.0.2.1 port 22: no matching cipher found. Their offer: aes128-cbc",
        Failure.ALGORITHMS,
        "Their offer: aes128-cbc; ssh has ",
    ),
    ("kex_exchange_identification: Connection closed by remote host", Failure.DROPPED, "Connection closed"),
    ("kex_exchange_identification: read: Connection reset by peer", Failure.DROPPED, "reset"),
    (
        "channel 0: open failed: connect failed: refused\r\nstdio forwarding failed",
        Failure.JUMP,
        "open failed: connect failed: refused",
    ),
    ("something new", Failure.OTHER, "something new"),
    ("", Failure.OTHER, "ssh said nothing"),
]


@pytest.mark.parametrize(("text", "kind", "problem"), KINDS)
def test_each_kind_of_failure_is_recognized(text: str, kind: Failure, problem: str) -> None:
    error = failure("home", ROUTE, f"{HEAD}{text}\r\n")

    assert kind is error.failure
    assert problem in error.problem
    assert "home" == error.host
    assert error.hint or kind is Failure.OTHER


@pytest.mark.parametrize("kind", [Failure.CHANGED_KEY, Failure.REVOKED_KEY])
def test_after_a_changed_or_revoked_key_nothing_else_is_tried(kind: Failure) -> None:
    assert kind not in CURABLE


def test_a_session_is_ready_by_its_own_login_or_by_a_master() -> None:
    own = (
        f'{HEAD}Authenticated to 192.0.2.1 ([192.0.2.1]:22) using "publickey".\ndebug1: Entering interactive session.\n'
    )
    shared = "debug1: auto-mux: Trying existing master\ndebug1: mux_client_request_session: master session id: 2\n"

    assert [True, True, False] == [bool(READY.search(text)) for text in (own, shared, HEAD)]
    assert [True, True, False] == [is_authenticated(text) for text in (own, shared, HEAD)]
    assert ["curve25519-sha256", ""] == [session_kex(text) for text in (own, shared)]


def test_a_refusal_of_the_jump_host_is_the_last_one() -> None:
    log = "debug1: x\nchannel 2: open failed: connect failed: Connection refused\nchannel 3: open failed: administratively\n"

    assert "administratively" == open_refusal(log)
    assert "" == open_refusal(HEAD)


@pytest.mark.parametrize("banner", ["{0}", "{name}", "%s", "\x1b[2J", "REMOTE HOST\n" * 1000])
def test_words_of_a_server_are_no_format(banner: str) -> None:
    assert "home" == failure("home", ROUTE, f"{HEAD}{banner}\n").host
