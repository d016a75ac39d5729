"""The command line's words: verbs, options, help, and a guess at what was meant."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from wgorch import __version__
from wgorch.errors import BAD_INPUT

BY_WISH = {
    "start": {
        "init": "an inventory proposed for your machines, after a look at each; changes nothing",
        "check": "is the inventory good? no connection is made",
        "adopt": "an inventory of a WireGuard network that is there already; changes nothing",
        "rehearse": "its network built and tried in namespaces of this machine; no host is touched",
        "trust": "accept the SSH host key of a host, after comparing it",
        "completion": "what your shell needs to complete verbs, options and hosts",
    },
    "change": {
        "plan": "what `up` would change, and why; reads only",
        "up": "build the network and prove it, or leave every host as it was",
        "teardown": "give every host back as it was",
        "rotate-key": "a new key for a host: its peers know it first, and the old one is destroyed at the end",
        "export": "the network as files for other tools, or a device's as a QR code",
    },
    "look": {
        "status": "who talks to whom, and what is not as the inventory says",
        "map": "the network as a picture, or as a page to walk in",
        "verify": "measure every way from the hosts themselves",
    },
    "mend": {
        "trace": "follow one real packet: where does it die, and why?",
        "doctor": "what may stand in the tunnel's way on a host, and what mends it",
    },
}
"""Every verb by what one wants, with what it is for."""


EXAMPLES = """\
examples:
  wgorch rehearse inventory.yaml     would it work? tried on this machine
  wgorch up inventory.yaml           build the network, prove it, or leave every host as it was
  wgorch status                      who talks to whom
  wgorch trace home 10.10.13.61      why does it not answer?
  wgorch teardown                    every host as it was before
"""


EXITS = """\
exit codes:
  0 done   1 a fault was found   2 plan, status: changes or drift   3 usage, bad inventory, consent missing
  4 a host unreachable or unfit, nothing changed   5 failed and rolled back   6 failed, not all rolled back
  75 locked by another run   130 interrupted before any change
