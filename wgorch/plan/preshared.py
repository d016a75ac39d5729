"""Preshared keys: which pairs share one already, and new ones for the others."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from secrets import token_bytes

from wgorch.gather.observed import Observed
from wgorch.topology.topology import Topology

DIGEST = 32
"""How many digits of a preshared key's SHA-256 its file is named by."""

NOT_MADE = "new"
"""Stands for the digest in the file name of a key that does not exist yet; no digest is that short."""


def secrets_of(topology: Topology, seen: Mapping[str, Observed], name: str) -> dict[str, str]:
    """File names of the preshared keys of a host, by peer: of keys that both ends have, or are to get."""
    return {peer: f"psk.{peer}.{digest or NOT_MADE}" for peer, digest in _shared(topology, seen, name).items()}


def new_secrets(topology: Topology, seen: Mapping[str, Observed], names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Keys for the pairs among some hosts that share none yet, by host and file name. Nothing else ever holds them."""
    among = set(names)
    made: dict[str, dict[str, str]] = defaultdict(dict)
    for name in sorted(among):
        for peer, digest in _shared(topology, seen, name).items():
            if digest is None and peer in among and name < peer:
                secret = b64encode(token_bytes(32)).decode()
                digest = sha256(f"{secret}\n".encode()).hexdigest()[:DIGEST]
                made[name][f"psk.{peer}.{digest}"] = secret
                made[peer][f"psk.{name}.{digest}"] = secret
    return made


def _shared(topology: Topology, seen: Mapping[str, Observed], name: str) -> dict[str, str | None]:
    """The digest of the key that a host shares with each peer, None where they share none."""
    found: dict[str, str | None] = {}
    for link in topology.desired(name).links:
        if link.preshared and link.peer in seen:
            common = _digests(seen[name], link.peer) & _digests(seen[link.peer], name)
            found[link.peer] = min(common, default=None)
    return found


def _digests(seen: Observed, peer: str) -> set[str]:
    """The digests in the names of a host's files for a peer, where each is the digest of what the file holds."""
    files = ((name.split("."), digest) for name, digest in seen.keys.preshared.items())
    return {words[2] for words, digest in files if words[1:-1] == [peer] and digest.startswith(words[2])}
