"""Drop-ins that keep other network managers (NetworkManager, systemd-networkd) off the tunnel."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.drop_ins import drop_in_texts
from wgorch.facts.grammar import file_texts
from wgorch.facts.part import Answers, Part, Reread
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def drop_ins(want: State, have: State) -> Iterator[Change]:
    """Keep other network managers (NetworkManager, systemd-networkd) off the tunnel."""
    for path, text in want.drop_ins.items():
        if have.drop_ins.get(path) != text:
            making = command("write_file", path, "644", stdin=text)
            reloading = command("reload_network_manager", path)
            why = "it would manage the tunnel, too"
            yield change("~" if path in have.drop_ins else "+", f"drop-in {path}", why, making, reloading)
    for path in sorted(have.drop_ins.keys() - want.drop_ins.keys()):
        reloading = command("reload_network_manager", path)
        yield change("-", f"drop-in {path}", "no tunnel is left", command("rm", "-f", path), reloading)


def _read(answers: Answers) -> Slice:
    return {"drop_ins": file_texts(answers.get("drop-ins", []))}


def _target(target: Target) -> Slice:
    return {"drop_ins": drop_in_texts(target.network, target.facts.system.managers, target.tunnels)}


NOUN = Noun(
    state=("drop_ins",),
    steps=(step(drop_ins),),
    read=_read,
    part=Part({"drop-ins": Reread.AFTER_CHANGE}, labels={"drop_ins": "drop-ins of network managers"}),
    target=_target,
    functions=("write_file", "reload_network_manager"),
    unprobed="written only after the change is confirmed",
)