"""


EXAMPLES_OF = {
    "init": ("wgorch init root@203.0.113.13 root@192.168.0.9", "wgorch init --from-ssh-config"),
    "check": ("wgorch check", "wgorch check --schema >inventory.schema.json"),
    "adopt": ("wgorch adopt root@203.0.113.13 root@192.168.0.9 -o inventory.yaml",),
    "rehearse": ("wgorch rehearse inventory.yaml", "wgorch rehearse inventory.yaml --keep"),
    "trust": ("wgorch trust home",),
    "completion": ('eval "$(wgorch completion bash)"',),
    "plan": ("wgorch plan", "wgorch plan --format shell", "wgorch plan --limit home"),
    "up": ("wgorch up inventory.yaml", "wgorch up --yes --confirm-timeout 120", "wgorch up --limit home,company"),
    "teardown": ("wgorch teardown", "wgorch teardown --host root@203.0.113.13"),
    "rotate-key": ("wgorch rotate-key home",),
    "export": ("wgorch export phone --qr", "wgorch export -o configs/"),
    "status": ("wgorch status", "wgorch status --watch", "wgorch status --prometheus wgorch.prom"),
    "map": ("wgorch map -o network.html", "wgorch map -o network.svg --offline"),
    "verify": ("wgorch verify",),
    "trace": ("wgorch trace home 10.10.13.61", "wgorch trace home company --tcp 443"),
    "doctor": ("wgorch doctor company",),
}
"""What one types, most usual first."""


TEXTS = {verb: text for verbs in BY_WISH.values() for verb, text in verbs.items()}


CONNECTING = (
    "plan",
    "up",
    "status",
    "verify",
    "teardown",
    "rotate-key",
    "export",
    "trace",
    "doctor",
    "adopt",
    "map",
    "init",
)
"""The verbs that log in."""


class Parser(argparse.ArgumentParser):
    """argparse with our exit code, and a guess at what was meant; help begins with what it is for and with examples."""

    def format_help(self) -> str:
        formatter = self._get_formatter()
        formatter.add_text(self.description)
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        for group in self._action_groups:
            formatter.start_section(group.title)
            formatter.add_text(group.description)
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        return formatter.format_help()

    def error(self, message: str) -> NoReturn:
        if "invalid choice: " in message:
            from wgorch.inventory.fields.suggest import suggest

            wrong = message.split("invalid choice: ")[1].split("'")[1]
            message = f'there is no verb "{wrong}".{suggest(wrong, TEXTS)}'
        elif message.startswith("unrecognized arguments: "):
            from wgorch.inventory.fields.suggest import suggest

            known = [o for a in _all_actions(self) for o in a.option_strings]
            wrong = message.split(": ")[1].split()[0]
            message = f'there is no option or argument "{wrong}" here.{suggest(wrong, known)}'
        sys.stderr.write(f"wgorch: {message}\n    fix: {self.prog} --help\n")
        raise SystemExit(BAD_INPUT)


def _all_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                found += sub._actions
    return found


def _help() -> str:
    lines = ["Build WireGuard networks between sites, over SSH, from one inventory.", "", EXAMPLES]
    for action, verbs in BY_WISH.items():
        lines += [f"{action}:", *(f"  {verb:<11} {text}" for verb, text in verbs.items())]
    return "\n".join([*lines, "", "wgorch VERB --help tells a verb's options.  wgorch --version", "", EXITS])


def build_parser() -> argparse.ArgumentParser:
    """All verbs and options."""
    plain: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
    parser = Parser(prog="wgorch", **plain)
    parser.format_help = _help  # type: ignore[method-assign]
    parser.add_argument("--version", action="version", version=f"wgorch {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=False, parser_class=Parser)

    def verb(name: str, *, inventory: bool = True) -> argparse.ArgumentParser:
        examples = "".join(f"\n  {line}" for line in EXAMPLES_OF[name])
        sub = verbs.add_parser(name, description=f"{TEXTS[name]}\n\nexamples:{examples}", **plain)
        if inventory:
            sub.add_argument("inventory", nargs="?", help="the inventory; found by itself where left out")
        return sub

    check = verb("check")
    check.add_argument("--json", action="store_true", help="the result for programs")
    check.add_argument("--playbooks", metavar="DIR", type=Path, help="playbooks of your own")
    check.add_argument("--schema", action="store_true", help="print the inventory's JSON Schema, for editors")

    for name in ("plan", "up", "status", "verify", "teardown"):
        sub = verb(name)
        sub.add_argument("--limit", metavar="HOST,…", help="only these hosts, and their peers' entries for them")
        sub.add_argument("--json", action="store_true", help="the result for programs")
        sub.add_argument(
            "-v", "--verbose", action="count", default=0, help="the programs as they are sent; -vv: answers too"
        )
        sub.add_argument("-q", "--quiet", action="store_true", help="only what is wrong")
        sub.add_argument("--playbooks", metavar="DIR", type=Path, help="playbooks of your own")
        if name == "plan":
            sub.add_argument("--format", choices=("text", "json", "shell"), default="text", help="how to show it")
        sub.add_argument("--profile", action="store_true", help="where the time went, at the end")
        sub.add_argument("--workers", metavar="ADDRESS", help="sessions on the workers of this Dask scheduler")
        if name == "status":
            sub.add_argument(
                "--watch",
                nargs="?",
                type=float,
                const=2.0,
                metavar="SECONDS",
                help="again and again, with rates; q ends it",
            )
            sub.add_argument(
                "--prometheus", nargs="?", const="-", metavar="FILE", help="for Prometheus: here, or into a file"
            )
        if name in ("up", "teardown"):
            sub.add_argument("-y", "--yes", action="store_true", help="do not ask")
            sub.add_argument("--confirm-timeout", metavar="SECONDS", type=int, default=60, help="the lease (60)")
        if name in ("plan", "up"):
            sub.add_argument(
                "--accept-new-key", metavar="HOST", action="append", default=[], help="its key may be another"
            )
        if name == "up":
            sub.add_argument(
                "--accept-risk", choices=("lose-ssh",), help="change hosts that are reached through the tunnel itself"
            )
        if name in ("plan", "up"):
            sub.add_argument("--adopt", action="store_true", help="take over interfaces of that name that are nobody's")
            sub.add_argument("--find-mtu", action="store_true", help="measure anew what fits on the ways between hosts")
        if name == "up":
            sub.add_argument(
                "--try-direct", action="store_true", help="with `direct: try`: try it, even where nothing else changes"
            )
            sub.add_argument("--keep-going", action="store_true", help="where a host fails, keep the others' change")
        if name == "teardown":
            sub.add_argument("--purge", action="store_true", help="the keys go too")
            sub.add_argument("--packages", action="store_true", help="the packages that came with the network go too")
            sub.add_argument(
                "--host",
                metavar="USER@HOST",
                action="append",
                default=[],
                help="without an inventory: what is ours on this host",
            )
    rotate = verb("rotate-key", inventory=False)
    rotate.add_argument("hosts", nargs="+", metavar="HOST", help="hosts of the inventory")
    rotate.add_argument("-i", "--inventory", help="the inventory; found by itself where left out")
    rotate.add_argument("--json", action="store_true", help="the result for programs")
    rotate.add_argument("-v", "--verbose", action="count", default=0, help="the programs as they are sent")
    rotate.add_argument("-q", "--quiet", action="store_true", help="only what is wrong")
    rotate.add_argument("-y", "--yes", action="store_true", help="do not ask")
    rotate.add_argument("--playbooks", metavar="DIR", type=Path, help="playbooks of your own")
    rotate.add_argument("--confirm-timeout", metavar="SECONDS", type=int, default=60, help="the lease (60)")
    rotate.set_defaults(keep_going=False, accept_new_key=[], limit=None)
    drawing = verb("map")
    drawing.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True, help="FILE.svg, or FILE.html: one page, no network"
    )
    drawing.add_argument("--offline", action="store_true", help="by the inventory alone; no host is asked")
    export = verb("export", inventory=False)
    export.add_argument("what", nargs="?", help="a device or a host; every host where left out")
    export.add_argument("inventory", nargs="?", help="the inventory; found by itself where left out")
    export.add_argument(
        "--format", choices=("wg-quick", "peers", "compose", "hosts"), default="wg-quick", help="for which tool"
    )
    export.add_argument("--qr", action="store_true", help="a device's file as a QR code, here on the terminal")
    export.add_argument("-o", "--output", metavar="PATH", type=Path, help="a file (.conf, .png, .svg), or a directory")
    init = verb("init", inventory=False)
    init.add_argument("hosts", nargs="*", metavar="USER@HOST", help="your machines; asked for where left out")
    init.add_argument("--from-ansible", metavar="FILE", type=Path, help="the hosts of an inventory of Ansible's (INI)")
    init.add_argument("--from-ssh-config", action="store_true", help="the hosts that ~/.ssh/config names")
    init.add_argument("--name", help="what the network is to be called (office)")
    init.add_argument(
        "-o", "--output", metavar="FILE", type=Path, default=Path("inventory.yaml"), help="(inventory.yaml)"
    )
    init.add_argument("-y", "--yes", action="store_true", help="do not ask; every LAN is to be reached")
    adopting = verb("adopt", inventory=False)
    adopting.add_argument("hosts", nargs="+", metavar="USER@HOST", help="every host of the network that you reach")
    adopting.add_argument("--interface", default="wg0", metavar="NAME", help="their WireGuard interface (wg0)")
    adopting.add_argument("--name", default="office", help="what the network is to be called (office)")
    adopting.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it there, not here")
    trace = verb("trace", inventory=False)
    trace.add_argument("source", help="the host that sends it; or a device, or a machine in a LAN, where you send it")
    trace.add_argument("target", help="a host, a device, or an address in a subnet")
    trace.add_argument("inventory", nargs="?", help="the inventory; found by itself where left out")
    kind = trace.add_mutually_exclusive_group()
    kind.add_argument("--tcp", metavar="PORT", type=int, help="a TCP connection in place of a ping")
    kind.add_argument("--udp", metavar="PORT", type=int, help="a UDP packet in place of a ping")
    trace.add_argument("--pcap", metavar="DIR", type=Path, help="keep what passed on each host, for Wireshark")
    trace.add_argument("--json", action="store_true", help="the result for programs")
    doctor = verb("doctor", inventory=False)
    doctor.add_argument("hosts", nargs="*", metavar="HOST", help="hosts of the inventory; all where left out")
    doctor.add_argument("-i", "--inventory", help="the inventory; found by itself where left out")
    doctor.add_argument("--json", action="store_true", help="the result for programs")
    rehearse = verb("rehearse")
    rehearse.add_argument("--hard-nat", action="store_true", help="NAT routers choose a new port for every way")
    rehearse.add_argument("--keep", action="store_true", help="leave the network up in its world, to look around")
    rehearse.add_argument(
        "--enter", nargs=argparse.REMAINDER, metavar="MACHINE [COMMAND]", help="last: become a machine of a kept world"
    )
    rehearse.add_argument("--end", action="store_true", help="take a kept world down")
    shells = verb("completion", inventory=False)
    shells.add_argument("shell", choices=("bash", "zsh", "fish"), help="your shell")
    trust = verb("trust", inventory=False)
    trust.add_argument("host", help="a host of the inventory")
    trust.add_argument("inventory", nargs="?", help="the inventory; found by itself where left out")
    trust.add_argument("-y", "--yes", action="store_true", help="do not ask")
    for name in CONNECTING:
        verbs.choices[name].add_argument(
            "--ask-sudo-password", action="store_true", help="where sudo wants one: ask once, here (or a keyring)"
        )
    for name, sub in verbs.choices.items():
        given = [a for a in sub._actions if not a.option_strings]
        told = [str(a.metavar or a.dest.upper()) + (" …" if a.nargs in ("+", "*") else "") for a in given]
        shown = [f"[{word}]" if a.nargs in ("?", "*") else word for a, word in zip(given, told, strict=True)]
        sub.usage = " ".join(["wgorch", name, "[options]", *shown])
    for action in _all_actions(parser):
        if action.dest in ("limit", "hosts", "host", "source", "target", "what", "accept_new_key"):
            action.completer = _host_names  # type: ignore[attr-defined]
    return parser


def _host_names(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """For a shell that completes: the names in the inventory."""
    from wgorch.errors import WgorchError
    from wgorch.inventory.load import load
    from wgorch.memory import find_inventory

    done, comma, word = prefix.rpartition(",")
    try:
        path, _how = find_inventory(getattr(parsed_args, "inventory", None))
        names = load(path).members
    except WgorchError:
        return []
    return [f"{done}{comma}{name}" for name in names if name.startswith(word)]


def markdown() -> str:
    """docs/cli.md: every verb with its examples and options, from the parser itself."""
    parser = build_parser()
    subs = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction)).choices
    lines = ["# Every verb", "", "Generated from the program: `make docs`. Exit codes:", ""]
    lines += [f"    {line.strip()}" for line in EXITS.split("\n")[1:] if line]
    for action, verbs in BY_WISH.items():
        lines += ["", f"## {action.capitalize()}"]
        for verb, text in verbs.items():
            lines += ["", f"### wgorch {verb}", "", f"{text[0].upper()}{text[1:]}.", ""]
            lines += [*(f"    {example}" for example in EXAMPLES_OF[verb]), "", "| | |", "| --- | --- |"]
            for action in subs[verb]._actions:
                if action.dest != "help":
                    lines.append(f"| {_shown(action)} | {(action.help or '').replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def _shown(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        value = "\\|".join(str(choice) for choice in action.choices)
    if not action.option_strings:
        return f"`{value if action.metavar else action.dest.upper()}`"
    takes = "" if action.nargs == 0 else f" {value}" if action.nargs != "?" else f" [{value}]"
    return ", ".join(f"`{option}{takes}`" for option in action.option_strings)
