"""firewalld, where it owns the firewall: a zone and policies, first without effect, then in effect, then permanent."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.firewalld import base_name, files, objects, settings, shown_settings
from wgorch.base.sh import Sh, quote, sh
from wgorch.facts.grammar import file_texts
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import facts_of
from wgorch.state.change import Change, Command, change, command
from wgorch.state.state import State
from wgorch.steps.firewall import iptables_of
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def firewalld_prepare(want: State, have: State) -> Iterator[Change]:
    """Create a firewalld zone and policies without effect; they exist only after a reload of firewalld."""
    if not want.firewalld or want.zones <= have.zones:
        return
    base = base_name(want.network)
    texts = files(base, want.mark, frozenset(), want.default_zone)
    making = [command("may_reload", base, next(iter(want.interfaces), ""))]
    making += [_write(path, texts[name]) for name, path in objects(base).items()]
    what = f"firewalld zone {base} and policies"
    # A reload drops what others have set at run time only.
    why, making = "firewalld would reject what iptables accepts; reloads it", [*making, command("reload_firewalld")]
    yield change("+", what, why, *making, disruptive=True)


def firewalld(want: State, have: State) -> Iterator[Change]:
    """Let firewalld accept traffic between tunnel and LAN, between peers on a relay, and WireGuard's UDP."""
    for setting in sorted(want.firewalld - have.firewalld):
        yield change("+", f"firewalld {_shown(setting)}", "packets would be rejected", _set(setting, "add"))
    # The tunnel leaves the zone last.
    for setting in sorted(have.firewalld - want.firewalld, key=lambda s: (" interface " in s, s)):
        yield change("-", f"firewalld {_shown(setting)}", "no longer wanted", _set(setting, "remove"), disruptive=True)


def firewalld_permanent(want: State, have: State) -> Iterator[Change]:
    """Make the firewalld zone and policies permanent; delete them at teardown."""
    base = base_name(want.network)
    paths = objects(base)
    differing = [name for name, text in want.zone_files.items() if have.zone_files.get(name) != text]
    if differing:
        why = "a reload of firewalld would drop it"
        writing = [_write(paths[name], want.zone_files[name]) for name in differing]
        yield change("~" if have.zone_files else "+", f"firewalld zone {base}, permanent", why, *writing)
    if gone := [name for name in have.zone_files if name not in want.zone_files]:
        removing = command("rm", "-f", *(f"{paths[name]}{end}" for name in gone for end in ("", ".old")))
        yield change("-", f"firewalld zone {base}, permanent", "no longer wanted", removing)


def _write(path: str, text: str) -> Command:
    return command("write_file", path, "644", stdin=text)


def _shown(setting: str) -> str:
    name, kind, value = setting.split(" ", 2)
    return f"{name}: {value if kind == 'rule' else f'{kind} {value}'}"


def _set(setting: str, verb: str) -> Command:
    name, kind, value = setting.split(" ", 2)
    where = f"--zone={name}" if kind in ("interface", "forward") else f"--policy={name}"
    if kind == "interface":
        what = f"--{'change' if verb == 'add' else verb}-interface={value}"
    elif kind == "forward":
        what = f"--{verb}-forward"
    else:
        what = f"--{verb}-{'rich-rule' if kind == 'rule' else kind}={value}"
    return command("firewalld_set" if verb == "add" else "firewalld_unset", where, what)


def _read(answers: Answers) -> Slice:
    base, lines = base_name(facts_of(answers).get("network", "")), answers.get("firewalld", [])
    texts = file_texts(answers.get("firewalld-files", []))
    return {
        "firewalld": shown_settings(base, lines),
        "zones": frozenset(line.split()[0] for line in lines if line.split()[0] in objects(base)),
        "zone_files": {path.rpartition("/")[2].removesuffix(".xml"): text for path, text in texts.items()},
        "default_zone": "\n".join(answers.get("firewalld-default", [])[:400]),
    }


def _target(target: Target) -> Slice:
    base, default_zone = base_name(target.network.name), target.facts.firewall.default_zone
    chosen = frozenset[str]()
    if target.facts.firewall.has_firewalld:
        chosen = settings(base, target.tunnels, iptables_of(target))
    return {
        "firewalld": chosen,
        "zones": frozenset(objects(base)) if chosen else frozenset(),
        "zone_files": files(base, target.network.mark, chosen, default_zone) if chosen else {},
        "default_zone": default_zone,
    }


def _probe(want: State, have: State) -> Iterator[Sh]:
    if want.firewalld or have.firewalld:
        yield sh(
            "{{ firewall-cmd --info-zone={base}; for p in in out udp; do firewall-cmd --info-policy={base}-$p; done; }} "
            "2>/dev/null | grep -e rule -e ports: -e interfaces: -e forward:",
            base=quote(base_name(want.network)),
        )


NOUN = Noun(
    state=("firewalld", "zones", "zone_files", "default_zone"),
    steps=tuple(map(step, (firewalld_prepare, firewalld, firewalld_permanent))),
    read=_read,
    part=Part(
        {"firewalld": Reread.AFTER_CHANGE, "firewalld-files": Reread.AFTER_CHANGE},
        moves_in_prepare=frozenset({"zones", "zone_files"}),
        labels={"firewalld": "firewalld settings"},
    ),
    target=_target,
    functions=("may_reload", "reload_firewalld", "firewalld_set", "firewalld_unset"),
    probe=_probe,
)
