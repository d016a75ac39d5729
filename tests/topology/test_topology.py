"""Random networks: every packet that should arrive does, and so does its reply; nothing else is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from ipaddress import ip_network
from itertools import pairwise
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.networks import inventories, make_host, reordered
from wgorch.inventory.failover import MAX_RELAYS
from wgorch.inventory.model import Inventory, IPAddress, IPNetwork
from wgorch.topology.desired import Desired
from wgorch.topology.links import BETWEEN_RELAYS_S
from wgorch.topology.path import Cut, walk
from wgorch.topology.topology import Topology, build

few = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
some = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def meet(inventory: Inventory, one: str, other: str) -> bool:
    """True if two hosts can reach each other: one has an endpoint, or there is a relay."""
    hosts = inventory.hosts
    relay = any(host.relay for host in hosts.values())
    return one == other or relay or hosts[one].endpoint is not None or hosts[other].endpoint is not None


def ends(inventory: Inventory, name: str) -> Iterator[IPAddress]:
    """A host's own addresses, and a machine in each of its LANs."""
    host = inventory.hosts[name]
    yield from host.addresses
    for lan in host.subnets:
        yield lan[61]


def networks(inventory: Inventory, name: str) -> set[IPNetwork]:
    host = inventory.hosts[name]
    return {*map(ip_network, host.addresses), *host.subnets}


def within(net: IPNetwork, wide: IPNetwork) -> bool:
    return net.version == wide.version and net.subnet_of(wide)  # type: ignore[arg-type]


def all_desired(topology: Topology) -> dict[str, Desired]:
    return {name: topology.desired(name) for name in topology.hosts}


def check_all_walks(inventory: Inventory) -> None:
    topology = build(inventory)
    look = cache(topology.desired)
    for one in inventory.hosts:
        for other in inventory.hosts:
            for source in ends(inventory, one):
                for target in ends(inventory, other):
                    if one == other or source.version != target.version:
                        continue
                    there = walk(topology, one, target, origin=source, desired=look)
                    back = walk(topology, other, source, origin=target, desired=look)

                    assert (meet(inventory, one, other),) * 2 == (there.arrives, back.arrives), f"{there} / {back}"
                    assert len(set(there.hosts)) == len(there.hosts) <= 4
                    if there.arrives and len(topology.relays) < 2:
                        assert there.hosts == back.hosts[::-1]


def remaining(topology: Topology, name: str, cut: Cut) -> list[str]:
    """The relays that a host still has a session with."""
    return [relay for relay in topology.relays_of(name) if (relay, name) not in cut]


@few
@given(inventories(most=9), st.integers(0, 1 << 30))
def test_with_sessions_down_a_packet_arrives_where_both_ends_have_a_relay_left(inventory: Inventory, seed: int) -> None:
    topology, random = build(inventory), Random(seed)
    look = cache(topology.desired)
    sessions = [(relay, spoke) for spoke in topology.spokes for relay in topology.relays_of(spoke)]
    lost = random.choice(topology.relays) if topology.relays else ""
    for cut in (
        frozenset(pair for pair in sessions if pair[0] == lost),
        frozenset(random.sample(sessions, k=min(len(sessions), 1))),
        frozenset(random.sample(sessions, k=min(len(sessions), 2))),
    ):
        for one in inventory.hosts:
            for other in inventory.hosts:
                ends_left = all(inventory.hosts[n].endpoint or remaining(topology, n, cut) for n in (one, other))
                pinned = other in topology.separated(one)
                # A relay does not know which other relays hear a spoke that is none of its own.
                theirs = {frozenset(topology.relays_of(n) or inventory.hosts) for n in (one, other)}
                entered = theirs if not inventory.hosts[one].relay else {topology.relays_of(other) or (one,)}
                if len(entered) > 1 or (inventory.hosts[one].relay and one not in next(iter(entered))):
                    continue
                direct = inventory.hosts[one].endpoint or inventory.hosts[other].endpoint
                if one == other or not meet(inventory, one, other) or not ends_left or pinned:
                    continue
                if (
                    direct
                    and any(inventory.hosts[n].relay for n in (one, other))
                    and not unhurt(topology, one, other, cut)
                ):
                    continue
                for target in ends(inventory, other):
                    if inventory.hosts[one].address_of(target.version) is None:
                        continue
                    found = walk(topology, one, target, desired=look, cut=cut)
                    assert found.arrives, f"{cut}: {found}"
                    assert not cut & {(a, b) for a, b in pairwise(found.hosts)}
                    assert not cut & {(b, a) for a, b in pairwise(found.hosts)}


