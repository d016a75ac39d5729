"""Measurements of one host: pings, a full-size packet, and handshakes; the script and the parser of its output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from wgorch.base.sh import EMPTY, Sh, sh_lines
from wgorch.base.text import one_line
from wgorch.base.value import value
from wgorch.facts.grammar import integer, pairs, public_key, read_answers
from wgorch.facts.part import Answers
from wgorch.facts.path_mtu import PING_HEADERS
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.host.programs import parameters, uploaded
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
    output_before: str = ""
    """Output of the script that ran before."""


def script(
    interface: str,
    addresses: list[IPAddress],
    full_size: Iterable[IPAddress],
    mtu: int,
    patience_s: int,
    before: Sh = EMPTY,
) -> Sh:
    """The script of one host, which pings all `addresses` at once; those in `full_size` with packets of the tunnel's MTU, too.

    `before` runs first, in the same round trip.
    """
    full = set(full_size)
    targets = (f"{ip}/{mtu - PING_HEADERS[ip.version]}" if ip in full else str(ip) for ip in addresses)
    words = {"targets": " ".join(targets), "patience": str(patience_s), "interface": interface, "nonce": NONCE}
    return sh_lines([ENVIRONMENT, before, parameters(words), uploaded("lib/ping.sh"), uploaded("measure.sh")])


def parse(host: str, text: str, addresses: list[IPAddress]) -> Measurement:
    """The Measurement in the output of a host's script. Raises Garbled."""
    output, _, _ = text.partition(f"\n{NONCE} ")

    def read(answers: Answers) -> Measurement:
        return Measurement(
            host=host,
            pings=_pings("ping", output, addresses),
            full_size=_pings("full", output, addresses),
            handshakes={public_key(key): integer(moment) for key, moment in pairs(answers["latest-handshakes"])},
            fits={ip: size + PING_HEADERS[ip.version] for ip, size in _fits(output, addresses)},
            output_before=output[:500],
        )

    return read_answers(host, text, NONCE, "read measurements", read)


def _fits(output: str, addresses: list[IPAddress]) -> Iterator[tuple[IPAddress, int]]:
    for number, size in re.findall(r"^fits (\d{1,18}) (\d{1,18})$", output, re.M):
        if int(number) < len(addresses):
            yield addresses[int(number)], int(size)


def _pings(word: str, output: str, addresses: list[IPAddress]) -> dict[IPAddress, Ping]:
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
