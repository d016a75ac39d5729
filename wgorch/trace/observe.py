"""The programs that follow a probe on each host, and the parser of what they saw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import NamedTuple

from wgorch.base.text import one_line
from wgorch.base.value import value
from wgorch.errors import Garbled
from wgorch.facts.grammar import NotAnAnswer, public_key, sections
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.host.programs import parameters, uploaded
from wgorch.inventory.model import IPAddress

WINDOW_S = 5
"""How long every host watches; the source begins after a second, and needs at most four."""


@value
class Probe:
    """A packet that is known again wherever it is seen: by an unusual size (ICMP), or by its port.

    `size` and `full_size` count the ICMP payload; 0 where nothing of the tunnel's full size is sent.
    """

    source: IPAddress
    target: IPAddress
    protocol: str = "icmp"
    port: int = 0
    size: int = 173
    full_size: int = 0

    @property
    def word(self) -> str:
        """nft's word for the family."""
        return "ip" if self.target.version == 4 else "ip6"

    def matches(self) -> Iterator[tuple[str, str]]:
        """What nft must match, by the name of what it is."""
        if self.protocol != "icmp":
            yield "request", f"{self.word} daddr {self.target} {self.protocol} dport {self.port}"
            yield "reply", f"{self.word} saddr {self.target} {self.protocol} sport {self.port}"
            return
        kind, extra = ("icmp", 28) if self.target.version == 4 else ("icmpv6", 8)
        for suffix, size in (("", self.size), ("-full", self.full_size)):
            if size:
                length = f"{self.word} length {size + extra}"
                yield f"request{suffix}", f"{self.word} daddr {self.target} {kind} type echo-request {length}"
                yield f"reply{suffix}", f"{self.word} saddr {self.target} {kind} type echo-reply {length}"


class Sight(NamedTuple):
    """A packet on a card, with its addresses there."""

    card: str
    source: str
    destination: str


@value
class Seen:
    """What one host saw. `by`: the tool that saw it, empty where there is none, and then nothing was observed.

    `sights`: by kind and direction, as ``request in``; `outer`: WireGuard's own UDP, ``in`` and ``out``.
    `verdicts`: rules and policies that dropped the probe, in nft's words; `counted`: those of iptables whose counters
    went up by as much meanwhile, which is weaker.
    """

    host: str
    by: str
    sights: Mapping[str, tuple[Sight, ...]]
    outer: Mapping[str, tuple[Sight, ...]]
    verdicts: tuple[str, ...]
    counted: tuple[str, ...]
    route: str
    neighbour: str
    handshakes: Mapping[str, int]
    endpoints: Mapping[str, str]
    clock: int
    answered: bool | None = None
    full_answered: bool | None = None
    said: str = ""
    packets: bytes = field(default=b"", repr=False)

    def problem(self, kind: str, direction: str, card: str | None = None) -> tuple[Sight, ...]:
        """The sights of a kind (request, reply, request-full …) coming in or going out, of one card or of any."""
        return tuple(s for s in self.sights.get(f"{kind} {direction}", ()) if card is None or s.card == card)


def program(
    probe: Probe,
    run: str,
    interface: str,
    listen_port: int,
    arrives_by: str,
    *,
    window_s: int = WINDOW_S,
    pcap: bool = False,
) -> str:
    """What a host runs for so many seconds; the source (`arrives_by` empty) also sends the probe."""
    words = {
        "id": run,
        "seconds": str(window_s),
        "interface": interface,
        "target": str(probe.target),
        "origin": str(probe.source),
        "arrives_by": arrives_by,
        "rules": _rules(probe, f"wgorch-trace-{run}", listen_port),
        "filter": _filter(probe),
        "pcap": "yes" if pcap else "no",
        "protocol": probe.protocol,
        "port": str(probe.port),
        "size": str(probe.size),
        "full_size": str(probe.full_size),
        "sender": _SENDER,
        "nonce": NONCE,
    }
    return "\n".join([ENVIRONMENT, parameters(words), uploaded("lib/ping.sh"), uploaded("observe.sh")])


