"""A host's answers to the questions, read strictly; what does not parse is refused, never guessed.

The text may come from a hostile host: every value is matched against a closed grammar and bounded.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from wgorch import curve25519
from wgorch.errors import Garbled
from wgorch.facts.observed import BaseChain, Card, Lock, Observed, Recorded, Route, Traffic
from wgorch.firewalld import base_name, objects, told_settings
from wgorch.prefixes import network, written
from wgorch.state import ROUTE_PROTO, Peer, Rule, Run
from wgorch.unit import digest

MAX_LINES = 200_000


CAP_NET_ADMIN = 12
"""The number of the right to change the network (linux/capability.h)."""


class NotAnAnswer(ValueError):
    """A line that does not fit its grammar."""


def sections(text: str, nonce: str) -> dict[str, list[str]]:
    """The text between the markers, by the marker's name."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.split("\n"):
        if line.startswith(nonce + " "):
            current = found.setdefault(line[len(nonce) + 1 :], [])
        elif line and current is not None:
            current.append(line)
    return found


def observed(host: str, text: str, nonce: str, known: Mapping[str, list[str]] | None = None) -> Observed:
    """All answers of one host; `known`: those of before that still hold. Raises Garbled with the line that does not fit."""
    return _strictly(host, lambda: _observed(host, {**(known or {}), **_told(text, nonce)}))


def observed_own(known: Observed, text: str, nonce: str) -> Observed:
    """The same host with what it tells of our own files now. Raises Garbled."""

    def read() -> Observed:
        answers = {**known.answers, **_told(text, nonce)}
        facts = dict(line.split(" ", 1) for line in answers["host"] if line.startswith(("boot_id ", "clock ")))
        return replace(known, answers=answers, **_own(answers, facts))

    return _strictly(known.host, read)


def _told(text: str, nonce: str) -> dict[str, list[str]]:
    told = sections(text, nonce)
    if "end" not in told:
        raise NotAnAnswer("the answer ends too early")
    return told


def _strictly(host: str, read: Callable[[], Observed]) -> Observed:
    try:
        return read()
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise Garbled(
            host, "understand what it answers", str(error), "a bug of wgorch, or a host that lies; see -vv"
        ) from error


def _observed(host: str, s: dict[str, list[str]]) -> Observed:
    facts: dict[str, str] = {}
    os_release: dict[str, str] = {}
    paths: dict[str, int] = {}
    for line in s["host"]:
        word, _, value = line.partition(" ")
        if word == "os":
            name, _, quoted = value.partition("=")
            if name in ("ID", "ID_LIKE", "VERSION_ID", "PRETTY_NAME"):
                os_release[name] = quoted.strip("\"'")[:100]
        else:
            facts[word] = value
    for line in s.get("paths", []):
        way, address, largest = line.split(" ")
        paths[way] = _int(largest) - (80 if ":" in address else 60)
    ours, zone = f"wgorch-{facts.get('network', '')}", base_name(facts.get("network", ""))
    routes = [line for line in s["addresses"] if not _NUMBERED.match(line)] + s.get("routes", [])
    tables, policies = _iptables(s.get("rules", []))
    tables6, policies6 = _iptables(s.get("rules6", []), "6")
    wg, told_peers = shown(s.get("wg", []))
    peers = _peers(told_peers, dict(_pairs(s.get("wg preshared", []))))
    return Observed(
        host=host,
        uid=_int(facts["uid"]),
        boot_id=_match(r"[0-9a-f-]{36}|", facts.get("boot_id", "")),
        hostname=facts.get("hostname", "")[:100],
        kernel=facts.get("kernel", "")[:100],
        os=os_release,
        tools=_tools(s["tools"], s),
        starter=_match(r"systemd|openrc|runit|cron|", facts.get("init", "")),
        managers=frozenset(_match(r"NetworkManager|systemd-networkd|wg-quick", line) for line in s.get("managers", [])),
        drop_ins=_texts(s.get("drop-ins", [])),
        kernel_wireguard="wireguard" in facts,
        cards={card.name: card for card in map(_card, s["links"])},
        addresses=tuple(_addresses([line for line in s["addresses"] if _NUMBERED.match(line)])),
        policy=frozenset(f"{f} {rule}" for f in ("-4", "-6") for rule in _policy(s.get(f"policy {f}", []))),
        ways=frozenset(f"{f} {way}" for f in ("-4", "-6") for way in _ways(s.get(f"ways {f}", []), facts)),
        dns=_dns(s.get("dns", []), f"# wgorch:{facts.get('network', '')}"),
        routes=(*_routes(routes, "0.0.0.0/0"), *_routes(s.get("routes6", []), "::/0")),
        public_key=public_key(wg["public key"]) if "public key" in wg else "",
        listen_port=_int(wg.get("listening port", "0")),
        fwmark=int(_match(r"0|0x[0-9a-f]{1,8}", wg.get("fwmark", "0")), 16),
        peers=peers,
        rules=tables | tables6,
        nft=_our_nft(s.get("nft", []), ours),
        foreign_chains=tuple(_base_chains(s.get("foreign-nft", []))),
        legacy_too=any(line.startswith("# Warning: iptables-legacy tables present") for line in s.get("rules", [])),
        has_firewalld="running" in s.get("firewalld", [])[:1],
        firewalld=told_settings(zone, s.get("firewalld", [])),
        zones=frozenset(line.split()[0] for line in s.get("firewalld", []) if line.split()[0] in objects(zone)),
        zone_elsewhere=next((x[10:60] for x in s.get("firewalld", []) if x.startswith("elsewhere ")), ""),
        zone_files={_object(path): text for path, text in _texts(s.get("firewalld-files", [])).items()},
        default_zone="\n".join(s.get("firewalld-default", [])[:400]),
        policies=policies | policies6,
        sysctls=dict(_sysctls(s["sysctls"])),
        port_taken=bool(s.get("udp")),
        no_net_admin=not int(_match(r"[0-9a-f]{1,16}", facts.get("rights", "ffff")), 16) >> CAP_NET_ADMIN & 1,
        ufw_flushes="flushes" in s.get("ufw", []),
        machine_id=_match(r"[0-9a-f]{32}|", facts.get("machine_id", "")),
        ssh_client=facts.get("ssh", "").split(" ")[0],
        ssh_port=_int((facts.get("ssh", "").split() or ["0"])[-1]),
        paths=paths,
        traffic=_traffic(s, peers),
        answers=s,
        **_own(s, facts),
    )


