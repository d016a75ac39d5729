"""Bounds of the lease and of every phase under it, in seconds."""

from __future__ import annotations

LEASE_S = 60


LEASE_MAX_S = 300


PROGRAM_S = 45
"""How long the program of a change may run on a host before that is a failure."""


RECENT_S = 15
"""How old a reading may be to be believed under the lock, but for what another run of ours may have done since.

Where a person was asked in between, none is: a minute's thought is long enough for somebody else's change.
"""


INSTALL_S = 900


PHASE_S = 60
"""How long a host may take for one phase in which nothing long is done."""