_SENDER = """\
import socket, sys
host, port, kind = sys.argv[1:]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(3)
s.connect((host, int(port)))
kind == "tcp" or (s.send(b"wgorch"), s.recv(1))
print("1 received")
"""
"""Python that connects to a port, or sends a datagram and waits for an answer."""


def _rules(probe: Probe, table: str, listen_port: int) -> str:
    address = "ipv4_addr" if probe.target.version == 4 else "ipv6_addr"
    lines = [f"table inet {table} {{"]
    for kind, _ in probe.matches():
        for direction in ("in", "out"):
            lines.append(f"set {kind}-{direction} {{ type ifname . {address} . {address}; flags dynamic; size 256; }}")
    for version in (4, 6):
        for direction in ("in", "out"):
            kind = f"ipv{version}_addr . ipv{version}_addr"
            lines.append(f"set outer{version}-{direction} {{ type ifname . {kind}; flags dynamic; size 256; }}")
    for hook, direction, card, priority in (
        ("prerouting", "in", "iifname", -450),
        ("output", "", "", -450),
        ("postrouting", "out", "oifname", 300),
    ):
        lines.append(f"chain {hook} {{ type filter hook {hook} priority {priority};")
        for kind, match in probe.matches():
            sight = f"update @{kind}-{direction} {{ {card} . {probe.word} saddr . {probe.word} daddr }}" if card else ""
            trace = " meta nftrace set 1" if hook != "postrouting" and not kind.endswith("-full") else ""
            lines.append(f"{match} {sight}{trace}")
        if card:
            port = "dport" if direction == "in" else "sport"
            lines += [
                f"udp {port} {listen_port} update @outer{v}-{direction} {{ {card} . {word} saddr . {word} daddr }}"
                for v, word in ((4, "ip"), (6, "ip6"))
            ]
        lines.append("}")
    return "\n".join([*lines, "}"])


def _filter(probe: Probe) -> str:
    """The same for tcpdump, which tells sizes itself."""
    if probe.protocol == "icmp":
        return f"{'icmp' if probe.target.version == 4 else 'icmp6'} and host {probe.target}"
    return f"{probe.protocol} and host {probe.target} and port {probe.port}"


def parse(host: str, text: str, probe: Probe) -> Seen:
    """What a host saw, read strictly. Raises Garbled."""
    body, _, rest = text.partition(f"\n{NONCE} ")
    answers = sections(f"{NONCE} {rest}", NONCE)
    try:
        if "end" not in answers:
            raise NotAnAnswer("it ends too early")
        by = "".join(answers["by"])
        # What runs in the background prints when it likes: its lines are known by their first word.
        everything = text.split("\n")
        sights = dict(_sets(answers["sets"])) if by == "nft" else _dumped(everything, probe) if by else {}
        return Seen(
            host=host,
            by=by if by in ("nft", "tcpdump") else "",
            sights={k: v for k, v in sights.items() if not k.startswith("outer")},
            outer={d: (*sights.get(f"outer4 {d}", ()), *sights.get(f"outer6 {d}", ())) for d in ("in", "out")},
            verdicts=tuple(dict.fromkeys(_verdicts(everything))),
            counted=tuple(_counted(answers.get("counted-before", []), answers.get("counted-after", []), probe)),
            route=one_line("".join(answers["route"][:1]), 200),
            neighbour=one_line("".join(answers["neighbour"][:1]), 200),
            handshakes={public_key(k): int(v) for k, _, v in _pairs(answers["latest-handshakes"])},
            endpoints={k: v for k, _, v in _pairs(answers["endpoints"])},
            clock=int(answers["clock"][0]),
            answered=_answered("small", body),
            full_answered=_answered("full", body),
            said=one_line(" ".join(line[6:] for line in body.split("\n") if line.startswith("small "))[-200:], 200),
            packets=_packets(everything),
        )
    except (NotAnAnswer, ValueError, KeyError, IndexError) as error:
        raise Garbled(host, "parse its capture", str(error), "see -vv for what it said") from None


