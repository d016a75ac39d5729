"""Bounds of the lease, and of every phase of a change, in seconds."""

from __future__ import annotations

LEASE_S = 60
"""Confirm timeout: without renewal a host rolls back after so long."""
LEASE_MIN_S = 10
LEASE_MAX_S = 300
PROGRAM_S = 45
"""Time limit of a change's script on a host."""
RECENT_S = 15
"""Maximum age of facts that are reused under the lock; only wgorch's own files are then read again.

0 where a person was asked in between: a minute is long enough for a change by another hand.
"""
INSTALL_S = 900
PHASE_S = 60
"""Time limit of a phase in which nothing slow runs."""
