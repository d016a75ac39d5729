"""Options of a run, beside the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from wgorch.approval import Signed
from wgorch.base.value import value


@value
class RunOptions:
    """What a person asked of a run, beside the inventory; made once and never changed."""

    limit: frozenset[str] = frozenset()
    """The hosts to change; all where empty."""
    accept_new_keys: frozenset[str] = frozenset()
    """Hosts whose WireGuard key may be another than their peers hold."""
    rotate_keys: frozenset[str] = frozenset()
    """Hosts that get a new key."""
    redo_mtu: bool = False
    """Repeat path-MTU discovery."""
    try_direct: bool = False
    """Try to peer hosts behind NAT directly even where nothing else changes."""
    may_lose_ssh: bool = False
    """Change hosts that are reached through the tunnel itself, too."""
    adopt: bool = False
    """Adopt existing unmanaged interfaces of the network's name."""
    is_from_file: bool = False
    """The inventory is that of a plan file: its path says nothing about this machine."""
    signed: Signed | None = None
    """What people signed of the plan that is applied."""
    strict: bool = False
    """Fail if one host is unreachable, instead of leaving it out."""
    drains: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """Whether a relay is drained, by host and relay: the relay itself, or one host that leaves it."""
