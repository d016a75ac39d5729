"""What firewalld must be told where it owns the firewall: a zone of our own with the tunnel in it, and policies; pure.

An accept in iptables or in a table of ours would not keep firewalld's own table from rejecting. New zones and policies
exist only after a reload, so they are first made without any effect, and get it by what can be set while it runs:

    BASE        the zone; treats the host's own ports as the default zone does, in which the tunnel was before
    BASE-in     policy from the tunnel to anywhere: the LANs that this host is the gateway of
    BASE-out    policy from anywhere into the tunnel: the same LANs
    BASE-udp    policy from anywhere to this host: WireGuard's port

A setting is "OBJECT KIND VALUE", as `firewall-cmd --info-…` tells it. Proven on firewalld 1.3.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from wgorch.state.rules import Chain, Rule

PLACE = "/etc/firewalld"


_HEAD = '<?xml version="1.0" encoding="utf-8"?>'


_ENDS = {"in": ("{base}", "ANY"), "out": ("ANY", "{base}"), "udp": ("ANY", "HOST")}


def base_name(network: str) -> str:
    """The zone's name: at most 17 characters, and 4 less with a policy's ending."""
    name = f"wgo-{network}"
    return name if len(name) <= 13 else f"wgo-{hashlib.sha256(network.encode()).hexdigest()[:8]}"


def objects(base: str) -> dict[str, str]:
    """The zone and the policies, and the files that keep them."""
    return {base: f"{PLACE}/zones/{base}.xml"} | {
        f"{base}-{end}": f"{PLACE}/policies/{base}-{end}.xml" for end in _ENDS
    }


def settings(base: str, tunnel: str, chains: Mapping[Chain, tuple[Rule, ...]]) -> frozenset[str]:
    """What our filter rules for iptables come to in firewalld's words; nothing where there are none."""
    found = set(_settings(base, tunnel, chains))
    return frozenset(found | {f"{base} interface {tunnel}"} if found else ())


def _settings(base: str, tunnel: str, chains: Mapping[Chain, tuple[Rule, ...]]) -> Iterator[str]:
    for chain, rules in chains.items():
        family = "ipv6" if chain.table.endswith("6") else "ipv4"
        for rule in rules if chain.table.removesuffix("6") == "filter" else ():
            of = dict(zip(rule.words, rule.words[1:], strict=False))
            if chain.parent == "INPUT":
                yield f"{base}-udp port {of['--dport']}/udp"
            elif of.get("-i") == of.get("-o") == tunnel:
                yield f"{base} forward yes"
            elif of.get("-i") == tunnel:
                end = "destination" if "-d" in of else "source"
                net = of["-d"] if "-d" in of else of["-s"]
                yield f'{base}-in rule rule family="{family}" {end} address="{net}" accept'
            elif "--ctstate" not in of:  # answers pass firewalld anyway
                yield f'{base}-out rule rule family="{family}" source address="{of["-s"]}" accept'


def files(base: str, mark: str, chosen: frozenset[str], default_zone: str) -> dict[str, str]:
    """The files, by object. With nothing `chosen` what is in them has no effect."""
    mine = [setting.split(" ", 2) for setting in sorted(chosen)]
    target = re.search(r'<zone[^>]*\btarget="([A-Z%]+)"', default_zone)
    zone = [f"<zone{f' target={_quoted(target[1])}' if target else ''}>", f"  <short>{_escaped(mark)}</short>"]
    zone += [
        f"  <interface name={_quoted(value)}/>" for name, kind, value in mine if (name, kind) == (base, "interface")
    ]
    # What stands in a rule is limited by it, and may be a refusal.
    plain = re.sub(r"<!--.*?-->|<rule\b.*?</rule>", "", default_zone, flags=re.S)
    zone += [f"  {line}" for line in _KEPT.findall(plain)]
    zone += ["  <forward/>"] if [base, "forward", "yes"] in mine else []
    made = {base: "\n".join([_HEAD, *zone, "</zone>"])}
    for end, (ingress, egress) in _ENDS.items():
        name = f"{base}-{end}"
        lines = ['<policy target="CONTINUE">', f"  <short>{_escaped(mark)}</short>"]
        for _, kind, value in (m for m in mine if m[0] == name):
            if kind == "port":
                port, _, protocol = value.partition("/")
                lines.append(f'  <port port="{port}" protocol="{protocol}"/>')
            else:
                lines += _rule_xml(value)
        lines.append(f'  <ingress-zone name="{ingress.format(base=base)}"/>')
        lines.append(f'  <egress-zone name="{egress.format(base=base)}"/>')
        made[name] = "\n".join([_HEAD, *lines, "</policy>"])
    return made


_KEPT = re.compile(r"<(?:service|port|protocol|source-port|icmp-block|icmp-block-inversion)\b[^<>]*/>")
"""What a zone lets in to the host itself, one element each."""


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    # Imported here: it brings two thousand names of characters along, and few hosts have a firewalld.
    from html import escape

    return escape(text)


def _rule_xml(text: str) -> list[str]:
    hit = re.fullmatch(r'rule family="(\w+)" (\w+) address="([0-9a-f.:/]+)" accept', text)
    assert hit, text
    return [f'  <rule family="{hit[1]}">', f'    <{hit[2]} address="{hit[3]}"/>', "    <accept/>", "  </rule>"]


def shown_settings(base: str, lines: list[str]) -> frozenset[str]:
    """Settings of the managed objects in the output of ``firewall-cmd --info-zone`` and ``--list-all-policies``."""
    found: set[str] = set()
    name = ""
    ours = objects(base)
    for line in lines:
        if not line[:1].isspace():
            name = line.split()[0] if line.split() else ""
            continue
        text = line.strip()
        if name not in ours:
            continue
        kind, _, value = text.partition(": ")
        if text.startswith("rule "):
            found.add(f"{name} rule {text}")
        elif kind == "interfaces":
            found |= {f"{name} interface {card}" for card in value.split()}
        elif kind == "ports" and name != base:
            found |= {f"{name} port {port}" for port in value.split()}
        elif kind == "forward" and name == base and value == "yes":
            found.add(f"{name} forward yes")
    return frozenset(found)
