"""Faults of a network: how to make each, the host at fault, and what `wgorch trace` must print.

docs/troubleshooting.md has the same table (`make docs`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """`make` and `mend` run on `machine`; the finding must name `host` and contain `says`."""

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
        "peer bcc lacks allowed-ips 10.10.13.0/24",
    ),
    Fault(
        "allowed-ips missing at the receiver",
        "bcc",
        f"wg set wg0 peer {HOME_AT_BCC} allowed-ips 192.168.2.77/32",
        "",
        "bcc",
        "peer home lacks allowed-ips 192.168.2.2/32",
    ),
    Fault(
        "the connected route deleted",
        "bcc",
        "ip route delete 192.168.2.0/24 dev wg0",
        "",
        "bcc",
        "no route to 192.168.2.2 via wg0",
    ),
    Fault(
        "the host's own address deleted from table local",
        "home",
        "ip route delete local 192.168.2.2 dev wg0 table local",
        "",
        "home",
        "routing table local lacks 192.168.2.2, although wg0 has it",
    ),
    Fault(
        "a rule in the sender's INPUT chain drops the reply",
        "home",
        "iptables -I INPUT -s 10.10.13.61 -j DROP",
        "iptables -D INPUT -s 10.10.13.61 -j DROP",
        "home",
        "blocked by firewall: ip filter INPUT, rule",
    ),
    Fault("no route", "home", "ip route delete 10.10.13.0/24", "", "home", "no route to 10.10.13.0/24 via wg0"),
    Fault(
        "forwarding off",
        "bcc",
        "echo 0 >/proc/sys/net/ipv4/conf/wg0/forwarding",
        "",
        "bcc",
        "forwarding is off on wg0",
    ),
    Fault(
        "FORWARD policy DROP, and the jump missing",
        "company",
        "iptables -P FORWARD DROP; iptables -D FORWARD 1",
        "iptables -P FORWARD ACCEPT",
        "company",
        "FORWARD policy drop; jump to wgorch-office-fwd is missing",
    ),
    Fault(
        "a reject in a foreign nft chain",
        "company",
        "nft 'table inet foreign { chain guard { type filter hook forward priority -10; ip daddr 10.10.13.61 reject; }; }'",
        "nft delete table inet foreign",
        "company",
        "blocked by firewall: inet foreign guard, rule",
    ),
    Fault(
        "strict rp_filter",
        "bcc",
        "echo 1 >/proc/sys/net/ipv4/conf/wg0/rp_filter; ip route add 192.168.2.2/32 via 203.0.113.1",
        "echo 0 >/proc/sys/net/ipv4/conf/wg0/rp_filter; ip route delete 192.168.2.2/32",
        "bcc",
        "strict rp_filter on wg0 drops 192.168.2.2 (route back is via eth0)",
    ),
    Fault(
        "no masquerade",
        "company",
        "iptables -t nat -F wgorch-office-nat; conntrack -F",
        "conntrack -F",
        "company",
        "not masqueraded: enters the LAN as 192.168.2.2, and 10.10.13.61 has no return route",
    ),
    Fault(
        "no return route from target",
        "target",
        "ip route add blackhole 10.10.13.62/32",
        "ip route delete blackhole 10.10.13.62/32",
        "company",
        "no reply from 10.10.13.61 (10.10.13.62 > 10.10.13.61 was sent out of ens192)",
    ),
    Fault(
        "a wrong public key",
        "home",
        f"wg set wg0 peer {BCC} remove; wg set wg0 peer $(wg genkey | wg pubkey) endpoint 203.0.113.13:38371 "
        "allowed-ips 192.168.2.0/24,10.10.13.0/24 persistent-keepalive 15",
        "",
        "home",
        "wrong public key for peer bcc",
    ),
    Fault(
        "a wrong endpoint port",
        "home",
        f"wg set wg0 peer {BCC} endpoint 203.0.113.13:4444",
        "",
        "home",
        "wrong endpoint for peer bcc: 203.0.113.13:4444, expected 203.0.113.13:38371",
    ),
    Fault(
        "UDP blocked one way",
        "internet",
        "iptables -A FORWARD -s 203.0.113.13 -d 198.51.100.34 -p udp -j DROP",
        "iptables -D FORWARD -s 203.0.113.13 -d 198.51.100.34 -p udp -j DROP",
        "bcc",
        "WireGuard UDP from bcc to home is lost",
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
        "peer bcc lacks allowed-ips fd10:13::/64",
    ),
    Fault(
        "allowed-ips missing at the receiver",
        "bcc",
        f"wg set wg0 peer {HOME_AT_BCC_6} allowed-ips 192.168.2.2/32",
        "",
        "bcc",
        "peer home lacks allowed-ips fd00:2::2/128",
    ),
    Fault("no route", "home", "ip -6 route delete fd10:13::/64", "", "home", "no route to fd10:13::/64 via wg0"),
    Fault(
        "forwarding off",
        "bcc",
        "echo 0 >/proc/sys/net/ipv6/conf/wg0/force_forwarding",
        "",
        "bcc",
        "forwarding is off on wg0",
    ),
    Fault(
        "FORWARD policy DROP, and the jump missing",
        "company",
        "ip6tables -P FORWARD DROP; ip6tables -D FORWARD 1",
        "ip6tables -P FORWARD ACCEPT",
        "company",
        "FORWARD policy drop; jump to wgorch-dual-fwd is missing",
    ),
    Fault(
        "a reject in a foreign nft chain",
        "company",
        "nft 'table inet foreign { chain guard { type filter hook forward priority -10; ip6 daddr fd10:13::61 reject; }; }'",
        "nft delete table inet foreign",
        "company",
        "blocked by firewall: inet foreign guard, rule",
    ),
    Fault(
        "no answer from target",
        TARGET_6,
        "ip6tables -A OUTPUT -p ipv6-icmp --icmpv6-type echo-reply -j DROP",
        "ip6tables -D OUTPUT -p ipv6-icmp --icmpv6-type echo-reply -j DROP",
        "company",
        "> fd10:13::61 was sent out of ens192)",
    ),
    Fault(
        "a wrong public key",
        "home",
        f"wg set wg0 peer {BCC_6} remove; wg set wg0 peer $(wg genkey | wg pubkey) endpoint '[2001:db8:13::13]:38371' "
        "allowed-ips 192.168.2.0/24,10.10.13.0/24,fd00:2::/64,fd10:13::/64 persistent-keepalive 25",
        "",
        "home",
        "wrong public key for peer bcc",
    ),
    Fault(
        "a wrong endpoint port",
        "home",
        f"wg set wg0 peer {BCC_6} endpoint '[2001:db8:13::13]:4444'",
        "",
        "home",
        "wrong endpoint for peer bcc: [2001:db8:13::13]:4444, expected [2001:db8:13::13]:38371",
    ),
    Fault(
        "UDP blocked one way",
        "internet",
        "ip6tables -A FORWARD -s 2001:db8:13::13 -d 2001:db8:1::/64 -p udp -j DROP",
        "ip6tables -D FORWARD -s 2001:db8:13::13 -d 2001:db8:1::/64 -p udp -j DROP",
        "bcc",
        "WireGuard UDP from bcc to home is lost",
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
"""The same by IPv6, in the world of inventory/dual-stack.yaml. IPv6 has no rp_filter, and company is the only router of
that LAN, so that no machine there needs masquerade."""

PAIRS = (
    ("forwarding off", "no masquerade"),
    ("no route", "FORWARD policy DROP, and the jump missing"),
    ("allowed-ips missing at the receiver", "interface down"),
    ("a reject in a foreign nft chain", "UDP blocked one way"),
)
"""Two faults at once: the first on the path, which must be named, and one behind it."""


def table() -> str:
    """The table for docs/troubleshooting.md."""
    rows = ["| fault | on | `wgorch trace home 10.10.13.61` prints |", "| --- | --- | --- |"]
    rows += [f"| {fault.name} | {fault.machine} | `{fault.host}: … {fault.says} …` |" for fault in FAULTS]
    return "\n".join(rows) + "\n"


PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


def page() -> str:
    """docs/troubleshooting.md with a fresh table."""
    fresh = f"<!-- faults -->\n{table()}<!-- /faults -->"
    return re.sub(r"<!-- faults -->.*<!-- /faults -->", lambda _: fresh, PAGE.read_text(), flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page())
