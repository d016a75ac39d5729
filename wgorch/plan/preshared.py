"""Preshared keys: which pairs share one already, and new ones for the others."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from hashlib import sha256
from secrets import token_bytes

from wgorch.gather.observed import Observed
from wgorch.state.wireguard import FOREIGN
from wgorch.topology.topology import Topology

DIGEST = 32
"""How many digits of a preshared key's SHA-256 its file is named by."""

NOT_MADE = "new"
"""Stands for the digest in the file name of a key that does not exist yet; no digest is that short."""


CLASSICAL = "classical"
"""The last word of the file name of a key that travelled over an SSH session without post-quantum key exchange."""


def secrets_of(topology: Topology, seen: Mapping[str, Observed], name: str) -> dict[str, str]:
    """File names of the preshared keys of a host, by peer: of keys that both ends have, or are to get.

    A device keeps the one that its entry has.
    """
    found = {peer: file or f"psk.{peer}.{NOT_MADE}" for peer, file in _shared(topology, seen, name).items()}
    entries = seen[name].wg(topology.inventory.network).peers
    for link in topology.desired(name).links:
        device = topology.inventory.devices.get(link.peer)
        entry = entries.get(device.public_key or "") if device else None
        if entry and entry.preshared.startswith(FOREIGN):
            found[link.peer] = entry.preshared
    return found


def lacking(topology: Topology, seen: Mapping[str, Observed], names: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs among some hosts that share no key yet."""
    among = set(names)
    return [
        (name, peer)
        for name in sorted(among)
        for peer, file in _shared(topology, seen, name).items()
        if file is None and peer in among and name < peer
    ]


def new_secrets(
    topology: Topology, seen: Mapping[str, Observed], names: Iterable[str], classical: Container[str] = ()
) -> dict[str, dict[str, str]]:
    """Keys for the pairs among some hosts that share none yet, by host and file name. Nothing else ever holds them.

    `classical`: the hosts whose SSH sessions have no post-quantum key exchange.
    """
    made: dict[str, dict[str, str]] = defaultdict(dict)
    for name, peer in lacking(topology, seen, names):
        secret = b64encode(token_bytes(32)).decode()
        rest = sha256(f"{secret}\n".encode()).hexdigest()[:DIGEST]
        if name in classical or peer in classical:
            rest = f"{rest}.{CLASSICAL}"
        made[name][f"psk.{peer}.{rest}"] = secret
        made[peer][f"psk.{name}.{rest}"] = secret
    return made


def is_classical(file: str) -> bool:
    """True for the file of a key that travelled over a classical key exchange."""
    return file.split(".")[3:] == [CLASSICAL]


def _shared(topology: Topology, seen: Mapping[str, Observed], name: str) -> dict[str, str | None]:
    """The file of the key that a host shares with each peer, None where they share none."""
    found: dict[str, str | None] = {}
    for link in topology.desired(name).links:
        if link.preshared and link.peer in seen:
            common = _files(seen[name], link.peer) & _files(seen[link.peer], name)
            made = f"psk.{link.peer}.{min(common)}" if common else None
            found[link.peer] = _foreign_of_pair(topology, seen[name], seen[link.peer]) or made
    return found


def _foreign_of_pair(topology: Topology, one: Observed, other: Observed) -> str:
    """The file of a key that wgorch did not make, and that the entries of two hosts for each other have."""
    network = topology.inventory.network
    file = _foreign(topology, one, other.wg(network).public_key)
    return file if file == _foreign(topology, other, one.wg(network).public_key) else ""


def _foreign(topology: Topology, seen: Observed, key: str) -> str:
    """The file of the preshared key that an entry has, where wgorch did not make it, and keeps it or is to adopt it."""
    entry = seen.wg(topology.inventory.network).peers.get(key)
    file = entry.preshared if entry else ""
    return file if file.startswith(FOREIGN) and (seen.adopted or file in seen.keys.preshared) else ""


def _files(seen: Observed, peer: str) -> set[str]:
    """The rests of the names of a host's files for a peer, where each holds what its name says."""
    files = ((name.split(".", 2), digest) for name, digest in seen.keys.preshared.items())
    return {words[2] for words, digest in files if words[1:2] == [peer] and digest.startswith(words[2].split(".")[0])}
