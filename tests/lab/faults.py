"""Faults that a network can have, one table: how to make each, where it is, and what `wgorch trace` must say.

docs/troubleshooting.md shows the same table (`make docs`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """`make` and `mend` run on `machine`; the finding must name `host` and hold `says`."""

    name: str
    machine: str
    make: str
    mend: str
    host: str
    says: str


BCC = "$(wg show wg0 allowed-ips | grep 192.168.2.0/24 | cut -f1)"
HOME_AT_BCC = "$(wg show wg0 allowed-ips | grep 192.168.2.2/32 | cut -f1)"

FAULTS = (
    Fault(
        "allowed-ips missing at the sender",
        "home",
        f"wg set wg0 peer {BCC} allowed-ips 192.168.2.0/24",
        "",
        "home",
        "peer bcc lacks 10.10.13.0/24 in its allowed-ips",
    ),
    Fault(
        "allowed-ips missing at the receiver",
        "bcc",
        f"wg set wg0 peer {HOME_AT_BCC} allowed-ips 192.168.2.77/32",
        "",
        "bcc",
        "peer home lacks 192.168.2.2/32 in its allowed-ips",
    ),
    Fault("no route", "home", "ip route delete 10.10.13.0/24", "", "home", "no route to 10.10.13.0/24 into the tunnel"),
    Fault(
        "forwarding off",
        "bcc",
        "echo 0 >/proc/sys/net/ipv4/conf/wg0/forwarding",
        "",
        "bcc",
        "forwarding is off on wg0",
    ),
    Fault(
        "FORWARD policy DROP, and our jump gone",
        "company",
        "iptables -P FORWARD DROP; iptables -D FORWARD 1",
        "iptables -P FORWARD ACCEPT",
        "company",
        "FORWARD by its policy, and the jump to wgorch-office-fwd is gone",
    ),
    Fault(
        "a reject in a foreign nft chain",
        "company",
        "nft 'table inet foreign { chain guard { type filter hook forward priority -10; ip daddr 10.10.13.61 reject; }; }'",
        "nft delete table inet foreign",
        "company",
        "the firewall stops it: inet foreign guard",
    ),
    Fault(
        "strict reverse-path filter",
        "bcc",
        "echo 1 >/proc/sys/net/ipv4/conf/wg0/rp_filter; ip route add 192.168.2.2/32 via 203.0.113.1",
        "echo 0 >/proc/sys/net/ipv4/conf/wg0/rp_filter; ip route delete 192.168.2.2/32",
        "bcc",
        "strict reverse-path filter on wg0",
    ),
    Fault(
        "no masquerade",
        "company",
        "iptables -t nat -F wgorch-office-nat; conntrack -F",
        "conntrack -F",
        "company",
        "no masquerade: it enters the LAN as 192.168.2.2",
    ),
    Fault(
        "no way back from target",
        "target",
        "ip route add blackhole 10.10.13.62/32",
        "ip route delete blackhole 10.10.13.62/32",
        "company",
        "10.10.13.61 got it (10.10.13.62 > 10.10.13.61 out of ens192) and does not answer",
    ),
    Fault(
        "a wrong public key",
        "home",
        f"wg set wg0 peer {BCC} remove; wg set wg0 peer $(wg genkey | wg pubkey) endpoint 203.0.113.13:38371 "
        "allowed-ips 192.168.2.0/24,10.10.13.0/24 persistent-keepalive 15",
        "",
        "home",
        "its entry for bcc has the key",
    ),
    Fault(
        "a wrong endpoint port",
        "home",
        f"wg set wg0 peer {BCC} endpoint 203.0.113.13:4444",
        "",
        "home",
        "it dials bcc at 203.0.113.13:4444, not at 203.0.113.13:38371",
    ),
    Fault(
        "UDP blocked one way",
        "internet",
        "iptables -A FORWARD -s 203.0.113.13 -d 198.51.100.34 -p udp -j DROP",
        "iptables -D FORWARD -s 203.0.113.13 -d 198.51.100.34 -p udp -j DROP",
        "bcc",
        "WireGuard's UDP from bcc to home is lost on the way",
    ),
    Fault(
        "MTU too large, and ICMP blocked",
        "internet",
        "iptables -t mangle -A FORWARD -o company -p udp -m length --length 1401:65535 -j DROP",
        "iptables -t mangle -F",
        "bcc",
        "is too large: packets of that size are lost between bcc and company",
    ),
    Fault("interface down", "company", "ip link set wg0 down", "", "company", "wg0 is down"),
)

BCC_6 = "$(wg show wg0 allowed-ips | grep fd00:2::/64 | cut -f1)"
HOME_AT_BCC_6 = "$(wg show wg0 allowed-ips | grep fd00:2::2/128 | cut -f1)"
TARGET_6 = "machine-fd10-13--61"

FAULTS_6 = (
    Fault(
        "allowed-ips missing at the sender",
        "home",
        f"wg set wg0 peer {BCC_6} allowed-ips 192.168.2.0/24,10.10.13.0/24,fd00:2::/64",
        "",
        "home",
        "peer bcc lacks fd10:13::/64 in its allowed-ips",
    ),
    Fault(
        "allowed-ips missing at the receiver",
        "bcc",
        f"wg set wg0 peer {HOME_AT_BCC_6} allowed-ips 192.168.2.2/32",
        "",
        "bcc",
        "peer home lacks fd00:2::2/128 in its allowed-ips",
    ),
    Fault(
        "no route", "home", "ip -6 route delete fd10:13::/64", "", "home", "no route to fd10:13::/64 into the tunnel"
    ),
    Fault(
        "forwarding off",
        "bcc",
        "echo 0 >/proc/sys/net/ipv6/conf/wg0/force_forwarding",
        "",
        "bcc",
        "forwarding is off on wg0",
    ),
    Fault(
        "FORWARD policy DROP, and our jump gone",
        "company",
        "ip6tables -P FORWARD DROP; ip6tables -D FORWARD 1",
        "ip6tables -P FORWARD ACCEPT",
        "company",
        "FORWARD by its policy, and the jump to wgorch-dual-fwd is gone",
    ),
    Fault(
        "a reject in a foreign nft chain",
        "company",
        "nft 'table inet foreign { chain guard { type filter hook forward priority -10; ip6 daddr fd10:13::61 reject; }; }'",
        "nft delete table inet foreign",
        "company",
        "the firewall stops it: inet foreign guard",
    ),
    Fault(
        "no answer from target",
        TARGET_6,
        "ip6tables -A OUTPUT -p ipv6-icmp --icmpv6-type echo-reply -j DROP",
        "ip6tables -D OUTPUT -p ipv6-icmp --icmpv6-type echo-reply -j DROP",
        "company",
        "> fd10:13::61 out of ens192) and does not answer",
    ),
    Fault(
        "a wrong public key",
        "home",
        f"wg set wg0 peer {BCC_6} remove; wg set wg0 peer $(wg genkey | wg pubkey) endpoint '[2001:db8:13::13]:38371' "
        "allowed-ips 192.168.2.0/24,10.10.13.0/24,fd00:2::/64,fd10:13::/64 persistent-keepalive 25",
        "",
        "home",
        "its entry for bcc has the key",
    ),
    Fault(
        "a wrong endpoint port",
        "home",
        f"wg set wg0 peer {BCC_6} endpoint '[2001:db8:13::13]:4444'",
        "",
        "home",
        "it dials bcc at [2001:db8:13::13]:4444, not at [2001:db8:13::13]:38371",
    ),
    Fault(
        "UDP blocked one way",
        "internet",
        "ip6tables -A FORWARD -s 2001:db8:13::13 -d 2001:db8:1::/64 -p udp -j DROP",
        "ip6tables -D FORWARD -s 2001:db8:13::13 -d 2001:db8:1::/64 -p udp -j DROP",
        "bcc",
        "WireGuard's UDP from bcc to home is lost on the way",
    ),
    Fault(
        "MTU too large, and ICMP blocked",
        "internet",
        "ip6tables -t mangle -A FORWARD -d 2001:db8:2::/64 -p udp -m length --length 1401:65535 -j DROP",
        "ip6tables -t mangle -F",
        "bcc",
        "is too large: packets of that size are lost between bcc and company",
    ),
    Fault("interface down", "company", "ip link set wg0 down", "", "company", "wg0 is down"),
)
"""The same by IPv6, in the world of inventory/dual-stack.yaml. A reverse-path filter is
IPv4's alone, and company is that LAN's only router, so that nobody there needs masquerade."""

PAIRS = (
    ("forwarding off", "no masquerade"),
    ("no route", "FORWARD policy DROP, and our jump gone"),
    ("allowed-ips missing at the receiver", "interface down"),
    ("a reject in a foreign nft chain", "UDP blocked one way"),
)
"""Two faults at once: the first on the packet's way, which must be named, and one behind it."""


def table() -> str:
    """The table for docs/troubleshooting.md."""
    rows = ["| fault | on | `wgorch trace home 10.10.13.61` says |", "| --- | --- | --- |"]
    rows += [f"| {fault.name} | {fault.machine} | `{fault.host}: … {fault.says} …` |" for fault in FAULTS]
    return "\n".join(rows) + "\n"


PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


def page() -> str:
    """docs/troubleshooting.md with a fresh table."""
    fresh = f"<!-- faults -->\n{table()}<!-- /faults -->"
    return re.sub(r"<!-- faults -->.*<!-- /faults -->", lambda _: fresh, PAGE.read_text(), flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page())
