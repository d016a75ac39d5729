"""A small model of a host's kernel: it carries out the Commands of the steps as ip, wg and iptables-restore would."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from wgorch.inventory.model import Network
from wgorch.state.change import Command
from wgorch.state.rules import Chain, Rule, our_chains
from wgorch.state.state import State, TunnelRoute
from wgorch.state.wireguard import Interface, Peer
from wgorch.steps.chains import RESTORES, jump

BUILT_IN = {
    # Docker's is there in this model, as if it ran.
    "filter": ("INPUT", "FORWARD", "OUTPUT", "DOCKER-USER"),
    "nat": ("PREROUTING", "POSTROUTING"),
    "mangle": ("INPUT", "FORWARD"),
}
BUILT_IN |= {f"{table}6": chains for table, chains in BUILT_IN.items()}


def on_interface(
    interface: Interface | None,
    addresses: Iterable[str] = (),
    peers: Mapping[str, Peer] | None = None,
    routes: Iterable[str] = (),
) -> dict[str, Any]:
    """Fields of a State that are kept by interface; nothing where there is none."""
    if interface is None:
        return {"interfaces": {}, "addresses": {}, "peers": {}, "routes": {}}
    return {
        "interfaces": {interface.name: interface},
        "addresses": {interface.name: frozenset(addresses)},
        "peers": {interface.name: dict(peers or {})},
        "routes": {interface.name: frozenset(map(TunnelRoute, routes))},
    }


def number_of(place: int, rules: list[Rule]) -> int:
    """The number of the rule that is so far down among those of others; behind all where they are fewer."""
    others = [number for number, rule in enumerate(rules, 1) if not (rule.mark or "").startswith("wgorch:")]
    return others[place - 1] if place <= len(others) and place > 1 else 1 if place == 1 else len(rules) + 1


class Refused(AssertionError):
    """What the real command would have refused."""


def restore_words(line: str) -> tuple[str, ...]:
    """A line as iptables-restore splits it: only double quotes quote, and only within them a backslash escapes."""
    words: list[str] = []
    word, open_quote, escaped, begun = "", False, False, False
    for c in line + " ":
        if open_quote:
            if escaped:
                word, escaped = word + c, False
            elif c == "\\":
                escaped = True
            elif c == '"':
                open_quote = False
            else:
                word += c
        elif c == '"':
            open_quote = begun = True
        elif c in " \t":
            if word or begun:
                words.append(word)
            word, begun = "", False
        else:
            word += c
    return tuple(words)


@dataclass
class Kernel:
    """What runs on one host. `tables`: the rules by table and chain, foreign ones among them."""

    network: Network
    public_key: str
    interface: Interface | None = None
    addresses: set[str] = field(default_factory=set)
    peers: dict[str, Peer] = field(default_factory=dict)
    routes: set[str] = field(default_factory=set)
    tables: dict[str, dict[str, list[Rule]]] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    policy: set[str] = field(default_factory=set)
    ways: set[str] = field(default_factory=set)
    dns: tuple[str, ...] = ()
    nft: dict[str, str] = field(default_factory=dict)
    firewalld: set[str] = field(default_factory=set)

    # --- to and from a State

    @classmethod
    def of(cls, state: State, network: Network, key: str, foreign: dict[tuple[str, str], list[Rule]]) -> Kernel:
        """A kernel in a state, with rules of others in the parent chains."""
        name = network.interface
        kernel = cls(network, key, state.interfaces.get(name))
        kernel.addresses, kernel.peers = set(state.addresses.get(name, ())), dict(state.peers.get(name, {}))
        kernel.routes = {route.subnet for route in state.routes.get(name, ())}
        kernel.sysctls = dict(state.sysctls)
        kernel.policy, kernel.ways, kernel.dns = set(state.policy_rules), set(state.exit_routes), state.dns
        kernel.nft, kernel.firewalld = dict(state.nft), set(state.firewalld)
        for table in state.tables:
            kernel.tables[table] = {name: list(foreign.get((table, name), ())) for name in BUILT_IN[table]}
        for chain, rules in state.chains.items():
            kernel.tables[chain.table][chain.name] = list(rules)
        for chain, places in state.jumps.items():
            parent = kernel.tables[chain.table][chain.parent]
            for above, place in enumerate(places):
                parent.insert(place - 1 + above, jump(chain, network.mark))
        return kernel

    def state(self, like: State) -> State:
        """What `Observed.state` would read, with the sysctls that `like` speaks of."""
        chains, jumps = {}, {}
        for chain in our_chains(self.network):
            if chain.name in self.tables.get(chain.table, {}):
                chains[chain] = tuple(self.tables[chain.table][chain.name])
            places, place = [], 1
            for rule in self.tables.get(chain.table, {}).get(chain.parent, ()):
                if rule == jump(chain, self.network.mark):
                    places.append(place)
                elif not (rule.mark or "").startswith("wgorch:"):
                    place += 1
            if places:
                jumps[chain] = tuple(places)
        return replace(
            like,
            **on_interface(self.interface, self.addresses, self.peers, self.routes),
            policy_rules=frozenset(self.policy),
            exit_routes=frozenset(self.ways),
            dns=self.dns,
            nft=dict(self.nft),
            firewalld=frozenset(self.firewalld),
            chains=chains,
            jumps=jumps,
            tables=frozenset(t for t, cs in self.tables.items() if any(cs.values()) or set(cs) - set(BUILT_IN[t])),
            sysctls={p: self.sysctls[p] for p in like.sysctls if p in self.sysctls},
        )

    def foreign(self) -> dict[tuple[str, str], list[Rule]]:
        """The rules of others, by chain."""
        ours = {chain.name for chain in our_chains(self.network)}
        kept = {
            (table, name): [r for r in rules if r.mark != self.network.mark]
            for table, chains in self.tables.items()
            for name, rules in chains.items()
            if name not in ours
        }
        return {place: rules for place, rules in kept.items() if rules}

    def copy(self) -> Kernel:
        return copy.deepcopy(self)

    # --- carrying out

    def run(self, commands: Iterable[Command]) -> Kernel:
        """Carry out some commands; raises Refused where the real ones would end with an error."""
        for command in commands:
            try:
                self._run(command)
            except Refused:
                if not command.may_be_absent:
                    raise
        return self

    def _run(self, command: Command) -> None:
        match command.argv:
            case ("make_interface", name):
                self.interface = self.interface or Interface(name, "", 1420, 40000, "", up=False)
            case ("end_interface", name):
                self.interface = None
                self.addresses, self.peers, self.routes = set(), {}, set()
                self.ways = {way for way in self.ways if " dev " not in way}
                self.sysctls = {p: v for p, v in self.sysctls.items() if f"/conf/{name}/" not in p}
            case ("ip", "link", "set", "dev", name, *words):
                self._link(name, words)
            case ("wg", "set", name, "peer", key, "remove", "peer", again, *words):
                self._there(name)
                self._peer(key, ["remove"])
                self._peer(again, words)
            case ("wg", "set", name, "peer", *words):
                self._there(name)
                starts = [0, *(i + 1 for i, word in enumerate(words) if word == "peer"), len(words) + 1]
                for start, end in pairwise(starts):
                    self._peer(words[start], words[start + 1 : end - 1])
            case ("set_key", name, _tag, *words):
                self._wg(name, [*words, "private-key", ""])
            case ("ip", "-4" | "-6" as family, "route", verb, *words, "proto", "119"):
                if "dev" in words and not self._there(words[words.index("dev") + 1]).up:
                    raise Refused("Network is down")
                self._set(self.ways, verb, " ".join([family, *words]))
            case ("set_policy_rule" | "delete_policy_rule" as verb, family, priority, *words):
                self.policy = {r for r in self.policy if not r.startswith(f"{family} {priority} ")}
                if verb == "set_policy_rule":
                    self.policy.add(" ".join([family, priority, *words]))
            case ("set_dns", _mark, *servers):
                self.dns = tuple(servers)
            case ("restore_dns", _mark):
                self.dns = ()
            case ("wg", "set", name, *words):
                self._wg(name, words)
            case ("ip", "address", verb, address, "dev", name):
                self._there(name)
                self._set(self.addresses, verb, address)
            case ("ip", "route", verb, subnet, "dev", name, "proto", "119"):
                if not self._there(name).up:
                    raise Refused("Network is down")
                self._set(self.routes, verb, subnet)
            case ("write_sysctl" | "set_value", path, value):
                if path not in self.sysctls and self.interface and f"/conf/{self.interface.name}/" not in path:
                    raise Refused(f"no such file: {path}")
                if "/conf/wg0/" in path and not self.interface:
                    raise Refused(f"no such file: {path}")
                self.sysctls[path] = value
            case ("renew_endpoints" | "note_table", _) | ("note_chain" | "drop_chain", _, _):
                pass
            case ("ensure_chain", table, name):
                chains = self.tables.setdefault(table, {built_in: [] for built_in in BUILT_IN[table]})
                chains.setdefault(name, [])
            case ("load_rules", _network):
                self._nft(command.stdin)
            case ("firewalld_set" | "firewalld_unset" as verb, where, what):
                self._firewalld(verb == "firewalld_set", where.partition("=")[2], what)
            case ("drop_table", table):
                chains = self.tables.get(table, {})
                if not any(chains.values()) and set(chains) <= set(BUILT_IN[table]):
                    self.tables.pop(table, None)
            case ("remove_jump", table, parent, mark, name):
                if table in self.tables:
                    gone = jump(Chain(table, parent, name), mark)
                    self.tables[table][parent] = [r for r in self.tables[table][parent] if r != gone]
            case ("track_connections", _network, "mangle" | "mangle mangle6" | "mangle6" | "inet", *_interfaces):
                pass
            case ("end_rules", _network):
                pass
            case ("restate_chain", table, parent, mark, name, *places):
                self._run(replace(command, argv=("remove_jump", table, parent, mark, name)))
                jumping = jump(Chain(table, parent, name), mark)
                there = self.tables.get(table, {}).get(parent, [])
                numbers = [number_of(int(place), there) for place in places]
                jumps = [f"-I {parent} {number + above} {jumping}" for above, number in enumerate(numbers)]
                rules = command.stdin.split("\n") if command.stdin else []
                lines = [f"*{table.removesuffix('6')}", f":{name} - [0:0]", *rules, *jumps, "COMMIT"]
                self._restore("\n".join(lines), "6" if table.endswith("6") else "")
            case argv if argv in RESTORES:
                self._restore(command.stdin, "6" if argv == RESTORES[1] else "")
            case argv:
                raise AssertionError(f"the model does not know {argv}")

    def _nft(self, text: str) -> None:
        hook = ""
        for line in text.split("\n"):
            if line.startswith("delete table"):
                self.nft = {}
            elif line.startswith("chain "):
                hook = line.split()[1]
            elif " comment " in line:
                rule, _, mark = line.rstrip('"').rpartition(' comment "')
                self.nft[f"{hook} {mark.split()[1]}"] = rule

    def _firewalld(self, add: bool, name: str, what: str) -> None:
        kind, _, value = what.removeprefix("--").partition("=")
        kind = kind.partition("-")[2].replace("rich-rule", "rule")
        setting = f"{name} {kind} {value or 'yes'}"
        self.firewalld = self.firewalld | {setting} if add else self.firewalld - {setting}

    def _there(self, name: str) -> Interface:
        if self.interface is None or self.interface.name != name:
            raise Refused(f"Cannot find device {name}")
        return self.interface

    def _link(self, name: str, words: list[str]) -> None:
        card = self._there(name)
        while words:
            word = words.pop(0)
            if word == "alias":
                card = replace(card, alias=words.pop(0))
            elif word == "mtu":
                card = replace(card, mtu=int(words.pop(0)))
            else:
                assert word in ("up", "down")
                card = replace(card, up=word == "up")
        self.interface = card
        if not card.up:
            self.routes = set()
            self.ways = {way for way in self.ways if " dev " not in way}

    def _wg(self, name: str, words: list[str]) -> None:
        card = self._there(name)
        for word, value in zip(words[::2], words[1::2], strict=True):
            if word == "listen-port":
                card = replace(card, listen_port=int(value))
            elif word == "fwmark":
                card = replace(card, fwmark=int(value))
            else:
                assert word == "private-key"
                card = replace(card, public_key=self.public_key)
        self.interface = card

    def _peer(self, key: str, words: list[str]) -> None:
        if words == ["remove"]:
            self.peers.pop(key, None)
            return
        peer = self.peers.get(key, Peer(key, ()))
        for word, value in zip(words[::2], words[1::2], strict=True):
            if word == "allowed-ips":
                ips = tuple(value.split(",")) if value else ()
                # An address belongs to the last peer that names it.
                for other in self.peers.values():
                    if other.public_key != key:
                        left = tuple(ip for ip in other.allowed_ips if ip not in ips)
                        self.peers[other.public_key] = replace(other, allowed_ips=left)
                peer = replace(peer, allowed_ips=ips)
            elif word == "endpoint":
                peer = replace(peer, endpoint=value)
            elif word == "preshared-key":
                peer = replace(peer, preshared=value.rpartition("/")[2])
            else:
                assert word == "persistent-keepalive"
                peer = replace(peer, persistent_keepalive=int(value))
        self.peers[key] = peer

    @staticmethod
    def _set(values: set[str], verb: str, value: str) -> None:
        if verb == "replace":
            values.add(value)
        elif value in values:
            values.remove(value)
        else:
            raise Refused(f"no such {value}")

    def _restore(self, text: str, suffix: str) -> None:
        tables = copy.deepcopy(self.tables)  # iptables-restore changes a table whole or not at all
        table = ""
        for line in text.split("\n"):
            if line.startswith("*"):
                table = line[1:] + suffix
                tables.setdefault(table, {name: [] for name in BUILT_IN[table]})
            elif line.startswith(":"):
                tables[table][line[1:].split(" ")[0]] = []
            elif line == "COMMIT":
                self.tables[table] = tables[table]
            else:
                verb, chain, *words = restore_words(line)
                if chain not in tables[table]:
                    raise Refused(f"no chain {chain}")
                rules = tables[table][chain]
                if verb == "-A":
                    rules.append(self._rule(table, tables, words))
                elif verb == "-I":
                    place = int(words.pop(0))
                    if place > len(rules) + 1:
                        raise Refused(f"Index of insertion too big: {line}")
                    rules.insert(place - 1, self._rule(table, tables, words))
                else:
                    assert verb == "-X"
                    if rules or any(r.words[-2:] == ("-j", chain) for rs in tables[table].values() for r in rs):
                        raise Refused(f"chain {chain} is not empty, or is in use")
                    del tables[table][chain]

    @staticmethod
    def _rule(table: str, tables: dict[str, dict[str, list[Rule]]], words: list[str]) -> Rule:
        for word, after in pairwise(words):
            if word == "-j" and after.startswith("wgorch-") and after not in tables[table]:
                raise Refused(f"no chain {after}")
            if word == "--comment" and words.index("--comment") + 2 < len(words):
                then = words[words.index("--comment") + 2]
                if not then.startswith("-"):
                    raise Refused(f"Bad argument `{then}'")
        return Rule(tuple(words))
