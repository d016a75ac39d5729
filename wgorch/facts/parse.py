"""A host's answers to the questions, read strictly; what does not parse is refused, never guessed.

The text may come from a hostile host: every value is matched against a closed grammar and bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from wgorch.adapters.firewalld import base_name, objects, told_settings
from wgorch.errors import Garbled
from wgorch.facts.files import own_files
from wgorch.facts.firewall import base_chains, iptables, managed_nft, object_of
from wgorch.facts.grammar import NotAnAnswer, file_texts, integer, match, pairs, public_key, sections
from wgorch.facts.links import ADDRESS_LINE, addresses, device, exit_routes, policy_rules, routes
from wgorch.facts.observed import Observed
from wgorch.facts.system import CAP_NET_ADMIN, name_servers, sysctls
from wgorch.facts.system import tools as installed_tools
from wgorch.facts.wireguard import peers, traffic, wg_show


def observed(host: str, text: str, nonce: str, known: Mapping[str, list[str]] | None = None) -> Observed:
    """All answers of one host; `known`: those of before that still hold. Raises Garbled with the line that does not fit."""
    return _strictly(host, lambda: _observed(host, {**(known or {}), **_told(text, nonce)}))


def observed_own(known: Observed, text: str, nonce: str) -> Observed:
    """The same host with what it tells of our own files now. Raises Garbled."""

    def read() -> Observed:
        answers = {**known.answers, **_told(text, nonce)}
        facts = dict(line.split(" ", 1) for line in answers["host"] if line.startswith(("boot_id ", "clock ")))
        return replace(known, answers=answers, **own_files(answers, facts))

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
        paths[way] = integer(largest) - (80 if ":" in address else 60)
    ours, zone = f"wgorch-{facts.get('network', '')}", base_name(facts.get("network", ""))
    route_lines = [line for line in s["addresses"] if not ADDRESS_LINE.match(line)] + s.get("routes", [])
    tables, policies = iptables(s.get("rules", []))
    tables6, policies6 = iptables(s.get("rules6", []), "6")
    interface = next((name[3:] for name in s if name.startswith("wg ")), "")
    wg, told_peers = wg_show(s.get(f"wg {interface}", []))
    known_peers = peers(told_peers, dict(pairs(s.get(f"wg-preshared {interface}", []))))
    return Observed(
        host=host,
        uid=integer(facts["uid"]),
        boot_id=match(r"[0-9a-f-]{36}|", facts.get("boot_id", "")),
        hostname=facts.get("hostname", "")[:100],
        kernel=facts.get("kernel", "")[:100],
        os=os_release,
        tools=installed_tools(s["tools"], s),
        starter=match(r"systemd|openrc|runit|cron|", facts.get("init", "")),
        managers=frozenset(match(r"NetworkManager|systemd-networkd|wg-quick", line) for line in s.get("managers", [])),
        drop_ins=file_texts(s.get("drop-ins", [])),
        kernel_wireguard="wireguard" in facts,
        cards={card.name: card for card in map(device, s["links"])},
        addresses=tuple(addresses([line for line in s["addresses"] if ADDRESS_LINE.match(line)])),
        policy=frozenset(f"{f} {rule}" for f in ("-4", "-6") for rule in policy_rules(s.get(f"policy {f}", []))),
        ways=frozenset(f"{f} {way}" for f in ("-4", "-6") for way in exit_routes(s.get(f"ways {f}", []), facts)),
        dns=name_servers(s.get("dns", []), f"# wgorch:{facts.get('network', '')}"),
        routes=(*routes(route_lines, "0.0.0.0/0"), *routes(s.get("routes6", []), "::/0")),
        public_key=public_key(wg["public key"]) if "public key" in wg else "",
        listen_port=integer(wg.get("listening port", "0")),
        fwmark=int(match(r"0|0x[0-9a-f]{1,8}", wg.get("fwmark", "0")), 16),
        peers=known_peers,
        rules=tables | tables6,
        nft=managed_nft(s.get("nft", []), ours),
        foreign_chains=tuple(base_chains(s.get("foreign-nft", []))),
        legacy_too=any(line.startswith("# Warning: iptables-legacy tables present") for line in s.get("rules", [])),
        has_firewalld="running" in s.get("firewalld", [])[:1],
        firewalld=told_settings(zone, s.get("firewalld", [])),
        zones=frozenset(line.split()[0] for line in s.get("firewalld", []) if line.split()[0] in objects(zone)),
        zone_elsewhere=next((x[10:60] for x in s.get("firewalld", []) if x.startswith("elsewhere ")), ""),
        zone_files={object_of(path): text for path, text in file_texts(s.get("firewalld-files", [])).items()},
        default_zone="\n".join(s.get("firewalld-default", [])[:400]),
        policies=policies | policies6,
        sysctls=dict(sysctls(s["sysctls"])),
        port_taken=bool(s.get("udp")),
        no_net_admin=not int(match(r"[0-9a-f]{1,16}", facts.get("rights", "ffff")), 16) >> CAP_NET_ADMIN & 1,
        ufw_flushes="flushes" in s.get("ufw", []),
        machine_id=match(r"[0-9a-f]{32}|", facts.get("machine_id", "")),
        ssh_client=facts.get("ssh", "").split(" ")[0],
        ssh_port=integer((facts.get("ssh", "").split() or ["0"])[-1]),
        paths=paths,
        traffic=traffic(s, interface, known_peers),
        answers=s,
        **own_files(s, facts),
    )
