"""Start-up: what runs the boot script and the watch; changed only after the change is confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.startup import (
    UNITS,
    WATCHING,
    digest,
    failover_starter_of,
    starter_of,
    unit_digest,
    watch_texts,
    watch_units,
)
from wgorch.base.ip import network_text
from wgorch.base.sh import EMPTY, Sh, comment, quote, quote_words, sh, sh_lines
from wgorch.facts.facts import Facts
from wgorch.facts.grammar import match, words
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import facts_of
from wgorch.host.library import functions, pieces_of
from wgorch.host.programs import parameters as parameters_of
from wgorch.host.programs import readable
from wgorch.inventory.model import Network
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.routes import has_nexthops
from wgorch.steps.target import Target
from wgorch.topology.desired import ACTIVE

STEP = "persist"
"""Name of the step."""


def persist(want: State, have: State) -> Iterator[Change]:
    """Start the network at boot, follow peers' addresses, end lines of the policy in time, and choose between relays."""
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
    if want.failover != have.failover:
        yield _choosing(want, have)
    yield from _draining(want, have)


def _starting(kind: str, want: State, have: State) -> Change:
    starter = starter_of(kind, want.network, want.directory)
    making = command("write_file", starter.path, starter.mode, stdin=starter.text)
    enable = (command(*words) for words in starter.enable)
    return change("~" if kind in have.units else "+", starter.what, "not started at boot", making, *enable)


def _draining(want: State, have: State) -> Iterator[Change]:
    """Keep the marks of relays that are to be left."""
    if want.drained != have.drained:
        file = f"{want.directory}/drained"
        why = "hosts are to leave this relay" if want.drained else "hosts may use this relay"
        keeping = command("write_file", file, "600", stdin=want.drained) if want.drained else command("rm", "-f", file)
        yield change("+" if want.drained else "-", "mark of a drained relay", why, keeping)
    for name in sorted(want.left - have.left):
        keeping = command("write_file", f"{want.directory}/drain.{name}", "600", stdin="left")
        yield change("+", f"mark to leave the relay of {name}", "it is to be drained", keeping)
    for name in sorted(have.left - want.left):
        ending = command("rm", "-f", f"{want.directory}/drain.{name}")
        yield change("-", f"mark to leave the relay of {name}", "it may be used", ending)


def _choosing(want: State, have: State) -> Change:
    """Begin, renew or end the script that chooses between relays."""
    file = f"{want.directory}/failover"
    starter = failover_starter_of(want.starter, want.network, want.directory) if want.starter else None
    if want.failover and starter:
        making = (
            command("write_file", file, "600", stdin=want.failover_text),
            command("write_file", starter.path, starter.mode, stdin=starter.text),
            *(command(*words) for words in starter.enable),
            command("renew_failover", want.starter),
        )
        return change("~" if have.failover else "+", f"failover, by {want.starter}", "a relay may fail", *making)
    ending = [command(*words, may_be_absent=True) for words in starter.gone] if starter else []
    files = command("rm", "-f", *([starter.path] if starter else []), file)
    after = (command(*words) for words in starter.after) if starter else ()
    ended = command("end_failover")
    return change(
        "-", f"failover, by {want.starter}", "there are no relays to choose between", *ending, files, ended, *after
    )


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
    watch = failover = ""
    for word, rest in words(answers.get("files", [])):
        if word == "unit":
            kind, _, digested = rest.partition(" ")
            units[match(r"systemd|openrc|runit|cron", kind)] = match(r"[0-9a-f]{64}", digested)
        elif word == "enabled":
            enabled.add(rest)
        elif word == "watch":
            watch = match(r"[0-9a-f]{64}", rest.split(" ")[0])
        elif word == "failover":
            failover = match(r"[0-9a-f]{64}", rest.split(" ")[0])
    return {
        "starter": match(r"systemd|openrc|runit|cron|", facts_of(answers).get("init", "")),
        "units": {kind: text if kind in enabled else "off" for kind, text in units.items()},
        "watch": watch,
        "failover": failover,
    }


def _target(target: Target) -> Slice:
    starter, text = target.facts.system.starter, watch_script(target)
    # A start-up system that is installed but does not run just now keeps what it has.
    units = {"units": {starter: unit_digest(target.network, starter)}} if starter else {}
    watch = digest(text) if text and starter in WATCHING else ""
    choosing = failover_script(target)
    failover = {"failover": digest(choosing) if choosing and starter else "", "failover_text": choosing}
    marks = {"drained": target.drained, "left": target.left}
    return {"starter": starter, "watch": watch, "watch_text": text, **failover, **marks, **units}


