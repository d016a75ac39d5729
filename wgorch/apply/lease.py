"""Bounds of the lease and of the phases under it, in seconds."""

from __future__ import annotations

from wgorch.errors import UsageError

MIN_LEASE_S = 10
LEASE_S = 60
MAX_LEASE_S = 300
"""The shortest, the default and the longest time without renewal after which a host rolls its change back."""


VERIFY_S = 35
"""How long the verification may take: peers need 15 s to notice that a host has forgotten their session. A shorter lease is
renewed for this time when it begins.
"""


PROGRAM_S = 45
"""Deadline of the script of a change on its host."""


RECENT_S = 15
"""Maximum age of facts that are reused under the lock; then only wgorch's own files are read again.

Facts from before a confirmation prompt are never reused: others may have changed the host meanwhile.
"""


INSTALL_S = 900
"""Deadline of a phase that installs packages."""


PHASE_S = 60
"""Deadline of every other phase."""


MIN_HOLD_S = 30
MAX_HOLD_S = 86_400
"""The shortest and the longest time for which a proven change may stand unconfirmed for people to look at."""


def check_hold(seconds: int) -> None:
    """Refuse a hold out of bounds; 0 is none. Raises UsageError."""
    if seconds and not MIN_HOLD_S <= seconds <= MAX_HOLD_S:
        raise UsageError(
            f"a hold of {seconds} s is out of range", f"{MIN_HOLD_S} seconds to {MAX_HOLD_S // 3600} hours"
        )


def check_lease(seconds: int) -> None:
    """Refuse a lease out of bounds. Raises UsageError."""
    if not MIN_LEASE_S <= seconds <= MAX_LEASE_S:
        problem = f"confirm timeout of {seconds} s is out of range"
        raise UsageError(problem, f"{MIN_LEASE_S} to {MAX_LEASE_S} seconds")
