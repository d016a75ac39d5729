"""The network as files for other tools: wg-quick, `wg addconf`, docker compose, /etc/hosts. Pure; no key but public ones.

A host's private key stays where it is: its file says where, and wg-quick sets it from there. A device's may be handed
in, and is in the text that comes back and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from wgorch.base.cache import cached_by_identity
from wgorch.errors import UsageError
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Host
from wgorch.state.rules import Rule, tool
from wgorch.state.wireguard import PendingKey
from wgorch.steps import target_state
from wgorch.steps.firewall import jump
from wgorch.steps.target import Target
from wgorch.topology.desired import Link
from wgorch.topology.topology import Topology


def device(topology: Topology, name: str, keys: Mapping[str, str], private_key: str | None = None) -> str:
    """A wg-quick file for a device. Without its private key the place for it is left open."""
    desired = topology.desired(name)
    own = private_key or "<the private key that this device made>"
    lines = [f"# {name}, of the network {topology.inventory.network.name}", "[Interface]", f"PrivateKey = {own}"]
    lines += [f"Address = {address}/{address.max_prefixlen}" for address in desired.host.addresses]
    if mtu := desired.host.mtu or desired.network.mtu:
        lines.append(f"MTU = {mtu}")
    lines += _dns(desired.host)
    return "\n".join([*lines, *_peers(desired.links, keys)]) + "\n"


def wg_quick(
    topology: Topology,
    name: str,
    seen: Observed,
    keys: Mapping[str, str],
    secrets: Mapping[str, str],
    mtu: int,
) -> str:
    """A host's wg-quick file, in place of what wgorch would make. Raises Unfit."""
    desired = topology.desired(name)
    # Its peers' part is the same text for all who see them alike; only their secrets are the host's own.
    alone = replace(desired, links=tuple(link for link in desired.links if link.preshared))
    want = target_state(Target(alone, seen, keys, {}, secrets, mtu), seen.slices)
    tunnel = topology.inventory.network.interface
    interface = want.interfaces[tunnel]
    lines = [
        f"# {name}, of the network {topology.inventory.network.name}",
        "[Interface]",
        *(f"Address = {address}" for address in sorted(want.addresses[tunnel])),
        f"ListenPort = {interface.listen_port}",
        f"MTU = {interface.mtu}",
        "# the key stays in its file, where only root reads it",
        f"PostUp = wg set %i private-key {want.key_file}",
        *_dns(desired.host),
    ]
    for peer in want.peers[tunnel].values():
        if peer.preshared:
            lines.append(f"PostUp = wg set %i peer {peer.public_key} preshared-key {want.directory}/{peer.preshared}")
    own = f"/conf/{interface.name}/"
    for path, value in sorted(want.sysctls.items()):
        where = path.replace(own, "/conf/%i/")
        lines.append(f"PostUp = echo {value} >/proc/sys/{where}")
        if own not in path:
            lines.append(f"# was it another value before? PostDown = echo … >/proc/sys/{path}")
    for chain, rules in sorted(want.chains.items()):
        command = f"{tool(chain.table)} -t {chain.table.removesuffix('6')}"
        lines.append(f"PostUp = {command} -N {chain.name}")
        lines += [f"PostUp = {command} -A {chain.name} {_shell(rule)}" for rule in rules]
        lines.append(f"PostUp = {command} -I {chain.parent} 1 {_shell(jump(chain, want.mark))}")
        lines.append(f"PostDown = {command} -D {chain.parent} {_shell(jump(chain, want.mark))}")
        lines += [f"PostDown = {command} -F {chain.name}", f"PostDown = {command} -X {chain.name}"]
    return "\n".join([*lines, *_peers(desired.links, keys)]) + "\n"


def _dns(host: Host) -> Iterator[str]:
    if host.dns:
        yield f"DNS = {', '.join(map(str, host.dns))}"


def _shell(rule: Rule) -> str:
    """A rule as wg-quick's bash reads it: every word of ours is plain."""
    assert all(word.isascii() and not set(word) & set(" \"'$`;&|<>(){}\\") for word in rule.words)
    return " ".join(rule.words)


def _peers(links: Iterable[Link], keys: Mapping[str, str]) -> Iterator[str]:
    for link in links:
        yield _peer_text(link, keys.get(link.peer) or PendingKey.of(link.peer))


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
    """One file with every peer, for `wg addconf` on any host: each ignores its own key. Raises UsageError.

    It can be the same for all only where every host reaches every other one directly.
    """
    names = list(topology.hosts)
    for one in names:
        direct = set(topology.peers(one))
        far = next((other for other in names if other != one and other not in direct), None)
        if far is not None:
            way = topology.path(one, far)
            by = f"peer only through {', '.join(way[1:-1])}" if len(way) > 2 else "have no path to each other"
            raise UsageError(f"one file cannot serve every host: {one} and {far} {by}", "--format wg-quick")
    lines = [
        f"# all peers of {topology.inventory.network.name}: wg addconf {topology.inventory.network.interface} FILE"
    ]
    for name, host in topology.hosts.items():
        keepalive = 0 if host.endpoint else host.persistent_keepalive
        link = Link(name, topology.own_networks(name), host.endpoint, keepalive)
        lines += ["", *_peer(link, keys.get(name) or PendingKey.of(name))]
    return "\n".join(lines) + "\n"


def compose(name: str, network: str) -> str:
    """A docker-compose.yaml that runs a device's file in a container."""
    return f"""\
# {name}, of the network {network}, in a container. Beside this file: {name}.conf (wgorch export {name})
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
# Another service uses the tunnel with network_mode: "service:wireguard"
"""


def hosts_file(members: Mapping[str, Host], network: str) -> str:
    """Lines for /etc/hosts: every member's address and name."""
    lines = [f"# {network}"]
    lines += [f"{address}\t{name}" for name, host in members.items() for address in host.addresses]
    return "\n".join(lines) + "\n"
