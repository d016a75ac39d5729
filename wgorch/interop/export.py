"""Files for other tools: a host's wg-quick file, `wg addconf`, docker compose, /etc/hosts. Pure.

A host's private key stays on the host: its wg-quick file names the key file. Files of devices are those of `formats/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from wgorch.base.cache import cached_by_identity
from wgorch.errors import Unfit, UsageError
from wgorch.gather.observed import Observed
from wgorch.inventory.flow import LinkRule
from wgorch.inventory.model import Host
from wgorch.state.rules import Rule, tool
from wgorch.state.state import State
from wgorch.state.wireguard import PendingKey
from wgorch.steps import target_state
from wgorch.steps.chains import jump
from wgorch.steps.target import Target
from wgorch.topology.desired import Desired, Link
from wgorch.topology.topology import Topology, build


def wg_quick(
    topology: Topology,
    name: str,
    seen: Observed,
    keys: Mapping[str, str],
    secrets: Mapping[str, str],
    mtu: int,
) -> str:
    """The wg-quick file of a host, which replaces wgorch there; with its preferred relay alone. Raises Unfit."""
    topology = with_one_relay(topology, name)
    desired = topology.desired(name)
    # Peers are written from their links, whose text is shared; the target needs only those with a secret.
    alone = replace(desired, links=tuple(link for link in desired.links if link.preshared or link.peer in secrets))
    want = target_state(Target(alone, seen, keys, {}, secrets, mtu), seen.slices)
    tunnel = desired.network.interface
    lines = [
        *_head(desired),
        *_interface(want, tunnel),
        *_dns(desired.host),
        *_preshared(want, tunnel),
        *_sysctls(want, tunnel),
        *_chains(want),
        *_peers(desired.links, keys),
    ]
    return "\n".join(lines) + "\n"


def with_one_relay(topology: Topology, name: str) -> Topology:
    """The topology in which a host has its preferred relay alone: a file describes one interface. Raises Unfit."""
    if not topology.has_several_interfaces(name):
        return topology
    inventory = topology.inventory
    if topology.hosts[name].relay:
        problem = "a relay beside others has an interface for each of them, and a file describes one"
        raise Unfit(name, "export its configuration", problem, "let wgorch manage it")
    others = tuple(rule for rule in inventory.links if not rule.peering or name not in (rule.one, rule.other))
    rule = LinkRule(name, topology.relay_of(name) or "", True, len(inventory.links))
    return build(replace(inventory, links=(*others, rule)), versions=topology.versions)


def _head(desired: Desired) -> Iterator[str]:
    yield f"# {desired.name}, network {desired.network.name}"
    yield "[Interface]"


def _interface(want: State, tunnel: str) -> Iterator[str]:
    interface = want.interfaces[tunnel]
    yield from (f"Address = {address}" for address in sorted(want.addresses[tunnel]))
    yield f"ListenPort = {interface.listen_port}"
    yield f"MTU = {interface.mtu}"
    yield "# the private key stays in its file, readable by root only"
    yield f"PostUp = wg set %i private-key {want.key_file}"


def _preshared(want: State, tunnel: str) -> Iterator[str]:
    for peer in want.peers[tunnel].values():
        if peer.preshared:
            yield f"PostUp = wg set %i peer {peer.public_key} preshared-key {want.directory}/{peer.preshared}"


def _sysctls(want: State, tunnel: str) -> Iterator[str]:
    own = f"/conf/{tunnel}/"
    for path, value in sorted(want.sysctls.items()):
        yield f"PostUp = echo {value} >/proc/sys/{path.replace(own, '/conf/%i/')}"
        if own not in path:
            yield f"# to restore another value: PostDown = echo … >/proc/sys/{path}"


def _chains(want: State) -> Iterator[str]:
    for chain, rules in sorted(want.chains.items()):
        command = f"{tool(chain.table)} -t {chain.table.removesuffix('6')}"
        to_chain = _shell(jump(chain, want.mark))
        yield f"PostUp = {command} -N {chain.name}"
        yield from (f"PostUp = {command} -A {chain.name} {_shell(rule)}" for rule in rules)
        yield f"PostUp = {command} -I {chain.parent} 1 {to_chain}"
        yield f"PostDown = {command} -D {chain.parent} {to_chain}"
        yield f"PostDown = {command} -F {chain.name}"
        yield f"PostDown = {command} -X {chain.name}"


def _dns(host: Host) -> Iterator[str]:
    if host.dns:
        yield f"DNS = {', '.join(map(str, host.dns))}"


def _shell(rule: Rule) -> str:
    """A rule as wg-quick's bash reads it: none of its words needs quotes."""
    assert all(word.isascii() and not set(word) & set(" \"'$`;&|<>(){}\\") for word in rule.words)
    return " ".join(rule.words)


