"""Who may send through the tunnel, from which addresses, and where they are dialled.

`wg` moves an allowed address to the last peer that names it and says nothing (exit status 0), so each peer's whole list
is stated, and read back afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from wgorch.base.ip import is_ip_endpoint
from wgorch.state.change import Change, Command, change, command
from wgorch.state.state import State
from wgorch.state.wireguard import Peer


def peers(want: State, have: State) -> Iterator[Change]:
    if want.interface is None:
        return
    name = want.interface.name
    known = have.peers
    new = [peer for key, peer in want.peers.items() if key not in known] if known else list(want.peers.values())
    if len(new) > FEW:
        named = [peer for peer in new if peer.endpoint and not is_ip_endpoint(peer.endpoint)]
        later = {peer.public_key for peer in named}
        plain = [peer for peer in new if peer.public_key not in later] if later else new
        new = named
        settings = list(_together(name, plain, want.directory))
        if settings:
            what = f"{len(plain)} peers {shown(plain[0])} ... {shown(plain[-1])}"
            yield change("+", what, f"{name} does not know them", *settings)
    for peer in sorted(new, key=lambda peer: (peer.name, peer.public_key)):
        if peer.endpoint and not is_ip_endpoint(peer.endpoint):
            # A name may not be known yet when the host starts, which must not keep the others out.
            settings = [
                set_peer(name, replace(peer, endpoint=None), want.directory),
                command("set_named_endpoint", name, peer.public_key, peer.endpoint),
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


FEW = 8
"""So many changes of one kind are told one by one; more of them together: nobody reads sixty lines."""
AT_ONCE = 100
"""How many peers one command sets: a command line is bounded."""


def _together(name: str, peers: list[Peer], directory: str) -> Iterator[Command]:
    for start in range(0, len(peers), AT_ONCE):
        some = peers[start : start + AT_ONCE]
        words = chain.from_iterable(_words(peer, directory) if peer.preshared else peer.words for peer in some)
        yield Command(("wg", "set", name, *words))


def _words(peer: Peer, directory: str) -> tuple[str, ...]:
    secret = ("preshared-key", f"{directory}/{peer.preshared}") if peer.preshared else ()
    return (*peer.words[:2], *secret, *peer.words[2:])


def shown(peer: Peer) -> str:
    """A peer's name, or the start of its key where nobody knows a name."""
    return peer.name or f"{peer.public_key[:8]}…"


def set_peer(interface: str, peer: Peer, directory: str, *, anew: bool = False) -> Command:
    """One peer with all that it has. `anew`: its sessions end, so that what proves it is newer than the change."""
    first = ("peer", peer.public_key, "remove") if anew else ()
    return Command(("wg", "set", interface, *first, *_words(peer, directory)))


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
    return not is_ip_endpoint(want) and have is not None and have.rpartition(":")[2] == want.rpartition(":")[2]
