"""`wgorch init`: a short interview, a look at each machine, and an inventory with a reason for each choice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.errors import UsageError
from wgorch.interop import propose
from wgorch.interop.discover import look
from wgorch.interop.sources import from_ansible, from_ssh_config
from wgorch.inventory.load import loads
from wgorch.inventory.model import Host
from wgorch.inventory.targets import network_name, ssh_target
from wgorch.remote.fleet import Fleet
from wgorch.report import files
from wgorch.report.console import safe_text

if TYPE_CHECKING:
    from rich.console import Console


def machines(out: Console, given: list[str], ansible: Path | None, ssh_config: bool, *, asks: bool) -> list[str]:
    """The SSH places of a person's machines: from the command line, from files that know them, or asked for."""
    texts = list(given)
    try:
        if ansible:
            texts += from_ansible(ansible.read_text(encoding="utf-8"))
        if ssh_config:
            texts += from_ssh_config((Path.home() / ".ssh" / "config").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the machines cannot be read: {error}\n    fix: name them: wgorch init root@HOST …") from None
    if not texts and asks:
        out.print("Your machines, as SSH reaches them (user@host, or a name of ~/.ssh/config); an empty line ends.")
        while text := input("  machine: ").strip():
            texts.append(text)
    if not texts:
        raise UsageError("no machine is named\n    fix: wgorch init root@HOST root@HOST …, or --from-ssh-config")
    return list(dict.fromkeys(texts))


def targets(texts: list[str]) -> dict[str, Host]:
    """Those places as hosts of which nothing else is known. Raises UsageError."""
    return {text: Host(text, ssh_target(text), (), 0) for text in texts}


def init(out: Console, fleet: Fleet, name: str | None, path: Path, *, asks: bool) -> None:
    """Look at the machines, propose, ask about each LAN, and write the file; it passes `check`, or says what is missing."""
    seen, failed = look(fleet, "wg0")
    for error in failed.values():
        out.print(safe_text(f"left out: {error}", "yellow"))
    if not seen:
        raise UsageError("none of them could be looked at\n    fix: see above")
    name = network_name(name or (asks and input("What is the network to be called? [office] ").strip()) or "office")
    proposal = propose.propose(seen, {text: fleet.hosts[text].ssh for text in seen}, name)
    for machine in proposal.machines:
        told = f"can be dialled at {machine.endpoint}: {machine.why}" if machine.endpoint else machine.why
        out.print(safe_text(f"{machine.name} ({machine.ssh}): {told}"))
        for lan, card in machine.lans:
            if asks and lan in proposal.shared.get(machine.name, []):
                question = f"  it is in the LAN {lan} ({card}): are others to reach that? [Y/n] "
                if input(question).lower().startswith("n"):
                    proposal.shared[machine.name].remove(lan)
    if proposal.relay:
        out.print(safe_text(f"{proposal.relay} is to be the relay: {proposal.why_relay}"))
    out.print(safe_text(f"{proposal.subnet} is to be the tunnel's network: nobody has an address or a route in it"))
    for note in proposal.notes:
        out.print(safe_text(note, "yellow"))
    text = proposal.text()
    files.write_text(text, path)
    out.print(safe_text(f"✓ written: {path}", "green"))
    loads(text, str(path))
    out.print(safe_text("next: read it, then wgorch plan; wgorch up", "dim"))
