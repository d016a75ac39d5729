"""The one program of questions, for any host; its text depends on the network alone."""

from __future__ import annotations

from collections.abc import Callable

from wgorch.command import quote_words
from wgorch.facts.observed import Observed
from wgorch.facts.parse import observed
from wgorch.inventory.model import Network
from wgorch.remote.shell import Shell
from wgorch.sh import text_of

NONCE = "wgorch-answer"
DEADLINE_S = 30

ENVIRONMENT = """\
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
"""


def questions(network: Network, listen_port: int) -> str:
    """The program that asks a host everything a plan needs to know. It changes nothing."""
    words = {
        "network": network.name,
        "interface": network.interface,
        "ipv6": "yes" if network.ipv6 else "no",
        "port_hex": f"{listen_port:04X}",
        "nonce": NONCE,
    }
    given = "\n".join(f"{name}={quote_words([value])}" for name, value in words.items())
    return f"{ENVIRONMENT}{given}\n{text_of('facts', 'questions.sh')}"


def gather(
    shell: Shell,
    network: Network,
    listen_port: int,
    before: str = "",
    deadline_s: float = DEADLINE_S,
    on_line: Callable[[str], None] | None = None,
) -> tuple[str, Observed]:
    """Run `before` (if any) and ask everything, in one round trip; what `before` printed, and the answers."""
    text = shell.exchange(f"{before}\n{questions(network, listen_port)}", "read how it is", deadline_s, on_line)
    said, _, answers = text.partition(f"\n{NONCE} ")
    return said, observed(shell.host, f"{NONCE} {answers}", NONCE)
