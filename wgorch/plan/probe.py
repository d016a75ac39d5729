"""Render the probe: a script that prints what of the network runs on a host, before a change and after its rollback."""

from __future__ import annotations

from wgorch.adapters.firewalld import base_name
from wgorch.state.change import quote_words
from wgorch.state.rules import tool
from wgorch.state.state import ROUTE_PROTO, State


def probe_script(want: State, have: State, interface: str) -> str:
    """A program that prints what of the network runs on the host, without anything that moves by itself."""
    network = want.network
    paths = sorted({p for p in (*want.sysctls, *have.sysctls) if f"/conf/{interface}/" not in p})
    name = quote_words([interface])
    lines = [
        "#!/bin/sh",
        f"# {want.mark}: what of the network runs here; compared before a change and after it was taken back",
        f"ours() {{ # RULES: of all rules the tables' names, and what names a chain of ours\n{_OURS.format(network=network)}}}",
        f"if [ -d /sys/class/net/{name} ]; then",
        f"    for part in ifalias mtu; do cat /sys/class/net/{name}/$part; done",
        f"    ip -o address show dev {name} | sed 's/^[0-9]*: //'",
        f"    for part in public-key listen-port fwmark; do wg show {name} $part; done",
        f"    wg show {name} allowed-ips | while read -r key nets; do for net in $nets; do echo $key $net; done; done | sort",
        f"    wg show {name} persistent-keepalive | sort",
        f"    wg show {name} preshared-keys | sort | sha256sum",
        f"    ip route show dev {name}; ip -6 route show dev {name} | grep -v 'proto kernel'",
        "fi 2>/dev/null",
    ]
    exits = {way.rpartition(" table ")[2] for state in (want, have) for way in state.ways}
    if exits or want.policy or have.policy:
        lines.append(f"for f in -4 -6; do ip $f rule show | grep 'proto {ROUTE_PROTO}'; done")
        lines += [f"for f in -4 -6; do ip $f route show table {table}; done 2>/dev/null" for table in sorted(exits)]
    if want.dns or have.dns:
        lines.append("cat /etc/resolv.conf 2>/dev/null")
    if want.nft or have.nft:
        lines.append(f"nft list table inet wgorch-{network} 2>/dev/null")
    if want.firewalld or have.firewalld:
        base = base_name(network)
        asked = "; ".join(f"firewall-cmd --info-policy={base}-{end}" for end in ("in", "out", "udp"))
        lines.append(
            f"{{ firewall-cmd --info-zone={base}; {asked}; }} 2>/dev/null | grep -e rule -e ports: -e interfaces: -e forward:"
        )
    tools = {tool(chain.table) for state in (want, have) for chain in state.chains} | {"iptables"}
    for by in sorted(tools):
        rules = "rules6" if by.startswith("ip6") else "rules4"
        lines += [f'{rules}="$({by}-save 2>/dev/null)\n"', f'ours "${rules}"']
    if paths:
        lines.append(
            f"for path in {' '.join(paths)}; do line=; read -r line </proc/sys/$path; echo $line; done 2>/dev/null"
        )
    return "\n".join([*lines, ":", ""])


_OURS = """\
    set -f
    IFS='
'
    for line in $1; do case $line in '*'* | *wgorch-{network}-*) printf '%s\\n' "$line" ;; esac; done
    unset IFS
    set +f
"""
