"""Options that several verbs share, and the type of what is parsed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from wgorch.apply.lease import LEASE_S, MAX_HOLD_S, MAX_LEASE_S, MIN_HOLD_S, MIN_LEASE_S, VERIFY_S


class Options(argparse.Namespace):
    """Parsed options, filled once by the parser; a verb without one of these has its default."""

    verb: str | None
    inventory: str | None
    run_sources: bool
    playbooks: Path | None
    limit: frozenset[str]
    json: bool
    quiet: bool
    verbose: int
    profile: bool
    workers: str | None
    ask_sudo_password: bool
    ask_ssh_password: bool
    ssh_client: str | None
    strict: bool


DEFAULTS: dict[str, Any] = {
    "inventory": None,
    "run_sources": False,
    "playbooks": None,
    "limit": frozenset(),
    "json": False,
    "quiet": False,
    "verbose": 0,
    "profile": False,
    "workers": None,
    "ask_sudo_password": False,
    "ask_ssh_password": False,
    "ssh_client": None,
    "strict": False,
}


class ChangeOptions(Options):
    """Options of the verbs that change hosts."""

    yes: bool
    confirm_timeout: int
    wait: int


INVENTORY = "inventory file (default: $WGORCH_INVENTORY, ./inventory.yaml, or the last one applied from this directory)"


def inventory_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inventory", nargs="?", help=INVENTORY)
    _run_sources_option(parser)


def inventory_option(parser: argparse.ArgumentParser) -> None:
    """For verbs whose positional arguments are hosts."""
    parser.add_argument("-i", "--inventory", help=INVENTORY)
    _run_sources_option(parser)


def _run_sources_option(parser: argparse.ArgumentParser) -> None:
    allows = "let the inventory's sources (from:) run commands, use tokens and read files outside of its folder"
    parser.add_argument("--run-sources", action="store_true", help=allows)


def host_argument(parser: argparse.ArgumentParser, *flags: str, **settings: Any) -> None:
    """An argument that the shell completes with names of the inventory."""
    parser.add_argument(*flags, **settings).completer = _names  # type: ignore[attr-defined]


LIMITS = "limit changes to these hosts (and to their peers' entries for them)"


def limit_option(parser: argparse.ArgumentParser, limits: str = LIMITS) -> None:
    host_argument(parser, "--limit", metavar="HOST,…", type=_split, default=frozenset(), help=limits)


def json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def output_options(parser: argparse.ArgumentParser) -> None:
    json_option(parser)
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="log scripts sent to hosts; -vv: their output too"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print problems only")


def playbooks_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--playbooks", metavar="DIR", type=Path, help="read playbooks from DIR")


def strict_option(parser: argparse.ArgumentParser) -> None:
    strict = "fail if one host is unreachable (default: leave it out, and exit 7)"
    parser.add_argument("--strict", action="store_true", help=strict)


def run_options(parser: argparse.ArgumentParser, limits: str = LIMITS) -> None:
    """The options of a run over all hosts; `limits`: what --limit does."""
    inventory_argument(parser)
    limit_option(parser, limits)
    strict_option(parser)
    output_options(parser)
    playbooks_option(parser)
    parser.add_argument("--profile", action="store_true", help="print a timing report at the end")
    parser.add_argument("--workers", metavar="ADDRESS", help="open sessions on the workers of this Dask scheduler")
    login_options(parser)


def login_options(parser: argparse.ArgumentParser) -> None:
    """The options of every verb that logs in."""
    clients = "SSH client of all hosts: auto, paramiko, or openssh (default: the inventory's)"
    parser.add_argument("--ssh-client", type=_ssh_client, metavar="CLIENT", help=clients)
    logins = "prompt once for the SSH password and one-time codes (or read the password from the keyring)"
    parser.add_argument("--ask-ssh-password", action="store_true", help=logins)
    asks = "prompt once for the sudo password (or read it from the keyring)"
    parser.add_argument("--ask-sudo-password", action="store_true", help=asks)


def yes_option(parser: argparse.ArgumentParser, help: str = "do not ask for confirmation") -> None:
    parser.add_argument("-y", "--yes", action="store_true", help=help)


def change_options(parser: argparse.ArgumentParser) -> None:
    """The options of ChangeOptions."""
    yes_option(parser)
    bounds = f"default {LEASE_S}, {MIN_LEASE_S}–{MAX_LEASE_S}; {VERIFY_S} at least while paths are measured"
    lease = f"roll back after SECONDS unless confirmed ({bounds})"
    parser.add_argument("--confirm-timeout", metavar="SECONDS", type=int, default=LEASE_S, help=lease)
    waits = "wait up to SECONDS for another run to release its locks (default: exit 75 at once)"
    parser.add_argument("--wait", metavar="SECONDS", type=_seconds, default=0, help=waits)


def plan_options(parser: argparse.ArgumentParser) -> None:
    """The options that decide what a plan accepts."""
    accepts = "accept a changed WireGuard key of HOST"
    host_argument(parser, "--accept-new-key", metavar="HOST", action="append", default=[], help=accepts)
    parser.add_argument("--adopt", action="store_true", help="adopt existing unmanaged interfaces of that name")
    parser.add_argument("--find-mtu", action="store_true", help="redo path-MTU discovery")


def _split(text: str) -> frozenset[str]:
    # An empty variable of the caller's script must not widen a run to all hosts.
    if not text:
        raise argparse.ArgumentTypeError("no host named")
    return frozenset(text.split(","))


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) > 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not 0 to 86400 seconds")
    return int(text)


def hold_option(parser: argparse.ArgumentParser) -> None:
    hold = "leave the proven change unconfirmed for TIME (90s, 30m, 2h): wgorch confirm makes it permanent, else it rolls back"
    parser.add_argument("--hold", metavar="TIME", type=_hold, default=0, help=hold)


_UNITS = {"s": 1, "m": 60, "h": 3600}


def duration(text: str) -> int:
    """Seconds of a time as 90s, 30m or 2h. Raises ArgumentTypeError."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdecimal() or len(number) > 6:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 90s, 30m or 2h")
    return int(number) * _UNITS[unit]


def revision(text: str) -> int:
    """The number of a revision. Raises ArgumentTypeError."""
    if not text.isdecimal() or len(text) > 7:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a revision; an inventory goes behind -i")
    return int(text)


def _hold(text: str) -> int:
    seconds = duration(text)
    if not MIN_HOLD_S <= seconds <= MAX_HOLD_S:
        raise argparse.ArgumentTypeError(f"{text} is not {MIN_HOLD_S} seconds to {MAX_HOLD_S // 3600} hours")
    return seconds


def _ssh_client(text: str) -> str:
    from wgorch.inventory.model import CLIENTS

    if text not in CLIENTS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(CLIENTS)}")
    return text


def _names(prefix: str, parsed_args: Options, **_: Any) -> list[str]:
    """Complete a name of the inventory, also after a comma."""
    from wgorch.errors import WgorchError
    from wgorch.inventory.load import load
    from wgorch.memory import find_inventory

    before, comma, word = prefix.rpartition(",")
    try:
        inventory = load(find_inventory(parsed_args.inventory)[0], run_sources=parsed_args.run_sources)
    except WgorchError:
        return []
    names = {**inventory.members, **inventory.groups}
    return [f"{before}{comma}{name}" for name in names if name.startswith(word)]
