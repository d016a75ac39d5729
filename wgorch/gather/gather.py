"""The fact script, and its exchange: the same text for all hosts but for a few parameters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import field, replace
from enum import StrEnum
from secrets import token_hex

from wgorch.adapters.firewalld import base_name
from wgorch.base.ip import as_ip
from wgorch.base.sh import EMPTY, Sh, quote, quote_words, sh, sh_lines
from wgorch.base.value import value
from wgorch.gather.observed import Observed, observed, observed_again, reused_sections
from wgorch.host.programs import fact_functions, parameters
from wgorch.inventory.model import Network
from wgorch.remote.shell import NONE, Definitions, Shell
from wgorch.topology.desired import Desired

NONCE = "wgorch-answer"
"""Begins the line before each section; in an exchange random digits follow it, so that no file of a host holds it."""

DEADLINE_S = 30
READING_S = 24
"""After so long the host itself ends a tool that the reading waits for; the rest of the reading tells of it."""

ENVIRONMENT = sh("""\
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${{PATH-}}"
""")


class Scope(StrEnum):
    """How much is asked; the value is a parameter of the fact script."""

    ALL = "all"
    CHANGED = "changed"
    """What a change of wgorch may have touched."""
    OWN = "own"
    """wgorch's own files and keys, which only another run touches."""


@value
class Ask:
    """Per-host parameters of the fact script."""

    ports: tuple[int, ...]
    """UDP ports that the host is to listen on; of a tunnel that is not there yet."""
    key_source: tuple[str, ...] = ()
    """Command that prints the private key, where it is not generated on the host."""
    mtu_targets: tuple[str, ...] = ()
    """Endpoints whose path MTU is measured where there is no tunnel yet."""
    redo_mtu: bool = False
    """Measure it in any case."""
    no_counters: bool = False
    nets: tuple[str, ...] = ()
    """Networks and addresses of IPv4 whose routes matter, where a host has very many."""
    adopt: bool = False
    """Take an unmanaged interface of the network's name for a managed one."""
    scope: Scope = Scope.ALL
    managed_nft: bool = False
    """Read the managed nft table, too."""


def near_networks(desired: Desired) -> tuple[str, ...]:
    """The networks of IPv4 whose routes matter to a host: of the tunnel, of LANs, and the addresses of endpoints."""
    ends = (as_ip(link.endpoint.host) for link in desired.links if link.endpoint)
    nets = (
        *desired.network.subnets,
        *desired.routes,
        *map(desired.host.real, desired.lans),
        *(ip for ip in ends if ip),
    )
    return tuple(dict.fromkeys(str(net) for net in nets if net.version == 4))


def questions(network: Network, ask: Ask, nonce: str = NONCE) -> Sh:
    """The fact script of one host: prints everything that a plan requires, calls what `asking` defines, changes nothing."""
    words = {
        "network": network.name,
        "zone": base_name(network.name),
        "interfaces": network.interface,
        "ipv6": "yes" if network.ipv6 else "no",
        "exits": "yes" if network.exits or network.several_relays else "no",
        "secrets": "yes" if network.preshared_keys or ask.adopt else "no",
        "no_counters": "yes" if ask.no_counters else "no",
        "table": str(network.table),
        "ports_hex": " ".join(f"{port:04X}" for port in ask.ports),
        "key_source": quote_words(ask.key_source),
        "scope": ask.scope,
        "managed_nft": "yes" if ask.managed_nft else "no",
        "nonce": nonce,
        "reading_s": str(READING_S),
        "nets": " ".join(ask.nets),
    }
    # In one piece, apart from stderr of its commands and from what runs beside it.
    asked = sh("answers=$(ask_all 3</dev/null)")
    if ask.mtu_targets:
        anew = sh("[ ! -d /sys/class/net/{interface} ]", interface=quote(network.interface))
        asked = sh(
            "mtu_targets={targets}; if {anew} && command -v ping >/dev/null 2>&1; "
            "then answers=$(ask_path_mtu | ask_all 3<&0 </dev/null); else {asked}; fi",
            targets=quote(" ".join(ask.mtu_targets)),
            anew=sh("true") if ask.redo_mtu else anew,
            asked=asked,
        )
    script = sh("{asked}\nwait\nprintf '%s\\n' \"$answers\"", asked=asked)
    return sh_lines([ENVIRONMENT, parameters(words), script])


def asking() -> Definitions:
    """Definitions of the functions that the fact script calls."""
    return fact_functions()


@value
class Exchange:
    """What runs in the same exchange as the fact script."""

    before: Sh = EMPTY
    """sh that runs before it."""
    action: str = "read facts"
    deadline_s: float = DEADLINE_S
    beside: Sh = EMPTY
    """sh that runs meanwhile; its output stands with that of `before`."""
    requires: Definitions = field(default_factory=lambda: NONE)
    """Definitions that `before` calls."""
    preload: Definitions = field(default_factory=lambda: NONE)
    """Definitions that later scripts call."""
    live: bool = False
    """Pass output lines on as they come."""
    on_line: Callable[[str], None] | None = None


def gather(
    shell: Shell, network: Network, ask: Ask, exchange: Exchange | None = None, known: Observed | None = None
) -> tuple[str, Observed]:
    """Run the fact script in one exchange; return what ran before it printed, and the reading.

    `known`: the reading before, which holds for what is not in the scope of the ask. Raises HostError.
    """
    began, x, nonce = time.monotonic(), exchange or Exchange(), f"{NONCE}-{token_hex(8)}"
    # In a subshell: its exit is not the end of the fact script.
    asked = questions(network, ask, nonce)
    script = sh("( {before}\n)\n{asked}", before=x.before, asked=asked) if x.before else asked
    if x.beside:
        beside = sh("{{ {environment}{beside}\n}} &", environment=ENVIRONMENT, beside=x.beside)
        script = sh_lines([beside, script])
    text = shell.exchange(script, x.action, x.deadline_s, x.on_line, {**asking(), **x.requires}, x.preload, live=x.live)
    printed, _, answers = text.partition(f"\n{nonce} ")
    answers = f"{nonce} {answers}"
    if known and ask.scope is Scope.OWN:
        seen = observed_again(known, answers, nonce)
    else:
        held = known.answers if known and ask.scope is not Scope.ALL else {}
        seen = observed(shell.host, answers, nonce, {name: held[name] for name in reused_sections() if name in held})
    whole = known.read_at if known and ask.scope is not Scope.ALL else began
    return printed, replace(seen, read_at=whole, adopted=ask.adopt and seen.is_unmanaged(network))