def _have(facts: Facts, _network: Network) -> Slice:
    return {"drained": facts.failover.drained, "left": facts.failover.left}


def failover_script(target: Target) -> str:
    """The script by which a host chooses between its relays, or a relay finds a spoke; empty where there is one relay."""
    desired, network = target.desired, target.network
    lines = [*(quote_words(argv) for argv in (*_choices(target), *_spokes(target)))]
    if not lines:
        return ""
    timing, versions = network.failover, {subnet.version for subnet in network.subnets}
    parameters = {
        "network": network.name,
        "interface": network.interface,
        "directory": network.directory,
        "interval": _seconds(timing.interval_ms),
        "misses": str(timing.misses),
        "back": str(timing.back_s * 1000 // timing.interval_ms),
        "table": str(network.detour_table),
        "nexthop4": str(network.detour_table) if has_nexthops(target) and 4 in versions else "",
        "nexthop6": str(network.nexthop6) if has_nexthops(target) and 6 in versions else "",
        "nets": " ".join(network_text(net) for net in desired.routes_by_interface.get(ACTIVE, ())),
    }
    head = [
        sh("#!/bin/sh"),
        comment(f"{network.mark}: chooses between relays; ends by itself when this file goes or changes"),
        parameters_of(parameters),
    ]
    role = sh("choose_relay") if desired.choices else sh("find_spokes")
    needed = [readable("lib/ping.sh"), readable("failover.sh")]
    return sh_lines([*head, *needed, *lines, role, EMPTY])


def _seconds(milliseconds: int) -> str:
    """A time as ping and sleep take it."""
    return f"{milliseconds / 1000:g}"


def _choices(target: Target) -> Iterator[tuple[str, ...]]:
    """The relays of a spoke: interface, tunnel address and name of each, the preferred one first."""
    for choice in target.desired.choices:
        address = target.desired.addresses_of_relays[choice.relay]
        yield ("choice", choice.interface, str(address), choice.relay)


def _spokes(target: Target) -> Iterator[tuple[str, ...]]:
    """The spokes of a relay: key, networks, and the interfaces of the other relays that reach each."""
    desired = target.desired
    for detour in desired.detours:
        link = desired.link(detour.spoke)
        if link and not target.is_left_out(detour.spoke):
            nets = " ".join(map(network_text, link.allowed_ips))
            others = " ".join(choice.interface for choice in detour.relays)
            yield ("spoke", target.key(detour.spoke), nets, others, detour.spoke)


def watch_script(target: Target) -> str:
    """The script that looks after what changes by itself; empty where nothing does."""
    ends = target.desired.filtering.ends if target.desired.filtering else False
    ending = [sh("end_rules {network}", network=quote(target.network.name))] if ends else []
    lines = [*ending, *_named_endpoints(target), *(quote_words(argv) for argv in _direct_peers(target))]
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


def _named_endpoints(target: Target) -> Iterator[Sh]:
    several, own = len(target.tunnels) > 1, quote(target.tunnel)
    if several and target.desired.addresses_of_peers:
        # A relay that answers by another one does not answer at its own endpoint.
        yield sh('ping() {{ command ping -I "$interface" "$@"; }}')
    for link in target.desired.links if target.desired.addresses_of_peers else ():
        address = target.desired.addresses_of_peers.get(link.peer)
        if address and link.endpoint and not target.is_left_out(link.peer):
            asking = quote_words(["refresh_endpoint", target.key(link.peer), str(link.endpoint), str(address)])
            by = quote(target.desired.interface_of(link))
            yield sh("interface={by}; {asking}; interface={own}", by=by, asking=asking, own=own) if several else asking


def _direct_peers(target: Target) -> Iterator[tuple[str, ...]]:
    for peer, relay in target.desired.fall_backs:
        if target.is_left_out(peer) or target.is_left_out(relay.peer):
            continue
        nets = ",".join(map(network_text, relay.allowed_ips))
        yield ("fall_back", target.key(peer), target.key(relay.peer), nets)


NOUN = Noun(
    state=("starter", "units", "watch", "watch_text", "failover", "failover_text", "drained", "left"),
    steps=(step(persist),),
    have=_have,
    read=_read,
    part=Part(
        {"files": Reread.ALWAYS},
        moves_in_prepare=frozenset({"units"}),
        labels={"watch": "the watch script", "failover": "the failover script", "starter": "the start-up system"},
    ),
    target=_target,
    functions=("write_file", "enable_runit", "disable_runit", "renew_failover", "end_failover"),
    unprobed="changed only after the change is confirmed",
)
