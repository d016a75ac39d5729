"""Measurements of one host: pings, a full-size packet, and handshakes; the script and the parser of its output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from wgorch.base.assets import asset
from wgorch.base.value import value
from wgorch.facts.grammar import integer, pairs, public_key, read_answers
from wgorch.facts.part import Answers
from wgorch.facts.path_mtu import PING_HEADERS
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.inventory.model import IPAddress
from wgorch.state.change import quote_words

PATIENCE_S = 20
"""Seconds that a first reply may take: WireGuard repeats a lost handshake after 5 s, and drops a dead session after 15."""


_MEASURE = """\
attempt() { # NUMBER ADDRESS [SIZE]: three pings; with a size those that fill the tunnel, which prove small ones too
    # All three at once: a ping that waits a few milliseconds between two burns them. Where many do so, a relay loses some:
    # then they are not waited for long.
    said=$(ping -n -c 3 -l 3 -W 0.4 ${3:+-M do -s "$3"} "$2" 2>&1)
    case $said in
    *' 3 received'* | *' 3 packets received'*)
        told
        printf 'ping %s %s\\n' "$1" "$said"
        [ -z "${3-}" ] || printf 'full %s %s\\n' "$1" "$said"
        return
        ;;
    esac
    know_ping
    read -r began _ </proc/uptime; began=${began%%.*}
    until ping -n -c 1 -W 1 "$2" >/dev/null 2>&1; do
        read -r now _ </proc/uptime; now=${now%%.*}
        [ $((now - began)) -lt "$patience" ] || break
    done
    three "$2"
    printf 'ping %s %s\\n' "$1" "$said"
    [ -z "${3-}" ] || full "$1" "$2" "$3"
}
three() { # ADDRESS OPTION...: what three pings say at their end; those at once, and where not all of them came, slow ones:
    # ping waits for the last one hardly longer than between two, and busybox's may know no such interval
    address=$1
    shift
    for every in '-l 3' '-i 0.2' '-i 1'; do
        # shellcheck disable=SC2086
        said=$(ping -n -c 3 $every -W 1 "$@" "$address" 2>&1)
        case "$every $said" in *' 3 received'* | *' 3 packets received'* | '-i 0.2'*transmitted*) break ;; esac
    done
    told
}
told() { # what was said at the end, in one line
    # shellcheck disable=SC2086
    set -f; set -- ${said##*---}; set +f
    said=$*
}
full() { # NUMBER ADDRESS SIZE: a packet that fills the tunnel, and may not be cut
    three "$2" -M do -s "$3"
    printf 'full %s %s\\n' "$1" "$said"
    case $said in *' 0 received'* | *' 0 packets received'*) ;; *) return ;; esac
    # Then what does fit: twice a step, the second time a fine one.
    low=0 high=$3 step=32
    for step in 32 2; do
        low=$(
            size=$high
            while [ "$size" -gt "$low" ] && [ "$size" -gt 400 ]; do
                size=$((size - step))
                (ping -n -c 1 -W 2 -M do -s "$size" "$2" >/dev/null 2>&1 && printf '%s\\n' "$size") &
            done | {
                while read -r size; do [ "$size" -gt "$low" ] && low=$size; done
                printf '%s\\n' "$low"
            }
        )
        high=$((low + step))
        [ "$low" -gt 0 ] || return
    done
    printf 'fits %s %s\\n' "$1" "$low"
}
"""


@value
class Ping:
    """Result of some pings of one address."""

    sent: int
    received: int
    rtt_ms: float | None = None
    """Of the fastest, as the first may have waited for a handshake; None where no reply came."""

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
    before: str = "",
) -> str:
    """The script of one host, which pings all `addresses` at once; those in `full_size` with packets of the tunnel's MTU, too.

    `before` runs first, in the same round trip.
    """
    lines = [ENVIRONMENT, before, f"patience={patience_s}", asset("host", "lib/ping.sh"), _MEASURE]
    full = set(full_size)
    for i, ip in enumerate(addresses):
        size = [str(mtu - PING_HEADERS[ip.version])] if ip in full else []
        lines.append(f"{quote_words(['attempt', str(i), str(ip), *size])}{'' if i == len(addresses) - 1 else ' &'}")
    lines += ["wait", f"printf '\\n%s latest-handshakes\\n' {NONCE}"]
    lines += [f"wg show {quote_words([interface])} latest-handshakes 2>/dev/null", f"printf '\\n%s end\\n' {NONCE}"]
    return "\n".join(lines)


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
    for number, size in re.findall(r"^fits (\d+) (\d+)$", output, re.M):
        if int(number) < len(addresses):
            yield addresses[int(number)], int(size)


def _pings(word: str, output: str, addresses: list[IPAddress]) -> dict[IPAddress, Ping]:
    found = {}
    for line in output.split("\n"):
        hit = re.fullmatch(rf"{word} (\d+) (.*)", line)
        if not hit or int(hit[1]) >= len(addresses):
            continue
        counts = re.search(r"(\d+) packets transmitted, (\d+) (?:packets )?received", hit[2])
        rtt = re.search(r"= ([\d.]+)/", hit[2])
        sent, received = (int(counts[1]), int(counts[2])) if counts else (0, 0)
        found[addresses[int(hit[1])]] = Ping(sent, received, float(rtt[1]) if rtt and received else None)
    return found
