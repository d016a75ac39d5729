"""Peers: who may send through the tunnel, from which addresses, and where to reach them.

`wg` moves an allowed address to the last peer that names it and says nothing (exit status 0), so each peer's whole list
is stated, and read back afterwards.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain

from wgorch.base.cache import cached_by_identity
from wgorch.base.ip import is_ip_endpoint, network_text
from wgorch.base.sh import Sh, sh
from wgorch.facts.facts import NO_WIREGUARD, Facts
from wgorch.inventory.model import Network
from wgorch.state.change import Attribute, Change, Command, attributes, change, command
from wgorch.state.state import State
from wgorch.state.wireguard import Peer
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target
from wgorch.topology.desired import Link


def peers(want: State, have: State) -> Iterator[Change]:
    """Set each peer's whole list of allowed-ips, its endpoint, keepalive and preshared key; remove others."""
    for name in want.interfaces:
        new, old = want.peers.get(name, {}), have.peers.get(name, {})
        added, gone = {k: new[k] for k in new.keys() - old.keys()}, {k: old[k] for k in old.keys() - new.keys()}
        renewed = _renewed(added, gone)
        yield from _added(name, [p for key, p in new.items() if key in added and key not in renewed], want.directory)
        yield from _with_new_keys(name, added, gone, renewed, want.directory)
        yield from _changed(name, new, old, want.directory)
        for key in sorted(gone.keys() - renewed.values(), key=lambda k: (old[k].name, k)):
            remove = command("wg", "set", name, "peer", key, "remove")
            yield change("-", f"peer {shown(old[key])}", "not a peer of this host", remove, disruptive=True)


def _renewed(added: Mapping[str, Peer], gone: Mapping[str, Peer]) -> dict[str, str]:
    """New keys of peers that were there: each with the old one, whose entry has the same networks."""
    olds = {peer.allowed_ips: key for key, peer in gone.items() if peer.allowed_ips}
    return {key: olds[peer.allowed_ips] for key, peer in added.items() if peer.allowed_ips in olds}


def _with_new_keys(
    name: str, added: Mapping[str, Peer], gone: Mapping[str, Peer], renewed: Mapping[str, str], directory: str
) -> Iterator[Change]:
    for key in sorted(renewed, key=lambda k: (added[k].name, k)):
        peer, old = added[key], gone[renewed[key]]
        setting = _settings(name, peer, directory)
        remove = command("wg", "set", name, "peer", old.public_key, "remove")
        values = partial(_values, peer, old)
        yield change("~", f"peer {shown(peer)}", "new key", *setting, remove, disruptive=True, values=values)


def _values(new: Peer | None, old: Peer | None) -> tuple[Attribute, ...]:
    """What differs between two entries; an endpoint that WireGuard learned is left out."""
    none = Peer("", ())
    new, old = new or none, old or none
    stays = _is_at(new, old.endpoint)
    endpoint = "" if stays else old.endpoint
    return attributes(
        ("public key", old.public_key, new.public_key),
        ("endpoint", endpoint, "" if stays else new.endpoint),
        ("allowed-ips", ", ".join(sorted(old.allowed_ips)), ", ".join(sorted(new.allowed_ips))),
        ("keepalive", old.persistent_keepalive, new.persistent_keepalive),
        ("preshared key", old.preshared, new.preshared),
    )


def _added(name: str, new: list[Peer], directory: str) -> Iterator[Change]:
    if len(new) > FEW:
        plain = [peer for peer in new if not _has_name(peer)]
        settings = list(_together(name, plain, directory))
        if settings:
            what = f"{len(plain)} peers {shown(plain[0])} ... {shown(plain[-1])}"
            yield change("+", what, f"missing on {name}", *settings)
        new = [peer for peer in new if _has_name(peer)]
    for peer in sorted(new, key=lambda peer: (peer.name, peer.public_key)):
        its = partial(_values, peer, None)
        yield change("+", f"peer {shown(peer)}", f"missing on {name}", *_settings(name, peer, directory), values=its)


def _settings(name: str, peer: Peer, directory: str) -> list[Command]:
    if not (peer.endpoint and _has_name(peer)):
        return [set_peer(name, peer, directory)]
    # A name may not resolve yet at boot, which must not keep the other peers out.
    return [
        set_peer(name, replace(peer, endpoint=None), directory),
        command("set_named_endpoint", name, peer.public_key, peer.endpoint),
    ]


def _changed(name: str, new: Mapping[str, Peer], old: Mapping[str, Peer], directory: str) -> Iterator[Change]:
    for key in sorted(new.keys() & old.keys(), key=lambda k: (new[k].name, k)):
        peer, before = new[key], old[key]
        if differences := list(differing(peer, before)):
            anew = peer.preshared != before.preshared
            if anew and not peer.endpoint:
                # Removing a peer forgets its last endpoint, and one end must begin.
                peer = replace(peer, endpoint=before.endpoint)
            setting = set_peer(name, peer, directory, anew=anew)
            ends = anew or not set(before.allowed_ips) <= set(peer.allowed_ips) or _moves(new[key], before)
            why, its = "; ".join(differences), partial(_values, new[key], before)
            yield change("~", f"peer {shown(peer)}", why, setting, disruptive=ends, values=its)


def _moves(new: Peer, old: Peer) -> bool:
    """True where packets to a peer will go to another endpoint."""
    return bool(old.endpoint) and not _is_at(new, old.endpoint)


def _has_name(peer: Peer) -> bool:
    return bool(peer.endpoint) and not is_ip_endpoint(peer.endpoint or "")


FEW = 8
"""Up to so many changes of one kind are shown one by one; more make one Change."""
AT_ONCE = 100
"""Peers that one command sets: a command line is bounded."""


