"""Hosts that a run did not reach: the entries that their peers have for them stay as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from wgorch.base.ip import as_ip, network_text
from wgorch.base.value import value
from wgorch.errors import HostError, Unfit
from wgorch.gather.observed import Observed
from wgorch.plan.host import HostPlan
from wgorch.state.wireguard import Peer
from wgorch.topology.topology import Topology


def keys_held(topology: Topology, seen: Observed, absent: Collection[str], known: Collection[str]) -> dict[str, str]:
    """The public keys by which a host knows absent hosts; empty for one that it has no entry for.

    An entry is known by a tunnel address, by the endpoint, or by all that the link would have. `known`: keys of hosts that were read and of devices, which are no other host's.
    """
    found = dict.fromkeys(absent, "")
    if not seen.is_managed(topology.inventory.network):
        return found
    strange = {k: p for k, p in seen.wg(topology.inventory.network).peers.items() if k not in known}
    for name in absent if strange else ():
        found[name] = _key_of(topology, seen, name, strange)
        strange.pop(found[name], None)
    return found


def _key_of(topology: Topology, seen: Observed, name: str, strange: Mapping[str, Peer]) -> str:
    host, link = topology.hosts[name], topology.desired(seen.host).link(name)
    own = {f"{address}/{address.max_prefixlen}" for address in host.addresses}
    expected = set(map(network_text, link.allowed_ips)) if link else set()
    endpoint = str(link.endpoint) if link and link.endpoint else None
    for matches in (
        lambda peer: own & set(peer.allowed_ips),
        lambda peer: endpoint and peer.endpoint == endpoint,
        lambda peer: expected and set(peer.allowed_ips) == expected,
    ):
        for key, peer in strange.items():
            if matches(peer):
                return key
    return ""


@value
class Absence:
    """How long a host has been away, as far as its peers can tell."""

    age_s: int | None = None
    """Seconds since its latest handshake with any of them; None where they know of none."""
    seen_by: str = ""
    """The peer that had it."""


def absences(
    topology: Topology, seen: Mapping[str, Observed], held: Mapping[str, Mapping[str, str]], absent: Iterable[str]
) -> dict[str, Absence]:
    """The absence of each host that was not reached. `held`: the keys by which each host that was read knows them."""
    network, found = topology.inventory.network, dict.fromkeys(absent, Absence())
    for name in found:
        for peer, there in seen.items():
            traffic = there.wg(network).traffic.get(held[peer].get(name, ""))
            age = traffic.handshake_age(there.clock.time) if traffic else None
            shortest = found[name].age_s
            if age is not None and (shortest is None or age < shortest):
                found[name] = Absence(age, peer)
    return found


def stranded(topology: Topology, plan: HostPlan, addresses: Mapping[str, str]) -> Iterator[HostError]:
    """Absent hosts that could never be reached again after a change: their SSH runs through the tunnel to this host.

    `addresses`: those that SSH connects to, by absent host.
    """
    network = topology.inventory.network
    old, new = (state.interfaces.get(network.interface) for state in (plan.have, plan.want))
    if old is None:
        return
    changes = [
        what
        for what, differs in (
            ("key", new is None or new.public_key != old.public_key),
            ("port", new is not None and new.listen_port != old.listen_port),
            (
                "address",
                not _ips(plan.have.addresses.get(network.interface, frozenset()))
                <= _ips(plan.want.addresses.get(network.interface, frozenset())),
            ),
        )
        if differs
    ]
    for name, address in addresses.items() if changes else ():
        ip = as_ip(address)
        if ip and any(ip in subnet for subnet in network.subnets) and plan.host in topology.peers(name):
            problem = (
                f"its {' and '.join(changes)} would change; {name} is absent, and SSH reaches it by the tunnel only"
            )
            hint = (
                f"bring {name} back first, give it an SSH address outside the tunnel, or take it out of the inventory"
            )
            yield Unfit(plan.host, "change the tunnel", problem, hint)


def _ips(addresses: frozenset[str]) -> set[str]:
    """Addresses without their prefixes."""
    return {address.partition("/")[0] for address in addresses}