def _pairs(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    return (line.partition("\t") for line in lines)


def _sets(lines: list[str]) -> Iterator[tuple[str, tuple[Sight, ...]]]:
    _, *parts_of = re.split(r"\bset ([a-z0-9-]+) \{", " ".join(lines))
    for name, body in zip(parts_of[::2], parts_of[1::2], strict=True):
        hit = re.search(r"elements = \{([^}]*)\}", body)
        found = []
        for element in hit[1].split(",") if hit else ():
            parts = re.fullmatch(r'\s*"([^"\s]{1,15})" \. ([0-9a-fA-F:.]{2,45}) \. ([0-9a-fA-F:.]{2,45})\s*', element)
            if parts:
                found.append(Sight(parts[1], parts[2], parts[3]))
        kind, _, direction = name.rpartition("-")
        yield f"{kind} {direction}", tuple(found)


_DUMPED = re.compile(
    r"sight \S+ (\S{1,15}) +(In|Out) +IP6? ([0-9a-fA-F:.]+?)(?:\.\d+)? > ([0-9a-fA-F:.]+?)(?:\.\d+)?: (.*)"
)


def _dumped(lines: list[str], probe: Probe) -> dict[str, tuple[Sight, ...]]:
    found: dict[str, dict[Sight, None]] = {}
    for line in lines:
        hit = _DUMPED.match(line)
        if not hit:
            continue
        back = "echo reply" in hit[5] if probe.protocol == "icmp" else hit[3] == str(probe.target)
        size = re.search(r"length (\d+)", hit[5])
        full = probe.protocol == "icmp" and bool(probe.full_size) and size is not None
        full = full and size is not None and int(size[1]) == probe.full_size + 8
        kind = f"{'reply' if back else 'request'}{'-full' if full else ''} {hit[2].lower()}"
        found.setdefault(kind, {})[Sight(hit[1], hit[3], hit[4])] = None
    return {kind: tuple(sights) for kind, sights in found.items()}


def _verdicts(lines: list[str]) -> Iterator[str]:
    """The places where nft says that the probe was dropped or rejected."""
    for line in lines:
        hit = re.match(
            r"trace id \w+ (\w+) (\S+) (\S+) (rule .*\(verdict drop\)|policy drop|rule .*\breject\b.*)", line
        )
        if hit:
            words = re.sub(r" *\(verdict \w+\)", "", hit[4]).removeprefix("rule ")
            words = re.sub(r" *counter packets \d+ bytes \d+", "", words)
            yield one_line(f"{hit[1]} {hit[2]} {hit[3]}: {words.strip()}", 200)


def _counted(before: list[str], after: list[str], probe: Probe) -> Iterator[str]:
    """Dropping rules and policies whose counter went up by the packets of the probe."""
    sent = 3 if probe.protocol == "icmp" else 1
    then = dict(_counts(before))
    for place, count in _counts(after):
        if count - then.get(place, 0) >= sent:
            yield one_line(place, 200)


def _counts(lines: list[str]) -> Iterator[tuple[str, int]]:
    """Each place (table, chain, rule) with its packets; the same rule twice in a chain is counted together."""
    found: dict[str, int] = {}
    table = ""
    for line in lines:
        if line.startswith("*"):
            table = line[1:]
        elif hit := re.fullmatch(r":(\S+) DROP \[(\d+):\d+\]", line):
            found[f"{table} {hit[1]}: policy drop"] = int(hit[2])
        elif hit := re.fullmatch(r"\[(\d+):\d+\] -A (\S+) (.*)", line):
            place = f"{table} {hit[2]}: {hit[3]}"
            found[place] = found.get(place, 0) + int(hit[1])
    yield from found.items()


def _answered(word: str, body: str) -> bool | None:
    lines = [line for line in body.split("\n") if line.startswith(f"{word} ")]
    if not lines:
        return None
    return any(re.search(r"\b[1-9]\d* (packets )?received", line) for line in lines)


def _packets(lines: list[str]) -> bytes:
    import base64
    import binascii

    try:
        return base64.b64decode("".join(line[5:] for line in lines if line.startswith("pcap ")))
    except binascii.Error:
        return b""
