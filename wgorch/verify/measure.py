"""What each host measures: pings of others and of LAN machines, a full-size packet, its sessions' handshakes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field

from wgorch.base.value import value
from wgorch.errors import Garbled
from wgorch.facts.grammar import NotAnAnswer, public_key, sections
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.host.programs import parameters, uploaded
from wgorch.inventory.model import Inventory, IPAddress
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology

HEADERS = {4: 28, 6: 48}
"""Bytes of a ping that are not its payload."""


MATRIX = 12
"""Up to so many hosts each is asked for every other one."""


PATIENCE_S = 20
"""How long a first answer may take: WireGuard repeats a lost handshake after 5 s, and needs 15 s to drop a dead session."""


@value
class Ping:
    """What came back. `rtt_ms` is of the quickest, as the first may have waited for a handshake; None where nothing answered."""

    sent: int
    received: int
    rtt_ms: float | None = None

    @property
    def works(self) -> bool:
        return self.received > 0


@value
class Measured:
    """What one host measured. Pings by address, handshakes (seconds since 1970) by public key.

    `fits`: the largest packet that got through, where none of the tunnel's full size did.
    """

    host: str
    pings: Mapping[IPAddress, Ping]
    full_size: Mapping[IPAddress, Ping]
    handshakes: Mapping[str, int]
    fits: Mapping[IPAddress, int] = field(default_factory=dict)
    said_before: str = ""


def targets(
    topology: Topology,
    host: str,
    checks: frozenset[str],
    left_out: frozenset[str] = frozenset(),
    from_here: Callable[[str], bool] = lambda _peer: True,
) -> list[IPAddress]:
    """What a host pings.

    `tunnel`: every other host it has a way to; `full_size`: its peers at least; `flows`: its own `verify:` lines, those
    of others that it should reach too, and machines in its own LANs. In a network of more than MATRIX hosts only the
    next one of the file, the peers that are measured `from_here`, and its own lines: what is measured must not grow with
    the square of the hosts. What lies behind a host that is `left_out` of this run is not asked for: it could not answer.
    """
    inventory = topology.inventory
    found: dict[IPAddress, None] = {}
    peers = set(topology.peers(host)) if "full_size" in checks else set()
    names = list(inventory.hosts)
    whole = is_whole(topology)
    peers = peers if whole else {peer for peer in peers if from_here(peer)}
    neighbour = names[(names.index(host) + 1) % len(names)]
    for other in inventory.hosts.values():
        tunnel = "tunnel" in checks and (whole or other.name == neighbour)
        wanted = other.name in peers or (tunnel and topology.next_hop(host, other.name))
        if other.name != host and wanted:
            found |= {a: None for a in other.addresses if inventory.hosts[host].address_of(a.version)}
    for flow in inventory.verify if "flows" in checks else ():
        # The gateway's own ping tells a dead machine from a broken tunnel.
        own = any(flow.address in lan for lan in inventory.hosts[host].subnets)
        if flow.source == host or own or (whole and known_machine(inventory, host, flow.address)):
            found[flow.address] = None
    for address in inventory.hosts[host].addresses:
        found.pop(address, None)
    return [address for address in found if not (left_out and _passes(topology, host, address, left_out))]


def is_whole(topology: Topology) -> bool:
    """True for a network that is small enough to be measured from everybody to everybody."""
    return len(topology.inventory.hosts) <= MATRIX


def first(topology: Topology, host: str, peer: str) -> bool:
    """Which of two peers measures what needs to be measured from one end only: the one that has fewer of them."""
    return (topology.peer_count(host), host) < (topology.peer_count(peer), peer)


def _passes(topology: Topology, host: str, address: IPAddress, others: frozenset[str]) -> bool:
    owner = next((name for name in others if address in topology.hosts[name].addresses), None)
    return owner is not None or bool(others & set(walk(topology, host, address).hosts))


def known_machine(inventory: Inventory, host: str, address: IPAddress) -> bool:
    """True where an address lies in another host's LAN, which every host should reach."""
    return any(address in lan for h in inventory.hosts.values() if h.name != host for lan in h.subnets)


def program(
    interface: str, addresses: list[IPAddress], direct: Iterable[IPAddress], mtu: int, patience_s: int, before: str = ""
) -> str:
    """The program that measures; pings run side by side. `before` rides along in the same round trip."""
    full = set(direct)
    targets = (f"{ip}/{mtu - HEADERS[ip.version]}" if ip in full else str(ip) for ip in addresses)
    words = {"targets": " ".join(targets), "patience": str(patience_s), "interface": interface, "nonce": NONCE}
    return "\n".join([ENVIRONMENT, before, parameters(words), uploaded("lib/ping.sh"), uploaded("measure.sh")])


def parse(host: str, text: str, addresses: list[IPAddress]) -> Measured:
    """What a host measured, read strictly. Raises Garbled."""
    body, _, rest = text.partition(f"\n{NONCE} ")
    answers = sections(f"{NONCE} {rest}", NONCE)
    try:
        if "end" not in answers:
            raise NotAnAnswer("the measurement ends too early")
        return Measured(
            host=host,
            pings=_pings("ping", body, addresses),
            full_size=_pings("full", body, addresses),
            handshakes={
                public_key(k): int(v) for k, _, v in (line.partition("\t") for line in answers["latest-handshakes"])
            },
            fits={ip: size + HEADERS[ip.version] for ip, size in _fits(body, addresses)},
            said_before=body[:500],
        )
    except (NotAnAnswer, ValueError, KeyError, IndexError) as error:
        raise Garbled(host, "parse its measurements", str(error), "see -vv for what it said") from None


def _fits(body: str, addresses: list[IPAddress]) -> Iterator[tuple[IPAddress, int]]:
    for number, size in re.findall(r"^fits (\d+) (\d+)$", body, re.M):
        if int(number) < len(addresses):
            yield addresses[int(number)], int(size)


def _pings(word: str, body: str, addresses: list[IPAddress]) -> dict[IPAddress, Ping]:
    found = {}
    for line in body.split("\n"):
        hit = re.fullmatch(rf"{word} (\d+) (.*)", line)
        if not hit or int(hit[1]) >= len(addresses):
            continue
        counts = re.search(r"(\d+) packets transmitted, (\d+) (?:packets )?received", hit[2])
        rtt = re.search(r"= ([\d.]+)/", hit[2])
        sent, received = (int(counts[1]), int(counts[2])) if counts else (0, 0)
        found[addresses[int(hit[1])]] = Ping(sent, received, float(rtt[1]) if rtt and received else None)
    return found