def _together(name: str, peers: list[Peer], directory: str) -> Iterator[Command]:
    for start in range(0, len(peers), AT_ONCE):
        some = peers[start : start + AT_ONCE]
        words = chain.from_iterable(_words(peer, directory) if peer.preshared else peer.words for peer in some)
        yield Command(("wg", "set", name, *words))


def _words(peer: Peer, directory: str) -> tuple[str, ...]:
    secret = ("preshared-key", f"{directory}/{peer.preshared}") if peer.preshared else ()
    return (*peer.words[:2], *secret, *peer.words[2:])


def shown(peer: Peer) -> str:
    """A peer's name, or the start of its key where it has none."""
    return peer.name or f"{peer.public_key[:8]}…"


def set_peer(interface: str, peer: Peer, directory: str, *, anew: bool = False) -> Command:
    """Set one peer with all that it has. `anew`: end its sessions, so that a later handshake proves the new key."""
    first = ("peer", peer.public_key, "remove") if anew else ()
    return Command(("wg", "set", interface, *first, *_words(peer, directory)))


def differing(want: Peer, have: Peer) -> Iterator[str]:
    """Differences in words. An endpoint learned from the peer's own packets is none."""
    if gained := set(want.allowed_ips) - set(have.allowed_ips):
        yield f"lacks {', '.join(sorted(gained))}"
    if lost := set(have.allowed_ips) - set(want.allowed_ips):
        yield f"should not have {', '.join(sorted(lost))}"
    if not _is_at(want, have.endpoint):
        yield f"endpoint is {have.endpoint or 'not set'}, not {want.endpoint}"
    if want.persistent_keepalive != have.persistent_keepalive:
        yield f"keepalive is {have.persistent_keepalive}, not {want.persistent_keepalive}"
    if want.preshared != have.preshared:
        lacks = "lacks the preshared key" if want.preshared else "should not have a preshared key"
        yield "another preshared key" if want.preshared and have.preshared else lacks


def _is_at(want: Peer, have: str | None) -> bool:
    """True where an entry needs no other endpoint."""
    return not want.endpoint or bool(want.roams and have) or _same_endpoint(want.endpoint, have)


def _same_endpoint(want: str, have: str | None) -> bool:
    if want == have:
        return True
    # The host resolved the name: only the port can be compared.
    return not is_ip_endpoint(want) and have is not None and have.rpartition(":")[2] == want.rpartition(":")[2]


def _have(facts: Facts, network: Network) -> Slice:
    return {"peers": {name: _seen(facts, name) for name in facts.interfaces(network)}}


def _seen(facts: Facts, name: str) -> Mapping[str, Peer]:
    return (facts.wireguard.get(name) or NO_WIREGUARD).peers


def _target(target: Target) -> Slice:
    found: dict[str, dict[str, Peer]] = {name: {} for name in target.tunnels}
    known = {key: name for name in target.facts.interfaces(target.network) for key in _seen(target.facts, name)}
    for link in target.desired.links:
        if link.peer in target.absent:
            continue
        key = target.key(link.peer)
        # With a host that is not read in this run, the shared key stays.
        stays = _seen(target.facts, known[key])[key].preshared if link.preshared and key in known else ""
        found[target.desired.interface_of(link)][key] = peer_of(link, key, target.secrets.get(link.peer, stays))
    taken = (
        {n: {net for p in its.values() for net in p.allowed_ips} for n, its in found.items()} if target.absent else {}
    )
    for name, key in target.absent.items():
        if key in known:
            entry, old = target.desired.link(name), _seen(target.facts, known[key])[key]
            interface = target.desired.interface_of(entry) if entry else known[key]
            if interface in found:
                found[interface][key] = _kept(name, entry, old, taken[interface])
    return {"peers": found}


def _kept(name: str, link: Link | None, old: Peer, taken: Container[str]) -> Peer:
    """The entry of an absent host, as it is, but for networks that other entries are to have.

    Where it is what the link says, it has the link's words, so that the boot script does not change.
    """
    allowed = tuple(net for net in old.allowed_ips if net not in taken)
    endpoint = None
    if link:
        in_order = tuple(map(network_text, link.allowed_ips))
        allowed = in_order if set(in_order) == set(allowed) else allowed
        wanted = str(link.endpoint) if link.endpoint else None
        endpoint = wanted if not wanted or _same_endpoint(wanted, old.endpoint) else old.endpoint
    return replace(old, allowed_ips=allowed, endpoint=endpoint, name=name)


def peer_of(link: Link, key: str, secret: str = "") -> Peer:
    """A link as a peer: the same value for all hosts that share the link, unless a preshared key makes it its own."""
    peer = _shared_peer(link, key)
    return replace(peer, preshared=secret) if secret else peer


@cached_by_identity
def _shared_peer(link: Link, key: str) -> Peer:
    endpoint = str(link.endpoint) if link.endpoint else None
    allowed = tuple(map(network_text, link.allowed_ips))
    return Peer(key, allowed, endpoint, link.persistent_keepalive, link.peer, roams=link.roams)


def _probe(interface: Sh) -> Iterator[Sh]:
    each = sh("while read -r key nets; do for net in $nets; do echo $key $net; done; done")
    yield sh("show wg show {interface} allowed-ips | {each} | sort", interface=interface, each=each)
    yield sh("show wg show {interface} persistent-keepalive | sort", interface=interface)
    yield sh("show wg show {interface} preshared-keys | sort | sha256sum", interface=interface)


NOUN = Noun(
    state=("peers",),
    steps=(step(peers),),
    have=_have,
    target=_target,
    functions=("set_named_endpoint",),
    probe_interface=_probe,
)