def _own(s: Mapping[str, list[str]], facts: Mapping[str, str]) -> dict[str, Any]:
    """What is told of our own files, and when."""
    files = _files([*s.get("keys", []), *s.get("files", [])])
    of_this_boot = files.recorded_boot_id == facts.get("boot_id", "")
    uptime = _moment(s["moment"][0].split()[1])
    clock, _, at = facts["clock"].partition(" ")
    return {
        "key_file": "private_key" in files.names,
        "key_file_mode": files.key_mode,
        "key_file_public": files.public_key,
        "next_keys": tuple(files.next_keys),
        "offered_key": files.offered,
        "settled": files.settled,
        "secrets": files.secrets,
        "installed": frozenset(files.installed),
        "boot": files.boot_digest,
        "boot_header": files.boot_header,
        "runs": files.runs,
        "units": {kind: sum_ if kind in files.enabled else "off" for kind, sum_ in files.units.items()},
        "watch": files.watch,
        "recorded": files.recorded if of_this_boot else {},
        "caused_tables": files.tables if of_this_boot else frozenset(),
        "forwarded_all": files.forwarded_all if of_this_boot else "",
        "uptime": int(uptime),
        "clock": math.ceil(_int(clock) + uptime - _moment(at)),
        "pending": "pending" in files.names,
        "reverting": "reverting" in files.names,
        "outcome": files.outcome,
        "lock": files.lock,
        "has_directory": "files" in s and bool(files.names or files.listed),
    }


def _moment(text: str) -> float:
    """Seconds since the host was started."""
    return float(_match(r"\d{1,12}(\.\d{1,3})?", text))


def _tools(lines: list[str], s: Mapping[str, list[str]]) -> frozenset[str]:
    """The commands that are there. An ip that takes no batch (busybox's) is not the one that we need."""
    tools = frozenset(_match(r"[a-z0-9-]{1,30}", tool) for tool in lines)
    return tools - {"ip"} if "poor-ip" in s else tools


def _match(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text):
        raise NotAnAnswer(f"{text[:80]!r} does not fit {pattern}")
    return text


def _int(text: str) -> int:
    return int(_match(r"[0-9]{1,20}", text.strip()))


def public_key(text: str) -> str:
    """A WireGuard public key, as `wgorch.curve25519` has it."""
    try:
        return curve25519.public_key(text)
    except ValueError as error:
        raise NotAnAnswer(str(error)) from None


def _card(line: str) -> Card:
    name, mtu, flags, *alias = line.split(" ", 3)
    return Card(_match(r"[^\s/]{1,15}", name), _int(mtu), bool(int(flags, 16) & 1), alias[0] if alias else "")


