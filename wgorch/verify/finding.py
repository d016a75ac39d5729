"""Finding: a fault on a host, or something notable."""

from __future__ import annotations

from dataclasses import field

from wgorch.base.value import value

Pair = tuple[str, str]
"""A host, and what it does not reach: an address, or a peer by name."""


@value
class Finding:
    """A fault on a host, or something notable."""

    host: str
    what: str
    hint: str = ""
    """The fix."""
    fits: int = 0
    """The MTU that would fit, in bytes; 0 where that is not the fix."""
    pair: Pair | None = field(default=None, compare=False)
    """What does not work: a path, or a session."""
    fault: tuple[str, ...] = field(default=(), compare=False)
    """Where the fault is; findings with the same one have one cause. Empty where it stands for itself."""

    def __str__(self) -> str:
        return f"{self.host}: {self.what}" + (f"\n    fix: {self.hint}" if self.hint else "")