def unhurt(topology: Topology, one: str, other: str, cut: Cut) -> bool:
    """False where a relay itself and its spoke have no session: its own packets take no detour."""
    return (one, other) not in cut and (other, one) not in cut


@few
@given(inventories(most=9))
def test_every_packet_arrives_and_with_one_relay_its_reply_takes_the_same_path(inventory: Inventory) -> None:
    check_all_walks(inventory)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(inventories(most=40, least=25))
def test_the_same_holds_for_large_networks(inventory: Inventory) -> None:
    check_all_walks(inventory)


@some
@given(inventories())
def test_no_address_is_allowed_to_two_peers_of_a_host(inventory: Inventory) -> None:
    for desired in all_desired(build(inventory)).values():
        for interface in desired.interfaces:
            links = [link for link in desired.links if desired.interface_of(link) == interface]
            allowed = [(net, link.peer) for link in links for net in link.allowed_ips]
            tunnels = inventory.network.subnets

            assert len(allowed) == len({net for net, _ in allowed})
            lans = sorted((n for n, _ in allowed if n not in tunnels), key=lambda n: (n.version, int(n[0])))
            for low, high in pairwise(lans):
                assert not (low.version == high.version and low.overlaps(high))


@some
@given(inventories())
def test_a_host_is_allowed_all_it_must_reach_and_nothing_of_its_own(inventory: Inventory) -> None:
    for name, desired in all_desired(build(inventory)).items():
        allowed = {net for link in desired.links for net in link.allowed_ips}
        must = {
            net for other in inventory.hosts if other != name and meet(inventory, name, other)
            for net in networks(inventory, other)
        }  # fmt: skip
        tunnels = set(inventory.network.subnets)

        assert set() == {net for net in must - allowed if not any(within(net, wide) for wide in tunnels & allowed)}
        assert set() == allowed - must - tunnels
        assert set() == networks(inventory, name) & allowed


@some
@given(inventories())
def test_every_route_has_a_peer_and_every_peers_lan_has_a_route(inventory: Inventory) -> None:
    tunnels = inventory.network.subnets
    for desired in all_desired(build(inventory)).values():
        allowed = {net for link in desired.links for net in link.allowed_ips}
        beyond = {net for net in allowed if not any(within(net, tunnel) for tunnel in tunnels)}

        assert beyond == set(desired.routes)
        assert len(desired.routes) == len(set(desired.routes))


@some
@given(inventories())
def test_no_endpoint_lies_in_what_is_routed_into_the_tunnel(inventory: Inventory) -> None:
    for desired in all_desired(build(inventory)).values():
        ends = [ip_network(link.endpoint.host) for link in desired.links if link.endpoint]
        routed = [n for n in (*desired.routes, *inventory.network.subnets) if n.version == 4]

        assert [] == [end for end in ends if any(end.subnet_of(net) for net in routed)]  # type: ignore[arg-type]


@some
@given(inventories())
def test_peering_is_mutual_and_no_host_is_its_own_peer(inventory: Inventory) -> None:
    links = {(name, link.peer) for name, d in all_desired(build(inventory)).items() for link in d.links}

    assert links == {(other, name) for name, other in links}
    assert set() == {name for name, other in links if name == other}


@some
@given(inventories())
def test_one_side_of_every_link_has_an_endpoint_and_the_other_sends_keepalives(inventory: Inventory) -> None:
    for name, desired in all_desired(build(inventory)).items():
        host = inventory.hosts[name]
        assert len(desired.links) == len({link.peer for link in desired.links})
        for link in desired.links:
            peer = inventory.hosts[link.peer]
            assert host.endpoint or link.endpoint
            if host.relay and peer.relay:
                assert peer.endpoint and link.endpoint and link.endpoint.host == peer.endpoint.host
                assert BETWEEN_RELAYS_S == link.persistent_keepalive
            else:
                assert peer.endpoint == link.endpoint
                assert (0 if host.endpoint else host.persistent_keepalive) == link.persistent_keepalive


@some
@given(inventories())
def test_both_ends_of_a_session_agree_on_its_port_and_no_two_interfaces_share_one(inventory: Inventory) -> None:
    topology = build(inventory)
    for name, desired in all_desired(topology).items():
        ports = {desired.network.interface: inventory.hosts[name].listen_port, **desired.ports}
        assert len(ports) == len(set(ports.values())) == len(desired.interfaces)
        for link in desired.links:
            there = topology.desired(link.peer)
            back = there.link(name)
            assert back is not None
            its = {there.network.interface: there.host.listen_port, **there.ports}[there.interface_of(back)]
            assert link.endpoint is None or link.endpoint.port == its