def _addresses(lines: list[str]) -> Iterator[tuple[str, ipaddress.IPv4Interface | ipaddress.IPv6Interface]]:
    for line in lines[:MAX_LINES]:
        words = line.split()
        family = next((i for i, word in enumerate(words[:4]) if word in ("inet", "inet6")), None)
        if family is None:
            continue
        local = words[family + 1]
        prefix = f"/{words[family + 3].split('/')[1]}" if words[family + 2] == "peer" and "/" not in local else ""
        yield words[1].split("@")[0].rstrip(":"), ipaddress.ip_interface(local + prefix)


_NUMBERED = re.compile(r"\d+: ")
"""How a line of ``ip -o addr show`` begins, and none of ``ip route show``."""

_ROUTE_KINDS = ("unreachable", "blackhole", "prohibit", "throw", "local", "broadcast", "multicast", "anycast")


def _routes(lines: list[str], everything: str) -> Iterator[Route]:
    for line in lines[:MAX_LINES]:
        words = line.split()
        if line[0].isspace() or not words:
            continue  # the next hops of a multipath route
        if words[0] in _ROUTE_KINDS:
            words = words[1:]
        subnet = network(everything if words[0] == "default" else words[0])
        after = dict(zip(words[1:], words[2:], strict=False))
        metric = int(after.get("metric", "0"))
        plain = not set(words[1::2]) - {"dev", "proto", "scope", "metric", "pref", "via"} and "scope host" not in line
        yield Route(subnet, after.get("dev", ""), after.get("via", ""), after.get("proto", ""), metric, plain)


def _policy(lines: list[str]) -> Iterator[str]:
    """The rules of the routing policy that carry our protocol number, as iproute2 prints them."""
    for line in lines[:MAX_LINES]:
        priority, _, words = line.partition(":")
        rule = " ".join(words.split())
        if rule.endswith(f"proto {ROUTE_PROTO}"):
            yield f"{_int(priority)} {_match(r'[a-z0-9:./_ -]{1,200}', rule)}"


def _ways(lines: list[str], facts: dict[str, str]) -> Iterator[str]:
    """The routes of our own table, as ``ip route`` takes them."""
    for line in lines[:MAX_LINES]:
        words = line.split()
        kind = [words.pop(0)] if words[0] in _ROUTE_KINDS else []
        after = dict(zip(words[1:], words[2:], strict=False))
        if after.get("proto") != str(ROUTE_PROTO):
            continue
        dev = ["dev", after["dev"]] if "dev" in after and not kind else []
        metric = ["metric", after["metric"]] if kind and "metric" in after else []
        yield " ".join([*kind, _match(r"default|[0-9a-f:./]{2,50}", words[0]), *dev, *metric, "table", facts["table"]])


def _dns(lines: list[str], mark: str) -> tuple[str, ...]:
    """The name servers that we set, if we did."""
    if not lines or lines[0] != mark:
        return ()
    servers = [words[1] for line in lines if (words := line.split())[:1] == ["nameserver"] and len(words) == 2]
    return tuple(str(ipaddress.ip_address(server)) for server in servers)


