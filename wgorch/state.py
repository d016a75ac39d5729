"""What of a host is ours, as plain values: the same type says how a host is and how it should be.

A step compares two States and yields what differs. Because both sides are of one type, the way back (undo), the
start-up program (boot) and teardown need no code of their own: they are the same steps with other arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from wgorch.frozen import frozen

ROUTE_PROTO = 119
"""The routing protocol number that marks our routes (``ip route … proto 119``)."""


@frozen
class Interface:
    """The WireGuard interface. `fwmark` marks its own encrypted packets, so that they do not enter it again."""

    name: str
    alias: str
    mtu: int
    listen_port: int
    public_key: str
    up: bool = True
    fwmark: int = 0


@frozen
class Peer:
    """The other end, as one host's interface sees it. `name` is for people and is not compared.

    `preshared`: the file on the host that holds the second secret they share, `other` where none of ours does.
    """

    public_key: str
    allowed_ips: tuple[str, ...]
    endpoint: str | None = None
    persistent_keepalive: int = 0
    name: str = field(default="", compare=False)
    preshared: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All of it but the secret, as ``wg set`` takes it; made once for all hosts that see this peer alike."""
        endpoint = ("endpoint", self.endpoint) if self.endpoint else ()
        keepalive = ("persistent-keepalive", str(self.persistent_keepalive))
        return ("peer", self.public_key, "allowed-ips", ",".join(self.allowed_ips), *endpoint, *keepalive)


@frozen
class Rule:
    """One iptables rule in the words and the order of ``iptables-save``, without ``-A CHAIN``."""

    words: tuple[str, ...]

    @property
    def mark(self) -> str | None:
        """The rule's comment."""
        try:
            return self.words[self.words.index("--comment") + 1]
        except (ValueError, IndexError):
            return None

    def __str__(self) -> str:
        text = " ".join(self.words)
        if "" not in self.words and _PLAIN.fullmatch(text) and text.count(" ") == len(self.words) - 1:
            return text
        return " ".join(map(_quoted, self.words))

    @property
    def can_be_restated(self) -> bool:
        """True where every character of it survives the way through our programs unchanged."""
        return all(word.isascii() and word.isprintable() for word in self.words)


_PLAIN = re.compile(r"[A-Za-z0-9_.:/,+!=%@ -]+")
"""Words that need no quotes; one look at all of them is much quicker than one at each."""


def _quoted(word: str) -> str:
    """A word as iptables-restore reads it: only double quotes, with a backslash before \\ and the quote."""
    if re.fullmatch(r"[A-Za-z0-9_.:/,+!=%@-]+", word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rule(text: str, mark: str, target: str) -> Rule:
    """A rule of ours: what it matches, our mark, and where it jumps to, in ``iptables-save``'s order; plain words."""
    return Rule((*text.split(), "-m", "comment", "--comment", mark, "-j", *target.split()))


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """A chain of ours and the chain that it is reached from. `table` is one of IPv4, or with a 6 behind it of IPv6."""

    table: str
    parent: str
    name: str


def tool(table: str) -> str:
    """The command that changes a table: ``nat6`` is the table nat of ip6tables."""
    return "ip6tables" if table.endswith("6") else "iptables"


@frozen
class Run:
    """A step that a user added to the playbook."""

    command: str
    undo: str = ""


@frozen
class State:
    """Everything on one host that a network of ours consists of.

    `jumps`: where each chain is jumped to from, as 1-based places among the parent's rules that are not wgorch's;
    ``(1,)`` is right. `tables`: iptables tables that exist at all.
    `nft`: the rules of our own nft table, by hook and digest. `firewalld`: settings of our zone and policies in it, `zones`:
    those that it knows, `zone_files`: what it keeps of them; `default_zone`: the file of its default zone. `sysctls`: path below /proc/sys to value.
    `policy`: rules of the routing policy as ``ip rule show`` has them, with -4 or -6 before; `ways`: routes in a table of
    our own, as ``ip route`` takes them. `dns`: the name servers that we set.
    `manager`: the package manager; `packages`: those that came with the network.
    `tools`: commands that are there; `key_mode`: of the private key's file, empty where there is none; `keys`: the public
    halves of the private keys that lie there; `key_source`: the command that prints the key, where it is not born there.
    `drop_ins`: files that keep other managers' hands off the tunnel, by path. `starter`: what starts programs there; `units`: digests of what runs the boot program at start-up, by kind of start-up; `watch`: digest of what
    looks after the peers from time to time, whose text is `watch_text`.
    """

    mark: str
    directory: str
    interface: Interface | None = None
    addresses: frozenset[str] = frozenset()
    peers: Mapping[str, Peer] = field(default_factory=dict)
    routes: frozenset[str] = frozenset()
    chains: Mapping[Chain, tuple[Rule, ...]] = field(default_factory=dict)
    jumps: Mapping[Chain, tuple[int, ...]] = field(default_factory=dict)
    tables: frozenset[str] = frozenset()
    nft: Mapping[str, str] = field(default_factory=dict)
    firewalld: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    zone_files: Mapping[str, str] = field(default_factory=dict)
    default_zone: str = field(default="", compare=False)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)
    policy: frozenset[str] = frozenset()
    ways: frozenset[str] = frozenset()
    dns: tuple[str, ...] = ()
    manager: str = ""
    packages: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    key_mode: str = ""
    keys: frozenset[str] = frozenset()
    key_source: tuple[str, ...] = ()
    drop_ins: Mapping[str, str] = field(default_factory=dict)
    starter: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    watch: str = ""
    watch_text: str = field(default="", compare=False)

    @property
    def key_file(self) -> str:
        """Where the private key lies; its content never leaves the host."""
        return f"{self.directory}/private_key"

    @property
    def network(self) -> str:
        """The network's name."""
        return self.mark.partition(":")[2]


def nothing(state: State) -> State:
    """The same place right after a start, with nothing of ours running; tools and key are still there."""
    return State(
        mark=state.mark,
        directory=state.directory,
        manager=state.manager,
        packages=state.packages,
        tools=state.tools,
        key_mode=state.key_mode,
        keys=state.keys,
        starter=state.starter,
    )
