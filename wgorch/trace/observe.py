"""The script that captures a probe on one host, and sends it at its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wgorch.base.sh import Sh, sh_lines
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.host.programs import parameters, uploaded
from wgorch.trace.probe import Probe

WINDOW_S = 5
"""Seconds that every host captures; the source sends after one second, and needs at most four."""


def script(
    probe: Probe,
    trace_id: str,
    interfaces: Sequence[str],
    ports: Sequence[int],
    arrives_by: str,
    *,
    window_s: int = WINDOW_S,
    pcap: bool = False,
) -> Sh:
    """The script of one host, which runs for `window_s` seconds; at the source (`arrives_by` empty) it sends the probe.

    `interfaces` and `ports`: the network's there.
    """
    words = {
        "id": trace_id,
        "seconds": str(window_s),
        "interfaces": " ".join(interfaces),
        "target": str(probe.target),
        "origin": str(probe.source),
        "arrives_by": arrives_by,
        "rules": _rules(probe, f"wgorch-trace-{trace_id}", ports),
        "filter": _filter(probe),
        "pcap": "yes" if pcap else "no",
        "protocol": probe.protocol,
        "port": str(probe.port),
        "size": str(probe.size),
        "full_size": str(probe.full_size),
        "sender": _SENDER,
        "nonce": NONCE,
    }
    return sh_lines([ENVIRONMENT, parameters(words), uploaded("lib/ping.sh"), uploaded("observe.sh")])


_SENDER = """\
import socket, sys
host, port, kind = sys.argv[1:]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(3)
try:
    s.connect((host, int(port)))
    kind == "tcp" or (s.send(b"wgorch"), s.recv(1))
    print("1 received")
except ConnectionRefusedError:
    print("refused")
"""
"""Python that connects to a port, or sends a datagram and waits for a reply."""


def _rules(probe: Probe, table: str, ports: Sequence[int]) -> str:
    """The nft table that collects in sets where the probe came by; it accepts everything."""
    hooks = (("prerouting", "in", -450), ("output", "", -450), ("postrouting", "out", 300))
    lines = [f"table inet {table} {{", *_sets(probe)]
    for hook, direction, priority in hooks:
        lines.append(f"chain {hook} {{ type filter hook {hook} priority {priority};")
        lines += _probe_rules(probe, direction, trace=hook != "postrouting")
        if direction:
            lines += _outer_rules(direction, ports)
        lines.append("}")
    return "\n".join([*lines, "}"])


_INTERFACE = {"in": "iifname", "out": "oifname"}
"""nft's expression for the interface, by direction."""


def _sets(probe: Probe) -> Iterator[str]:
    """Sets of interface, source and destination; their names are read by `sightings.of_nft`."""
    names = [(kind, probe.target.version) for kind, _ in probe.matches()] + [("outer4", 4), ("outer6", 6)]
    for name, version in names:
        address = f"ipv{version}_addr"
        for direction in _INTERFACE:
            yield f"set {name}-{direction} {{ type ifname . {address} . {address}; flags dynamic; size 256; }}"


def _probe_rules(probe: Probe, direction: str, *, trace: bool) -> Iterator[str]:
    """Rules that collect the probe and its reply, and `trace` them through the firewall."""
    for kind, match in probe.matches():
        parts = [match]
        if direction:
            element = f"{_INTERFACE[direction]} . {probe.family} saddr . {probe.family} daddr"
            parts.append(f"update @{kind}-{direction} {{ {element} }}")
        if trace and not kind.is_full:
            parts.append("meta nftrace set 1")
        yield " ".join(parts)


def _outer_rules(direction: str, ports: Sequence[int]) -> Iterator[str]:
    """Rules that collect WireGuard's own UDP packets."""
    port = "dport" if direction == "in" else "sport"
    own = f"{{ {', '.join(map(str, ports))} }}" if len(ports) > 1 else str(ports[0])
    for version, family in ((4, "ip"), (6, "ip6")):
        element = f"{_INTERFACE[direction]} . {family} saddr . {family} daddr"
        yield f"udp {port} {own} update @outer{version}-{direction} {{ {element} }}"


def _filter(probe: Probe) -> str:
    """The same for tcpdump, whose lines state the size."""
    if probe.protocol == "icmp":
        return f"{'icmp' if probe.target.version == 4 else 'icmp6'} and host {probe.target}"
    return f"{probe.protocol} and host {probe.target} and port {probe.port}"