def shown(lines: list[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What ``wg show INTERFACE`` tells, without keys that it hides: of the interface, and of each peer by its key."""
    interface: dict[str, str] = {}
    peers: dict[str, dict[str, str]] = {}
    current = interface
    for line in lines[:MAX_LINES]:
        name, _, value = line.strip().partition(": ")
        if name == "peer":
            # A peer that somebody else set may have any key; only keys that we hand on must be good ones.
            current = peers[_match(r"[A-Za-z0-9+/]{43}=", value)] = {}
        elif line[0].isspace() and value not in ("(none)", "(hidden)"):
            current[name] = value
    return interface, peers


def _peers(told: Mapping[str, Mapping[str, str]], secrets: Mapping[str, str]) -> dict[str, Peer]:
    return {
        key: Peer(
            key,
            allowed_ips_text([network(n) for n in peer.get("allowed ips", "").split(", ") if n]),
            _match(r"[\[\]0-9a-fA-F.:%a-z]{3,80}", peer["endpoint"]) if "endpoint" in peer else None,
            _seconds(peer.get("persistent keepalive", "every 0 seconds")),
            preshared=_match(r"|other|psk\.[a-z0-9.-]{1,80}", secrets.get(key, "")),
        )
        for key, peer in told.items()
    }


UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def _seconds(text: str) -> int:
    """How often, as wg tells it: ``every 1 minute, 5 seconds``."""
    _match(r"every \d{1,5} [a-z]+(, \d{1,5} [a-z]+)*", text)
    return sum(int(n) * UNITS[unit.rstrip("s")] for n, unit in re.findall(r"(\d+) ([a-z]+)", text))


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines[:MAX_LINES]:
        key, _, value = line.partition("\t")
        yield key, value


def allowed_ips_text(nets: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> tuple[str, ...]:
    """Allowed-ips in the one order that compares."""
    return tuple(map(written, sorted(nets, key=lambda n: (n.version, int(n.network_address), n.prefixlen))))


def _traffic(s: dict[str, list[str]], peers: Mapping[str, Peer]) -> dict[str, Traffic]:
    handshakes = dict(_pairs(s.get("wg latest-handshakes", [])))
    traffic = {}
    for key, moved in _pairs(s.get("wg transfer", [])):
        received, _, sent = moved.partition("\t")
        endpoint = peers[key].endpoint if key in peers else None
        traffic[key] = Traffic(_int(handshakes.get(key, "0")), _int(received), _int(sent), endpoint or "")
    return traffic


def _iptables(
    lines: list[str], suffix: str = ""
) -> tuple[dict[str, dict[str, tuple[Rule, ...]]], dict[tuple[str, str], str]]:
    tables: dict[str, dict[str, list[Rule]]] = {}
    policies: dict[tuple[str, str], str] = {}
    table = ""
    for line in lines[:MAX_LINES]:
        if line.startswith("*"):
            table = _match(r"[a-z]{1,20}", line[1:]) + suffix
            tables[table] = {}
        elif line.startswith(":"):
            name, policy = line[1:].split(" ")[:2]
            tables[table][name] = []
            policies[table, name] = policy
        elif line.startswith("-A"):
            words = split_rule(line)
            tables[table].setdefault(words[1], []).append(Rule(tuple(words[2:])))
        # COMMIT, comments, and the warning that iptables-legacy has rules too, which is told elsewhere.
    return {t: {c: tuple(rules) for c, rules in chains.items()} for t, chains in tables.items()}, policies


def _texts(lines: list[str]) -> dict[str, str]:
    """Files of ours, by path: what is in each, each line with a bar before it."""
    found: dict[str, list[str]] = {}
    path = ""
    for line in lines[:MAX_LINES]:
        if line.startswith("file "):
            path = _match(r"/[A-Za-z0-9._/-]{1,120}", line[5:])
            found[path] = []
        elif line.startswith("|"):
            found[path].append(line[1:])
    return {path: "\n".join(text) for path, text in found.items()}


def _object(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".xml")


def _nft_chains(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """The chains of ``nft list table``: table with its family, chain, lines."""
    table = chain = ""
    body: list[str] = []
    for line in lines[:MAX_LINES]:
        words = line.split()
        if words[:1] == ["table"] and len(words) == 4 and words[3] == "{":
            table = f"{words[1]} {words[2]}"
        elif words[:1] == ["chain"] and words[-1:] == ["{"] and len(words) == 3:
            chain, body = words[1], []
        elif chain and words == ["}"]:
            yield table, chain, body
            chain = ""
        elif chain:
            body.append(line.strip()[:1000])


def _our_nft(lines: list[str], name: str) -> dict[str, str]:
    """Our rules, by hook and digest; the digest is told by each rule's comment."""
    found = {}
    for table, chain, body in _nft_chains(lines):
        for line in body if table == f"inet {name}" else ():
            if hit := re.fullmatch(r'(.*) comment "wgorch:[a-z0-9-]+ ([0-9a-f]{12})"', line):
                found[f"{chain} {hit[2]}"] = hit[1]
            elif not line.startswith("type "):
                found[f"{chain} !{digest(line)[:12]}"] = line  # not ours, in our table: it equals no wish
    return found


def _base_chains(lines: list[str]) -> Iterator[BaseChain]:
    chains = list(_nft_chains(lines))
    for table, chain, body in chains:
        heads = [line for line in body if line.startswith("type ")]
        if heads and (hit := re.match(r"type filter hook (forward|input) .*?(?:policy (\w+))?;$", heads[0])):
            here = [_rules_of(them) for t, _, them in chains if t == table]
            allowed = tuple(rule for rules in here for rule in rules if re.search(r"\baccept\b", rule))
            yield BaseChain(table, chain, hit[1], hit[2] or "accept", tuple(_rules_of(body)), allowed)


def _rules_of(body: list[str]) -> list[str]:
    """The rules of a chain, without what moves by itself."""
    rules = [line for line in body if not re.match(r'type |comment "', line)]
    return [re.sub(r"\bcounter packets \d+ bytes \d+", "counter", rule) for rule in rules]


def split_rule(line: str) -> list[str]:
    """The words of a line of iptables-save: quoted ones may hold anything, with a backslash before \\, " and '."""
    words = _RULE_WORD.findall(line)
    if '"' in _RULE_WORD.sub("", line):
        raise NotAnAnswer(f"{line[:80]!r} has a quote that is never closed")
    return [re.sub(r"\\(.)", r"\1", w[1:-1], flags=re.S) if w[:1] == '"' else w for w in words]


_RULE_WORD = re.compile(r'[^\s"]+|"(?:[^"\\]|\\.)*"', re.S)


def _sysctls(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines[:MAX_LINES]:
        path, _, value = line.partition(" ")
        if value:
            yield _match(r"net/ipv[46]/conf/[^\s/]{1,15}/[a-z0-9_]{1,40}", path), _match(r"-?\d{1,10}", value)


class _Files:
    """The files of a network's directory."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.listed = False
        self.key_mode = self.public_key = self.boot_digest = self.outcome = self.offered = self.watch = ""
        self.next_keys: list[str] = []
        self.settled = True
        self.secrets: dict[str, str] = {}
        self.installed: set[str] = set()
        self.enabled: set[str] = set()
        self.units: dict[str, str] = {}
        self.boot_header: dict[str, str] = {}
        self.runs: dict[str, Run] = {}
        self.recorded: dict[str, Recorded] = {}
        self.recorded_boot_id = ""
        self.tables: frozenset[str] = frozenset()
        self.forwarded_all = ""
        self.lock: Lock | None = None


def _files(lines: list[str]) -> _Files:
    files = _Files()
    lock: dict[str, str] = {}
    for line in lines[:MAX_LINES]:
        word, _, rest = line.partition(" ")
        if word == "has":
            files.names.add(rest)
        elif word == "public_key":
            files.public_key = public_key(rest) if rest else ""
        elif word == "next_key" and len(rest) == 44:
            files.next_keys.append(public_key(rest.replace("_", "/")))
        elif word == "unsettled":
            files.settled = False
        elif word == "offered":
            files.offered = public_key(rest) if rest else ""
        elif word == "secret":
            name, _, digest = rest.partition(" ")
            files.secrets[_match(r"psk\.[a-z0-9.-]{1,80}", name)] = _match(r"[0-9a-f]{64}", digest)
        elif word == "installed":
            files.installed.add(_match(r"[A-Za-z0-9.+_-]{1,60}", rest))
        elif word == "watch":
            files.watch = _match(r"[0-9a-f]{64}", rest.split(" ")[0])
        elif word == "boot" and rest.startswith("#: "):
            name, _, value = rest[3:].partition(" ")
            if name == "run":
                run = json.loads(value)
                files.runs[str(run["name"])] = Run(str(run["command"]), str(run["undo"]))
            else:
                files.boot_header[name] = value[:200]
        elif word == "digest":
            files.boot_digest = _match(r"[0-9a-f]{64}", rest.split(" ")[0])
        elif word == "recorded":
            _record(files, rest)
        elif word == "outcome":
            files.outcome = rest[:300]
        elif word == "lock":
            name, _, value = rest.partition("=")
            lock[name] = value
        elif word == "unit":
            kind, _, sum_ = rest.partition(" ")
            files.units[_match(r"systemd|openrc|runit|cron", kind)] = _match(r"[0-9a-f]{64}", sum_)
        elif word == "enabled":
            files.enabled.add(rest)
        elif word == "total" or re.match(r"[-dlspcb][rwxsStT-]{9}", word):
            files.listed = True
            if line.split()[-1:] == ["private_key"]:
                files.key_mode = word[:10]
    if lock:
        files.lock = Lock(
            who=lock.get("who", "somebody")[:120],
            since=_int(lock.get("since") or "0"),
            until=_int(lock.get("until") or "0"),
            boot_id=lock.get("boot", ""),
            run=lock.get("run", ""),
        )
    return files


def _record(files: _Files, line: str) -> None:
    words = line.split(" ")
    if words[0] == "boot" and len(words) == 2:
        files.recorded_boot_id = words[1]
    elif words[0] == "sysctl" and len(words) == 4:
        files.recorded.setdefault(words[1], Recorded(words[2], words[3]))
    elif words[0] == "all4" and len(words) == 2:
        files.forwarded_all = words[1]
    elif words[0] == "table" and len(words) == 2:
        files.tables |= {words[1]}
