"""Random inventories: 1 to 40 hosts, some public, some relays, some gateways, over IPv4 or IPv6."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from hypothesis import strategies as st

from wgorch.inventory.dump import dump
from wgorch.inventory.failover import MAX_RELAYS
from wgorch.inventory.flow import LinkRule
from wgorch.inventory.model import Endpoint, Host, Inventory, Network, SshTarget

TUNNELS = {4: ip_network("192.168.0.0/20"), 6: ip_network("fd00:1::/64")}


def make_host(
    number: int,
    versions: tuple[int, ...],
    *,
    public: bool,
    relay: bool,
    lans: tuple[int, ...],
    masquerade: bool,
    keepalive: int,
) -> Host:
    """Host `number` of a network: its names and addresses follow from the number, so any mix of hosts is valid."""
    addresses = tuple(TUNNELS[version][number + 1] for version in versions)
    endpoint = Endpoint(f"203.0.113.{number + 1}", 51820 + number) if public else None
    return Host(
        name=f"h{number}",
        ssh=SshTarget(f"h{number}.example", "root"),
        addresses=addresses,
        given=addresses,
        listen_port=endpoint.port if endpoint else 51820,
        endpoint=endpoint,
        relay=relay and public,
        subnets=tuple(
            ip_network(f"10.{number}.{lan}.0/24" if kind == 4 else f"fd10:{number}:{lan}::/64")
            for lan in range(len(lans))
            for kind in lans[lan : lan + 1]
        ),
        persistent_keepalive=keepalive,
        masquerade=masquerade,
    )


@st.composite
def inventories(draw: st.DrawFn, most: int = 40, least: int = 1) -> Inventory:
    """A valid inventory, of IPv4, IPv6 or both."""
    versions = draw(st.sampled_from(((4,), (4, 6), (6,))))
    kinds = draw(
        st.lists(
            st.tuples(
                st.sampled_from(("spoke", "spoke", "public", "relay")),
                st.lists(st.sampled_from(versions), max_size=2),
                st.booleans(),
                st.sampled_from((0, 15, 25)),
            ),
            min_size=least,
            max_size=most,
        )
    )
    if len(kinds) > 1 and all(kind == "spoke" for kind, *_ in kinds):
        kinds[0] = ("relay", *kinds[0][1:])
    relays = [number for number, (kind, *_) in enumerate(kinds) if kind == "relay"][:MAX_RELAYS]
    hosts = [
        make_host(
            number,
            versions,
            public=kind != "spoke",
            relay=number in relays,
            lans=tuple(lans),
            masquerade=masquerade,
            keepalive=keepalive,
        )
        for number, (kind, lans, masquerade, keepalive) in enumerate(kinds)
    ]
    subnets = tuple(TUNNELS[version] for version in versions)
    network = Network("office", subnets, ipv6=6 in versions, several_relays=len(relays) > 1)
    return Inventory("inventory.yaml", network, {host.name: host for host in hosts}, links=draw(links(hosts)))


@st.composite
def links(draw: st.DrawFn, hosts: list[Host]) -> tuple[LinkRule, ...]:
    """Relays for some spokes, and some separated pairs; nothing where there is no relay."""
    relays = [host.name for host in hosts if host.relay]
    if not relays:
        return ()
    spokes = [host.name for host in hosts if not host.endpoint and draw(st.integers(0, 2)) == 0]
    own = st.lists(st.sampled_from(relays), min_size=1, max_size=3, unique=True)
    chosen = [LinkRule(name, relay, True, number) for number, name in enumerate(spokes) for relay in draw(own)]
    pairs = [(a, b) for a in hosts for b in hosts if a.endpoint and not a.relay and not b.relay and a.name != b.name]
    separated = draw(st.lists(st.sampled_from(pairs), max_size=3)) if pairs else []
    rest = enumerate(separated, len(spokes))
    return (*chosen, *(LinkRule(a.name, b.name, False, number) for number, (a, b) in rest))


def reordered(inventory: Inventory, names: list[str]) -> Inventory:
    """The same hosts in another order of the file."""
    return replace(inventory, hosts={name: inventory.hosts[name] for name in names})


def as_yaml(inventory: Inventory) -> str:
    """An inventory as a hand would write it."""
    network = inventory.network
    lines = [
        "network:",
        f"  name: {network.name}",
        f"  subnet: [{', '.join(map(repr, map(str, network.subnets)))}]",
        "hosts:",
    ]
    for host in inventory.hosts.values():
        lines += [f"  {host.name}:", f"    ssh: {host.ssh}"]
        lines.append(f"    address: [{', '.join(map(repr, map(str, host.given)))}]")
        if host.endpoint:
            lines.append(f'    endpoint: "{host.endpoint}"')
        if host.relay:
            lines.append("    relay: true")
        if host.subnets:
            quoted = ", ".join(f'"{lan}"' for lan in host.subnets)
            lines.append(f"    subnets: [{quoted}]")
        if not host.masquerade:
            lines.append("    masquerade: false")
        lines.append(f"    persistent_keepalive: {host.persistent_keepalive}")
    if inventory.links:
        lines += ["links:", *(f"  - {line}" for line in dump(inventory)["links"])]
    return "\n".join(lines) + "\n"
