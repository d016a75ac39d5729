"""firewalld, where it owns the firewall: a zone that holds the tunnel, and policies for what it accepts.

An accept in iptables or in an nft table does not keep firewalld's own table from rejecting. New zones and policies
exist only after a reload; so they are created without effect, and get it from runtime settings:

    BASE        zone; accepts for the host itself what the default zone accepts, which the tunnel was in before
    BASE-in     policy from the tunnel to anywhere: the LANs that this host is the gateway of
    BASE-out    policy from anywhere into the tunnel: the same LANs
    BASE-udp    policy from anywhere to this host: WireGuard's port

A setting is ``OBJECT KIND VALUE``, as `firewall-cmd --info-zone` and `--info-policy` print it. Tested with firewalld 1.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from wgorch.state.rules import Chain, Rule

PLACE = "/etc/firewalld"

_HEAD = '<?xml version="1.0" encoding="utf-8"?>'

_POLICIES = {"in": ("{base}", "ANY"), "out": ("ANY", "{base}"), "udp": ("ANY", "HOST")}
"""Ingress and egress zone of each policy."""

_ACCEPTED = re.compile(r"<(?:service|port|protocol|source-port|icmp-block|icmp-block-inversion)\b[^<>]*/>")
"""Elements of a zone file that say what reaches the host itself."""

Setting = tuple[str, str, str]
"""Object, kind, value."""


def base_name(network: str) -> str:
    """Name of the zone: at most 13 characters, so that the policies' names stay within firewalld's 17."""
    import hashlib

    name = f"wgo-{network}"
    return name if len(name) <= 13 else f"wgo-{hashlib.sha256(network.encode()).hexdigest()[:8]}"


def objects(base: str) -> dict[str, str]:
    """Paths of the zone's and the policies' files, by object."""
    return {base: f"{PLACE}/zones/{base}.xml"} | {
        f"{base}-{end}": f"{PLACE}/policies/{base}-{end}.xml" for end in _POLICIES
    }


def settings(base: str, tunnels: Sequence[str], chains: Mapping[Chain, tuple[Rule, ...]]) -> frozenset[str]:
    """Settings equivalent to iptables filter rules; none where there are no such rules."""
    found = set(_settings(base, tunnels, chains))
    return frozenset(found | {f"{base} interface {tunnel}" for tunnel in tunnels} if found else ())


def _settings(base: str, tunnels: Sequence[str], chains: Mapping[Chain, tuple[Rule, ...]]) -> Iterator[str]:
    for chain, rules in chains.items():
        family = "ipv6" if chain.table.endswith("6") else "ipv4"
        for rule in rules if chain.table.removesuffix("6") == "filter" else ():
            of = dict(zip(rule.words, rule.words[1:], strict=False))
            if chain.parent == "INPUT":
                # What the default zone accepts, the tunnel's accepts: pings, too.
                yield from [f"{base}-udp port {of['--dport']}/udp"] if "--dport" in of else []
            elif of.get("-i") in tunnels and of.get("-o") in tunnels:
                yield f"{base} forward yes"
            elif of.get("-i") in tunnels:
                end = "destination" if "-d" in of else "source"
                net = of["-d"] if "-d" in of else of["-s"]
                yield f'{base}-in rule rule family="{family}" {end} address="{net}" accept'
            elif "--ctstate" not in of:  # firewalld accepts replies by itself
                yield f'{base}-out rule rule family="{family}" source address="{of["-s"]}" accept'


def files(base: str, mark: str, chosen: frozenset[str], default_zone: str) -> dict[str, str]:
    """Texts of the files by object. With no setting `chosen` they have no effect; `default_zone` is that zone's file."""
    parsed = [_parsed(setting) for setting in sorted(chosen)]
    found = {base: _zone(base, mark, parsed, default_zone)}
    for end, zones in _POLICIES.items():
        ingress, egress = (zone.format(base=base) for zone in zones)
        name = f"{base}-{end}"
        found[name] = _policy(mark, [setting for setting in parsed if setting[0] == name], ingress, egress)
    return found


def _parsed(setting: str) -> Setting:
    name, kind, value = setting.split(" ", 2)
    return name, kind, value


def _zone(base: str, mark: str, parsed: Sequence[Setting], default_zone: str) -> str:
    target = re.search(r'<zone[^>]*\btarget="([A-Z%]+)"', default_zone)
    lines = [f"<zone{f' target={_quoted(target[1])}' if target else ''}>", f"  <short>{_escaped(mark)}</short>"]
    lines += [
        f"  <interface name={_quoted(value)}/>" for name, kind, value in parsed if (name, kind) == (base, "interface")
    ]
    # An element inside a rule is limited by the rule, and may be rejected by it.
    plain = re.sub(r"<!--.*?-->|<rule\b.*?</rule>", "", default_zone, flags=re.S)
    lines += [f"  {element}" for element in _ACCEPTED.findall(plain)]
    lines += ["  <forward/>"] if (base, "forward", "yes") in parsed else []
    return "\n".join([_HEAD, *lines, "</zone>"])


def _policy(mark: str, parsed: Sequence[Setting], ingress: str, egress: str) -> str:
    lines = ['<policy target="CONTINUE">', f"  <short>{_escaped(mark)}</short>"]
    for _, kind, value in parsed:
        if kind == "port":
            port, _, protocol = value.partition("/")
            lines.append(f'  <port port="{port}" protocol="{protocol}"/>')
        else:
            lines += _rule_xml(value)
    lines += [f'  <ingress-zone name="{ingress}"/>', f'  <egress-zone name="{egress}"/>']
    return "\n".join([_HEAD, *lines, "</policy>"])


def _rule_xml(text: str) -> list[str]:
    hit = re.fullmatch(r'rule family="(\w+)" (\w+) address="([0-9a-f.:/]+)" accept', text)
    assert hit, text
    return [f'  <rule family="{hit[1]}">', f'    <{hit[2]} address="{hit[3]}"/>', "    <accept/>", "  </rule>"]


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    # Imported here: it loads a table of two thousand character names, and few hosts have firewalld.
    from html import escape

    return escape(text)


def shown_settings(base: str, lines: list[str]) -> frozenset[str]:
    """Settings of wgorch's objects in the output of ``firewall-cmd --info-zone`` and ``--list-all-policies``."""
    found: set[str] = set()
    name, managed = "", objects(base)
    for line in lines:
        if not line[:1].isspace():
            name = line.split()[0] if line.split() else ""
            continue
        text = line.strip()
        if name not in managed:
            continue
        kind, _, value = text.partition(": ")
        if text.startswith("rule "):
            found.add(f"{name} rule {text}")
        elif kind == "interfaces":
            found |= {f"{name} interface {interface}" for interface in value.split()}
        elif kind == "ports" and name != base:
            found |= {f"{name} port {port}" for port in value.split()}
        elif kind == "forward" and name == base and value == "yes":
            found.add(f"{name} forward yes")
    return frozenset(found)