@some
@given(inventories())
def test_what_a_host_with_several_interfaces_routes_has_a_peer_there(inventory: Inventory) -> None:
    for desired in all_desired(build(inventory)).values():
        assert bool(desired.routes_by_interface) == (len(desired.interfaces) > 1)
        routed = [net for nets in desired.routes_by_interface.values() for net in nets]
        assert len(routed) == len(set(routed))
        if routed:
            assert {*desired.routes} <= {*routed}
        for interface, nets in desired.routes_by_interface.items():
            for name in (interface,) if interface else (choice.interface for choice in desired.choices):
                allowed = [n for link in desired.links if desired.interface_of(link) == name for n in link.allowed_ips]
                subnets = [net for net in nets if net not in inventory.network.subnets or interface != "wg0"]
                assert [] == [net for net in subnets if not any(within(net, wide) for wide in allowed)]


@some
@given(inventories())
def test_only_relays_and_gateways_forward(inventory: Inventory) -> None:
    for name, desired in all_desired(build(inventory)).items():
        host = inventory.hosts[name]

        assert (host.relay, bool(host.subnets)) == (desired.forwards_between_peers, desired.is_gateway)


@some
@given(inventories())
def test_masquerade_names_own_lans_and_sources_of_their_family(inventory: Inventory) -> None:
    for name, desired in all_desired(build(inventory)).items():
        host = inventory.hosts[name]

        assert {m.into for m in desired.masquerade} <= (set(host.subnets) if host.masquerade else set())
        for m in desired.masquerade:
            assert m.source.version == m.into.version
            assert not any(m.source.version == lan.version and m.source.overlaps(lan) for lan in host.subnets)
        for lan in {m.into for m in desired.masquerade}:
            sources = [m.source for m in desired.masquerade if m.into == lan]
            routed = [n for n in (*inventory.network.subnets, *desired.routes) if n.version == lan.version]
            assert sum(n.num_addresses for n in sources) == sum(n.num_addresses for n in routed)
            assert all(any(n.subnet_of(source) for source in sources) for n in routed)


@some
@given(inventories(), st.randoms(use_true_random=False))
def test_the_order_of_the_hosts_changes_nothing(inventory: Inventory, random: object) -> None:
    names = list(inventory.hosts)
    random.shuffle(names)  # type: ignore[attr-defined]
    # Which relay is the spokes' own is said by the order of the relays, so that one is kept.
    relays = iter([name for name in inventory.hosts if inventory.hosts[name].relay])
    names = [next(relays) if inventory.hosts[name].relay else name for name in names]
    before, after = build(inventory), build(reordered(inventory, names))

    for name in names:
        one, other = before.desired(name), after.desired(name)

        assert sorted(one.links, key=str) == sorted(other.links, key=str)
        assert (set(one.routes), set(one.masquerade)) == (set(other.routes), set(other.masquerade))


@some
@given(
    inventories(most=20),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from((4, 6)), max_size=2),
)
def test_a_new_host_changes_its_neighbours_alone(
    inventory: Inventory, public: bool, relay: bool, lans: list[int]
) -> None:
    versions = tuple(subnet.version for subnet in inventory.network.subnets)
    new = make_host(
        200,
        versions,
        public=public,
        relay=relay and sum(host.relay for host in inventory.hosts.values()) < MAX_RELAYS,
        lans=tuple(k for k in lans if k in versions),
        masquerade=True,
        keepalive=25,
    )
    larger = replace(inventory, hosts={**inventory.hosts, new.name: new})
    before, after = build(inventory), build(larger)

    changed = {name for name in inventory.hosts if before.desired(name) != after.desired(name)}
    neighbours = {*after.peers(new.name), *after.relays}
    if new.subnets:
        neighbours |= {name for name in inventory.hosts if meet(larger, name, new.name)}
    if new.relay and len(after.relays) == 1:
        neighbours |= set(inventory.hosts)  # those who could not meet before, now can

    assert changed <= neighbours


@some
@given(inventories(most=20, least=2), st.data())
def test_a_host_that_left_leaves_no_trace(inventory: Inventory, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(sorted(inventory.hosts)))
    links = tuple(link for link in inventory.links if gone not in (link.one, link.other))
    smaller = replace(inventory, hosts={n: h for n, h in inventory.hosts.items() if n != gone}, links=links)
    left = networks(inventory, gone)

    for desired in all_desired(build(smaller)).values():
        assert gone not in {link.peer for link in desired.links}
        assert set() == left & {net for link in desired.links for net in link.allowed_ips}
        assert set() == left & {*desired.routes, *(m.source for m in desired.masquerade)}