def _peers(links: Iterable[Link], keys: Mapping[str, str]) -> Iterator[str]:
    return (_peer_text(link, keys.get(link.peer) or PendingKey.of(link.peer)) for link in links)


@cached_by_identity
def _peer_text(link: Link, key: str) -> str:
    return "\n".join(["", *_peer(link, key)])


def _peer(link: Link, key: str) -> Iterator[str]:
    yield "[Peer]"
    yield f"# Name = {link.peer}"
    yield f"PublicKey = {key}"
    yield f"AllowedIPs = {', '.join(map(str, link.allowed_ips))}"
    if link.endpoint:
        yield f"Endpoint = {link.endpoint}"
    if link.persistent_keepalive:
        yield f"PersistentKeepalive = {link.persistent_keepalive}"


def shared_peers(topology: Topology, keys: Mapping[str, str]) -> str:
    """One file with every peer, for `wg addconf` on any host, which ignores its own key. Raises UsageError.

    The same file fits all hosts only where each peers directly with every other one.
    """
    _check_mesh(topology)
    network = topology.inventory.network
    lines = [f"# all peers of network {network.name}: wg addconf {network.interface} FILE"]
    for name, host in topology.hosts.items():
        keepalive = 0 if host.endpoint else host.persistent_keepalive
        link = Link(name, topology.own_networks(name), host.endpoint, keepalive)
        lines += ["", *_peer(link, keys.get(name) or PendingKey.of(name))]
    return "\n".join(lines) + "\n"


def _check_mesh(topology: Topology) -> None:
    """Raises UsageError where two hosts are not peers."""
    names = list(topology.hosts)
    if listed := next((name for name in names if topology.hosts[name].ways), None):
        problem = f"one file cannot serve every host: {listed} has several endpoints, each for some"
        raise UsageError(problem, "--format wg-quick")
    for one in names:
        direct = set(topology.peers(one))
        far = next((other for other in names if other != one and other not in direct), None)
        if far is not None:
            relays = topology.path(one, far)[1:-1]
            how = f"peer only through {', '.join(relays)}" if relays else "have no path to each other"
            raise UsageError(f"one file cannot serve every host: {one} and {far} {how}", "--format wg-quick")


def compose(name: str, network: str) -> str:
    """A docker-compose.yaml that runs a device in a container."""
    return f"""\
# {name}, network {network}, in a container. Needs {name}.conf beside this file (wgorch export {name})
services:
  wireguard:
    image: lscr.io/linuxserver/wireguard:latest
    container_name: wgorch-{network}-{name}
    cap_add: [NET_ADMIN]
    environment:
      TZ: Etc/UTC
    volumes:
      - ./{name}.conf:/config/wg_confs/wg0.conf:ro
    sysctls:
      net.ipv4.conf.all.src_valid_mark: "1"
    restart: unless-stopped
# To use the tunnel in another service: network_mode: "service:wireguard"
"""


def hosts_file(members: Mapping[str, Host], network: str) -> str:
    """Lines for /etc/hosts: addresses and names of hosts and devices."""
    lines = [f"# {network}"]
    lines += [f"{address}\t{name}" for name, host in members.items() for address in host.addresses]
    return "\n".join(lines) + "\n"
