"""Name servers of the host while the tunnel is up; the former resolv.conf is kept on the host and restored."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from wgorch.base.sh import Sh, sh
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import facts_of
from wgorch.inventory.model import MARK
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def dns(want: State, have: State) -> Iterator[Change]:
    """Set the host's name servers while the tunnel is up; the former ones are restored at teardown."""
    if want.dns == have.dns:
        return
    if want.dns:
        why = f"{', '.join(have.dns)} now" if have.dns else "others are set"
        setting = command("set_dns", want.mark, *want.dns)
        yield change("~" if have.dns else "+", f"name servers {', '.join(want.dns)}", why, setting, disruptive=True)
    else:
        restoring = command("restore_dns", want.mark)
        yield change(
            "-", f"name servers {', '.join(have.dns)}", "the former ones are restored", restoring, disruptive=True
        )


def set_by(answers: Answers) -> str:
    """The network of wgorch that has set the host's name servers; empty where none has."""
    first = next(iter(answers.get("dns", [])), "")
    return first.removeprefix(f"# {MARK}") if first.startswith(f"# {MARK}") else ""


def _read(answers: Answers) -> Slice:
    """Name servers in a resolv.conf that carries the network's mark; none in another one."""
    if set_by(answers) != (facts_of(answers).get("network") or None):
        return {"dns": ()}
    servers = [words[1] for line in answers["dns"] if (words := line.split())[:1] == ["nameserver"] and len(words) == 2]
    return {"dns": tuple(str(ipaddress.ip_address(server)) for server in servers)}


def _target(target: Target) -> Slice:
    return {"dns": tuple(str(server) for server in target.desired.host.dns)}


def _probe(want: State, have: State) -> Iterator[Sh]:
    if want.dns or have.dns:
        yield sh("[ ! -e /etc/resolv.conf ] || show cat /etc/resolv.conf")


NOUN = Noun(
    state=("dns",),
    steps=(step(dns),),
    read=_read,
    part=Part({"dns": Reread.AFTER_CHANGE}, labels={"dns": "name servers"}),
    target=_target,
    functions=("set_dns", "restore_dns"),
    probe=_probe,
)
