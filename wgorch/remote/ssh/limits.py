"""Timeouts, counts and algorithms of SSH connections."""

from __future__ import annotations

CONNECT_TIMEOUT_S = 10


LOGIN_TIMEOUT_S = 30


DEAD_AFTER_S = 15
"""A peer that acknowledges nothing for so long is gone."""


IDLE_S = 1.0
"""How often paramiko looks up from a connection on which nothing comes; ten times a second is what it does by itself."""


LOGINS_AT_ONCE = 8
"""Through one jump host, and to one server: sshd refuses more than 10 half-open logins by default."""


KEX = ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org")
