"""Who may send through the tunnel, from which addresses, and where they are dialled.

`wg` moves an allowed address to the last peer that names it and says nothing (exit status 0), so each peer's whole list
is stated, and read back afterwards.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from wgorch.command import Change, Command, change, command
from wgorch.state import Peer, State


def peers(want: State, have: State) -> Iterator[Change]:
    if want.interface is None:
        return
    name = want.interface.name
    for key in sorted(want.peers.keys() - have.peers.keys(), key=lambda k: (want.peers[k].name, k)):
        peer = want.peers[key]
        if peer.endpoint and not _is_address(peer.endpoint):
            # A name may not be known yet when the host starts, which must not keep the others out.
            settings = [
                set_peer(name, replace(peer, endpoint=None), want.directory),
                command("dial_by_name", name, peer.public_key, peer.endpoint),
            ]
        else:
            settings = [set_peer(name, peer, want.directory)]
        yield change("+", f"peer {shown(peer)}", f"{name} does not know it", *settings)
    for key in sorted(want.peers.keys() & have.peers.keys(), key=lambda k: (want.peers[k].name, k)):
        peer, old = want.peers[key], have.peers[key]
        if differences := list(differing(peer, old)):
            anew = peer.preshared != old.preshared
            if anew and not peer.endpoint:
                # What goes with the peer is where it was seen last, and one of the two must begin.
                peer = replace(peer, endpoint=old.endpoint)
            setting = set_peer(name, peer, want.directory, anew=anew)
            yield change("~", f"peer {shown(peer)}", "; ".join(differences), setting, disturbs=anew)
    for key in sorted(have.peers.keys() - want.peers.keys(), key=lambda k: (have.peers[k].name, k)):
        gone = command("wg", "set", name, "peer", key, "remove")
        yield change("-", f"peer {shown(have.peers[key])}", "not a peer of this host", gone, disturbs=True)


def shown(peer: Peer) -> str:
    """A peer's name, or the start of its key where nobody knows a name."""
    return peer.name or f"{peer.public_key[:8]}…"


def set_peer(interface: str, peer: Peer, directory: str, *, anew: bool = False) -> Command:
    """One peer with all that it has. `anew`: its sessions end, so that what proves it is newer than the change."""
    endpoint = ("endpoint", peer.endpoint) if peer.endpoint else ()
    secret = ("preshared-key", f"{directory}/{peer.preshared}") if peer.preshared else ()
    return command(
        *("wg", "set", interface, *(("peer", peer.public_key, "remove") if anew else ())),
        *("peer", peer.public_key, *secret),
        *("allowed-ips", ",".join(peer.allowed_ips)),
        *endpoint,
        *("persistent-keepalive", peer.persistent_keepalive),
    )


def differing(want: Peer, have: Peer) -> Iterator[str]:
    """What differs, in words. An endpoint learned from the peer's own packets is no difference."""
    if gained := set(want.allowed_ips) - set(have.allowed_ips):
        yield f"it lacks {', '.join(sorted(gained))}"
    if lost := set(have.allowed_ips) - set(want.allowed_ips):
        yield f"it should not have {', '.join(sorted(lost))}"
    if want.endpoint and not _same_endpoint(want.endpoint, have.endpoint):
        yield f"its endpoint is {have.endpoint or 'not set'}, not {want.endpoint}"
    if want.persistent_keepalive != have.persistent_keepalive:
        yield f"keepalive is {have.persistent_keepalive}, not {want.persistent_keepalive}"
    if want.preshared != have.preshared:
        lacks = "it lacks the preshared key" if want.preshared else "it should not have a preshared key"
        yield "its preshared key is another one" if want.preshared and have.preshared else lacks


def _same_endpoint(want: str, have: str | None) -> bool:
    if want == have:
        return True
    # A name: the host resolved it, and only the port can be compared from here.
    return not _is_address(want) and have is not None and have.rpartition(":")[2] == want.rpartition(":")[2]


def _is_address(endpoint: str) -> bool:
    try:
        return bool(ipaddress.ip_address(endpoint.rpartition(":")[0].strip("[]")))
    except ValueError:
        return False
