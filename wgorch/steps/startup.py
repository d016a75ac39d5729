"""Start-up: what runs the boot script and the watch; changed only after the change is confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.startup import UNITS, WATCHING, digest, starter_of, unit_digest, watch_texts, watch_units
from wgorch.base.ip import network_text
from wgorch.base.sh import EMPTY, comment, quote, quote_words, sh, sh_lines
from wgorch.facts.grammar import match, words
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import facts_of
from wgorch.host.library import functions, pieces_of
from wgorch.host.programs import readable
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target

STEP = "persist"
"""Name of the step."""


def persist(want: State, have: State) -> Iterator[Change]:
    """Start the network at boot, follow peers whose address may change, and end lines of the policy in time."""
    for kind, wanted in want.units.items():
        if have.units.get(kind) != wanted:
            yield _starting(kind, want, have)
    for kind in sorted(have.units.keys() - want.units.keys()):
        starter = starter_of(kind, want.network, want.directory)
        ending = (command(*words, may_be_absent=True) for words in starter.gone)
        after = (command(*words) for words in starter.after)
        why = "nothing is left to start" if not want.units else f"{next(iter(want.units))} starts it now"
        yield change("-", starter.what, why, *ending, command("rm", "-f", starter.path), *after)
    if want.watch != have.watch:
        yield _watching(want, have)


def _starting(kind: str, want: State, have: State) -> Change:
    starter = starter_of(kind, want.network, want.directory)
    making = command("write_file", starter.path, starter.mode, stdin=starter.text)
    enable = (command(*words) for words in starter.enable)
    return change("~" if kind in have.units else "+", starter.what, "not started at boot", making, *enable)


def _watching(want: State, have: State) -> Change:
    service, timer = watch_units(want.network)
    systemd = want.starter == "systemd"
    what = f"timer {timer}" if systemd else f"watch, by {want.starter}"
    file = f"{want.directory}/watch"
    reload = (command("systemctl", "daemon-reload"),) if systemd else ()
    if want.watch:
        texts = watch_texts(want.network, want.directory) if systemd else {}
        units = (command("write_file", f"{UNITS}/{name}", "644", stdin=text) for name, text in texts.items())
        enable = (command("systemctl", "enable", "--now", "--quiet", timer),) if systemd else ()
        making = (command("write_file", file, "600", stdin=want.watch_text), *units, *reload, *enable)
        return change(
            "+" if not have.watch else "~",
            what,
            "the address of a peer may change, or a line of the policy ends",
            *making,
        )
    disable = (command("systemctl", "disable", "--now", "--quiet", timer, may_be_absent=True),) if systemd else ()
    gone = command("rm", "-f", file, *((f"{UNITS}/{service}", f"{UNITS}/{timer}") if systemd else ()))
    return change("-", what, "nothing is left to watch", *disable, gone, *reload)


def _read(answers: Answers) -> Slice:
    units: dict[str, str] = {}
    enabled: set[str] = set()
    watch = ""
    for word, rest in words(answers.get("files", [])):
        if word == "unit":
            kind, _, digested = rest.partition(" ")
            units[match(r"systemd|openrc|runit|cron", kind)] = match(r"[0-9a-f]{64}", digested)
        elif word == "enabled":
            enabled.add(rest)
        elif word == "watch":
            watch = match(r"[0-9a-f]{64}", rest.split(" ")[0])
    return {
        "starter": match(r"systemd|openrc|runit|cron|", facts_of(answers).get("init", "")),
        "units": {kind: text if kind in enabled else "off" for kind, text in units.items()},
        "watch": watch,
    }


def _target(target: Target) -> Slice:
    starter, text = target.facts.system.starter, watch_script(target)
    # A start-up system that is installed but does not run just now keeps what it has.
    units = {"units": {starter: unit_digest(target.network, starter)}} if starter else {}
    watch = digest(text) if text and starter in WATCHING else ""
    return {"starter": starter, "watch": watch, "watch_text": text, **units}


def watch_script(target: Target) -> str:
    """The script that looks after what changes by itself; empty where nothing does."""
    ends = target.desired.filtering.ends if target.desired.filtering else False
    ending = [sh("end_rules {network}", network=quote(target.network.name))] if ends else []
    lines = [*ending, *(quote_words(argv) for argv in (*_named_endpoints(target), *_direct_peers(target)))]
    if not lines:
        return ""
    network = target.network
    head = [
        sh("#!/bin/sh"),
        comment(f"{network.mark}: follows the peers whose address may change, and ends lines of the policy"),
        sh("interface={name} directory={place}", name=quote(network.interface), place=quote(network.directory)),
        sh("exits=yes") if target.desired.host.exit else sh("exits=no"),
    ]
    needed = [
        readable("lib/ping.sh"),
        *([functions(pieces_of(frozenset({"end_rules"})))] if ends else []),
        readable("watch.sh"),
    ]
    return sh_lines([*head, *needed, *lines, sh("exit 0"), EMPTY])


def _named_endpoints(target: Target) -> Iterator[tuple[str, ...]]:
    for link in target.desired.links if target.desired.addresses_of_peers else ():
        address = target.desired.addresses_of_peers.get(link.peer)
        if address and link.endpoint and not target.is_left_out(link.peer):
            yield ("refresh_endpoint", target.key(link.peer), str(link.endpoint), str(address))


def _direct_peers(target: Target) -> Iterator[tuple[str, ...]]:
    for peer, relay in target.desired.fall_backs:
        if target.is_left_out(peer) or target.is_left_out(relay.peer):
            continue
        nets = ",".join(map(network_text, relay.allowed_ips))
        yield ("fall_back", target.key(peer), target.key(relay.peer), nets)


NOUN = Noun(
    state=("starter", "units", "watch", "watch_text"),
    steps=(step(persist),),
    read=_read,
    part=Part(
        {"files": Reread.ALWAYS},
        moves_in_prepare=frozenset({"units"}),
        labels={"watch": "the watch script", "starter": "the start-up system"},
    ),
    target=_target,
    functions=("write_file", "enable_runit", "disable_runit"),
    unprobed="changed only after the change is confirmed",
)
