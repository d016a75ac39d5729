"""The script that captures a probe on one host, and sends it at its source."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.base.assets import asset
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.state.change import quote_words
from wgorch.trace.probe import Probe

WINDOW_S = 5
"""Seconds that every host captures; the source sends after one second, and needs at most four."""


def script(
    probe: Probe,
    trace_id: str,
    interface: str,
    listen_port: int,
    arrives_by: str,
    *,
    window_s: int = WINDOW_S,
    pcap: bool = False,
) -> str:
    """The script of one host, which runs for `window_s` seconds; at the source (`arrives_by` empty) it sends the probe."""
    words = {
        "id": trace_id,
        "seconds": str(window_s),
        "interface": interface,
        "target": str(probe.target),
        "origin": str(probe.source),
        "arrives_by": arrives_by,
        "rules": _rules(probe, f"wgorch-trace-{trace_id}", listen_port),
        "filter": _filter(probe),
        "nonce": NONCE,
    }
    given = "\n".join(f"{name}={quote_words([value])}" for name, value in words.items())
    # Printed after the capture has ended: two writers at once tear each other's lines.
    packets = '$(timeout $((seconds + 1)) tcpdump -i any -n -U -w - -c 400 "$filter" 2>/dev/null | base64)'
    capture = f"{{ {{ kept={packets}; printf '\\n%s\\n' \"$kept\" | sed 's/^/pcap /'; }} & capturing=$!; }}"
    functions = [
        f"capture() {{ {capture if pcap else ':'}; }}",
        "probe() {",
        *(_send(probe) if not arrives_by else [f"    sleep {window_s}"]),
        "}",
    ]
    return "\n".join(
        [ENVIRONMENT, given, asset("host", "lib/ping.sh") + "know_ping", *functions, asset("host", "observe.sh")]
    )


def _send(probe: Probe) -> Iterator[str]:
    target = quote_words([str(probe.target)])
    yield "    sleep 1"
    if probe.protocol == "icmp":
        yield f"    said=$(ping -n -c 3 -i 0.5 -W 2 -s {probe.size} {target} 2>&1); printf '%s\\n' \"$said\" | sed 's/^/small /'"
        if probe.full_size:
            large = f"ping -n -c 2 -i 0.3 -W 1 -M do -s {probe.full_size} {target} 2>&1 | sed 's/^/full /'"
            yield f"    case $said in *' 0 received'* | *' 0 packets received'*) ;; *) {large} ;; esac"
        return
    # The first tool that is there; each gives up after 3 s.
    kind, port = probe.protocol, probe.port
    python = (
        "import socket,sys; s=socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, "
        "socket.SOCK_STREAM if sys.argv[3]=='tcp' else socket.SOCK_DGRAM); s.settimeout(3); "
        "s.connect((sys.argv[1],int(sys.argv[2]))); sys.argv[3]=='tcp' or (s.send(b'wgorch'), s.recv(1)); print('1 received')"
    )
    yield "    if command -v python3 >/dev/null 2>&1; then"
    yield f"        python3 -c {quote_words([python])} {target} {port} {kind} 2>&1 | sed 's/^/small /'"
    yield "    elif command -v bash >/dev/null 2>&1; then"
    yield f"        timeout 3 bash -c 'exec 3<>/dev/{kind}/$0/$1 && echo wgorch >&3 && {{ [ {kind} = tcp ] || read -t 3 -r -N 1 -u 3; }} && echo small 1 received' {target} {port} 2>&1"
    yield "    elif command -v nc >/dev/null 2>&1; then"
    option = "-u" if kind == "udp" else ""
    yield f"        echo wgorch | timeout 3 nc {option} -w 2 {target} {port} >/dev/null 2>&1 && echo 'small 1 received'"
    yield "    else echo 'small nothing here can send it: python3, bash or nc is needed'; fi"


def _rules(probe: Probe, table: str, listen_port: int) -> str:
    """The nft table that collects in sets where the probe came by; it accepts everything."""
    hooks = (("prerouting", "in", -450), ("output", "", -450), ("postrouting", "out", 300))
    lines = [f"table inet {table} {{", *_sets(probe)]
    for hook, direction, priority in hooks:
        lines.append(f"chain {hook} {{ type filter hook {hook} priority {priority};")
        lines += _probe_rules(probe, direction, trace=hook != "postrouting")
        if direction:
            lines += _outer_rules(direction, listen_port)
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


def _outer_rules(direction: str, listen_port: int) -> Iterator[str]:
    """Rules that collect WireGuard's own UDP packets."""
    port = "dport" if direction == "in" else "sport"
    for version, family in ((4, "ip"), (6, "ip6")):
        element = f"{_INTERFACE[direction]} . {family} saddr . {family} daddr"
        yield f"udp {port} {listen_port} update @outer{version}-{direction} {{ {element} }}"


def _filter(probe: Probe) -> str:
    """The same for tcpdump, whose lines state the size."""
    if probe.protocol == "icmp":
        return f"{'icmp' if probe.target.version == 4 else 'icmp6'} and host {probe.target}"
    return f"{probe.protocol} and host {probe.target} and port {probe.port}"
