"""The rule of `approve:`: how many signers a plan needs, and who they are."""

from __future__ import annotations

import json

from wgorch.base.value import value


@value
class ApprovalRule:
    """Who must have signed a plan before it is applied."""

    needs: int
    """Number of different signers."""
    signers: tuple[str, ...]
    """Lines of an allowed_signers file: see ssh-keygen(1)."""
    revoked: tuple[str, ...] = ()
    """Public keys that count no more."""

    @property
    def text(self) -> str:
        """The rule in one line, as hosts keep it."""
        fields = {"needs": self.needs, "signers": self.signers, **({"revoked": self.revoked} if self.revoked else {})}
        return json.dumps(fields)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the signers that are not revoked, in base64."""
        gone = {word for line in self.revoked for word in line.split()}
        return frozenset(
            word for line in self.signers for word in line.split() if word.startswith("AAAA") and word not in gone
        )

    @property
    def may_be_met(self) -> bool:
        """False where there are fewer signers than approvals; a certificate authority may have any number of them."""
        return self.needs <= self.most or any("cert-authority" in line for line in self.signers)

    @property
    def most(self) -> int:
        """The largest number of approvals there may be: a principal counts once, and so does a key."""
        people = {line.split()[0] for line in self.signers if not self.keys.isdisjoint(line.split())}
        return min(len(people), len(self.keys))
