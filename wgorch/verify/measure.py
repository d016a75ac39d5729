"""Measurements of one host: pings, a full-size packet, and handshakes; the script and the parser of its output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple, TypeVar

from wgorch.base.sh import EMPTY, Sh, sh_lines
from wgorch.base.text import one_line
from wgorch.base.value import value
from wgorch.facts.grammar import integer, pairs, public_key, read_answers
from wgorch.facts.part import Answers
from wgorch.facts.path_mtu import PING_HEADERS
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.host.programs import parameters, uploaded
from wgorch.inventory.flow import Flow
from wgorch.inventory.model import IPAddress

PATIENCE_S = 20
"""Seconds that a first reply may take: WireGuard repeats a lost handshake after 5 s, and drops a dead session after 15."""


@value
class Ping:
    """Result of some pings of one address."""

    sent: int
    received: int
    rtt_ms: float | None = None
    """Of the fastest, as the first may have waited for a handshake; None where no reply came."""
    unable: str = ""
    """What ping says where it does not run on the host: nothing is known of the path."""

    @property
    def works(self) -> bool:
        return self.received > 0


class Attempt(StrEnum):
    """What became of a connection or a ping."""

    OPEN = "open"
    CLOSED = "closed"
    """The other end is reached, and refuses it."""
    REJECTED = "rejected"
    """A firewall on the way refuses it."""
    ARRIVED = "arrived"
    """A datagram without an answer left the last host that was watched for its target."""
    SILENT = "silent"
    UNSEEN = "unseen"
    """A datagram without an answer, and nothing that could see whether it arrived."""
    UNABLE = "unable"
    """Nothing on the host can try it."""


@value
class Measurement:
    """Measurements of one host."""

    host: str
    pings: Mapping[IPAddress, Ping]
    full_size: Mapping[IPAddress, Ping]
    """Pings that fill the tunnel's MTU."""
    handshakes: Mapping[str, int]
    """UNIX time of the latest handshake by public key, 0 for none."""
    fits: Mapping[IPAddress, int] = field(default_factory=dict)
    """Largest packet in bytes that got through, where none of full size did."""
    relays: Mapping[str, Ping] = field(default_factory=dict)
    """Pings of the relays that the host chooses between, each by its own interface."""
    attempts: Mapping[Flow, Attempt] = field(default_factory=dict)
    """What became of the flows that are no pings to be answered."""
    output_before: str = ""
    """Output of the script that ran before."""


class Targets(NamedTuple):
    """What a host measures."""

    addresses: list[IPAddress]
    """Pinged all at once."""
    full_size: list[IPAddress]
    """Those of them that are pinged with packets of the tunnel's MTU, too."""
    flows: list[Flow]
    """Tried afterwards."""
    relays: Mapping[str, IPAddress] = {}
    """Of a host that chooses between relays: the address of each, by the interface of the session with it."""


def script(interfaces: Sequence[str], targets: Targets, mtu: int, patience_s: int, before: Sh = EMPTY) -> Sh:
    """The script of one host; `interfaces`: the network's there; `before` runs first, in the same round trip."""
    full = set(targets.full_size)
    pinged = (f"{ip}/{mtu - PING_HEADERS[ip.version]}" if ip in full else str(ip) for ip in targets.addresses)
    attempts = (f"{f.service.protocol}/{f.address}/{f.port}/{1 if f.refused else 3}" for f in targets.flows)
    words = {
        "targets": " ".join(pinged),
        "attempts": " ".join(attempts),
        "patience": str(patience_s),
        "interfaces": " ".join(interfaces),
        "relays": " ".join(f"{name}/{address}" for name, address in targets.relays.items()),
        "nonce": NONCE,
    }
    return sh_lines([ENVIRONMENT, before, parameters(words), uploaded("lib/ping.sh"), uploaded("measure.sh")])


def parse(host: str, text: str, targets: Targets) -> Measurement:
    """The Measurement in the output of a host's script. Raises Garbled."""
    addresses = targets.addresses
    output, _, _ = text.partition(f"\n{NONCE} ")

    def read(answers: Answers) -> Measurement:
        return Measurement(
            host=host,
            pings=_pings("ping", output, addresses),
            full_size=_pings("full", output, addresses),
            handshakes={public_key(key): integer(moment) for key, moment in pairs(answers["latest-handshakes"])},
            fits={ip: size + PING_HEADERS[ip.version] for ip, size in _fits(output, addresses)},
            relays=_pings("relay", output, list(targets.relays)),
            attempts=dict(_attempts(output, targets.flows)),
            output_before=output[:500],
        )

    return read_answers(host, text, NONCE, "read measurements", read)


def _attempts(output: str, flows: list[Flow]) -> Iterator[tuple[Flow, Attempt]]:
    for number, word in re.findall(rf"^attempt (\d{{1,9}}) ({'|'.join(Attempt)})$", output, re.M):
        if int(number) < len(flows):
            yield flows[int(number)], Attempt(word)


def _fits(output: str, addresses: list[IPAddress]) -> Iterator[tuple[IPAddress, int]]:
    for number, size in re.findall(r"^fits (\d{1,18}) (\d{1,18})$", output, re.M):
        if int(number) < len(addresses):
            yield addresses[int(number)], int(size)


Pinged = TypeVar("Pinged")


def _pings(word: str, output: str, addresses: list[Pinged]) -> dict[Pinged, Ping]:
    found = {}
    for line in output.split("\n"):
        hit = re.fullmatch(rf"{word} (\d{{1,18}}) (.*)", line)
        if not hit or int(hit[1]) >= len(addresses):
            continue
        counts = re.search(r"(\d{1,18}) packets transmitted, (\d{1,18}) (?:packets )?received", hit[2])
        rtt = re.search(r"= ([\d.]+)/", hit[2])
        sent, received = (int(counts[1]), int(counts[2])) if counts else (0, 0)
        unable = one_line(hit[2].removeprefix("unable ") or "no output", 120) if hit[2].startswith("unable") else ""
        found[addresses[int(hit[1])]] = Ping(sent, received, float(rtt[1]) if rtt and received else None, unable)
    return found
