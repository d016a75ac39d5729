"""Timeouts and counts of SSH connections."""

from __future__ import annotations

CONNECT_TIMEOUT_S = 10
"""For a TCP connection, or a channel of the jump host in its place."""

LOGIN_TIMEOUT_S = 30
"""For each of banner, key exchange, authentication, and opening a channel."""

PERSON_S = 115
"""For a login that may ask a person: sshd ends it after two minutes (LoginGraceTime)."""

DEAD_AFTER_S = 15
"""A peer that acknowledges nothing for so long is gone."""

IDLE_S = 1.0
"""How often paramiko wakes up on a silent connection; its default is ten times a second."""

KEEPALIVE_S = 5

LOGINS_AT_ONCE = 8
"""Through one jump host, or to one server: sshd refuses more than 10 unauthenticated connections by default."""

LOGIN_ATTEMPTS = 4
"""Before a server that drops connections is given up; they are seconds apart at most."""
