"""The one program of questions, for any host; its text hardly depends on the host."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from wgorch.adapters.firewalld import base_name
from wgorch.base.assets import minified
from wgorch.base.value import value
from wgorch.facts.observed import Observed
from wgorch.facts.parse import observed, observed_own
from wgorch.inventory.model import Network
from wgorch.remote.shell import NONE, Definitions, Shell
from wgorch.state.change import quote_words

NONCE = "wgorch-answer"
DEADLINE_S = 30

ENVIRONMENT = """\
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
"""


REUSED = ("host", "paths", "tools", "poor-ip", "udp", "ufw", "managers", "foreign-nft", "keys")
"""What a change of ours does not touch, and is not asked about after it."""

FUNCTIONS = {"ask_ways": "path_mtu", "ask_all": "questions"}
"""The functions that a host is told, and the files they are made of."""


@value
class Ask:
    """What of the questions differs from host to host.

    `key_source`: the command that prints its private key, where it is not born there. `ways`: endpoints to which the
    largest packet is found out, where there is no tunnel yet, or in any case if `again`. `brief`: nothing that
    moves by itself. `adopt`: an interface of that name that is nobody's is taken for ours. `scope`: `all`; or what a change of
    ours can have `changed`; or what only another run of ours changes, our `own` files. `our_nft`: our table of nft is among it.
    """

    listen_port: int
    key_source: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    again: bool = False
    brief: bool = False
    adopt: bool = False
    scope: str = "all"
    our_nft: bool = False


def questions(network: Network, ask: Ask) -> str:
    """The program that asks a host everything a plan needs to know; it calls what `asking` defines, and changes nothing."""
    words = {
        "network": network.name,
        "zone": base_name(network.name),
        "interface": network.interface,
        "ipv6": "yes" if network.ipv6 else "no",
        "exits": "yes" if network.exits else "no",
        "secrets": "yes" if network.preshared_keys or ask.adopt else "no",
        "brief": "yes" if ask.brief else "no",
        "table": str(network.table),
        "port_hex": f"{ask.listen_port:04X}",
        "key_source": quote_words(ask.key_source),
        "scope": ask.scope,
        "our_nft": "yes" if ask.our_nft else "no",
        "nonce": NONCE,
    }
    given = "\n".join(f"{name}={quote_words([value])}" for name, value in words.items())
    # In one piece, apart from what its commands complain of, and from what ran beside it.
    asked = "answers=$(ask_all 3</dev/null)"
    if ask.ways:
        anew = "true" if ask.again else f"[ ! -d /sys/class/net/{quote_words([network.interface])} ]"
        ways = f"ways={quote_words([' '.join(ask.ways)])}; if {anew} && command -v ping >/dev/null 2>&1"
        asked = f"{ways}; then answers=$(ask_ways | ask_all 3<&0 </dev/null); else {asked}; fi"
    return f"{ENVIRONMENT}{given}\n{asked}\nwait\nprintf '%s\\n' \"$answers\""


@cache
def asking() -> Definitions:
    """What the questions call."""
    return {name: f"{name}() {{\n{minified('host', f'facts/{file}.sh')}\n}}" for name, file in FUNCTIONS.items()}


def gather(
    shell: Shell,
    network: Network,
    ask: Ask,
    before: str = "",
    deadline_s: float = DEADLINE_S,
    on_line: Callable[[str], None] | None = None,
    action: str = "read how it is",
    known: Observed | None = None,
    beside: str = "",
    requires: Definitions = NONE,
    preload: Definitions = NONE,
    *,
    live: bool = False,
) -> tuple[str, Observed]:
    """Run `before` (if any) and ask, in one round trip; what `before` printed, and the answers.

    `beside` is run meanwhile, and what it prints stands with what `before` printed. `requires`: what `before` is to find
    defined; `preload`: what later programs are. `live`: `on_line` hears its lines as they come. `known`: what was seen before;
    it holds for what is not in the scope of the questions.
    """
    began = time.monotonic()
    # In parentheses: what it ends with is not the end of the questions.
    program = f"( {before}\n)\n{questions(network, ask)}" if before else questions(network, ask)
    if beside:
        program = f"{{ {ENVIRONMENT}{beside}\n}} &\n{program}"
    text = shell.exchange(program, action, deadline_s, on_line, {**asking(), **requires}, preload, live=live)
    said, _, answers = text.partition(f"\n{NONCE} ")
    answers = f"{NONCE} {answers}"
    if known and ask.scope == "own":
        seen = observed_own(known, answers, NONCE)
    else:
        held = known.answers if known and ask.scope != "all" else {}
        seen = observed(shell.host, answers, NONCE, {name: held[name] for name in REUSED if name in held})
    whole = known.read_at if known and ask.scope != "all" else began
    return said, replace(seen, read_at=whole, adopted=ask.adopt and seen.is_unmanaged(network))
