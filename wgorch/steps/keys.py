"""Key pair of a host: generated there under umask 077 and never overwritten; only the public half is read.

A new key lies beside the old one until the change that uses it is confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.facts.facts import Facts
from wgorch.inventory.model import Network
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.state.wireguard import FOREIGN
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target

KEY_FILE_MODE = "-rw-------"


def keys(want: State, have: State) -> Iterator[Change]:
    """Generate the host's key pair there, or import it from the inventory's own source; never overwrite one."""
    if not want.key_mode:
        return
    missing = want.keys - have.keys
    if missing or not have.key_mode:
        making, why = _generate(want, have) if not want.key_source else _import(want, have, min(missing, default=""))
        yield change("~" if have.key_mode else "+", "private key", why, command(*making))
    for file in sorted(want.kept_secrets - have.kept_secrets):
        keeping = (command("keep_preshared", file, interface) for interface in want.interfaces)
        yield change("+", f"file {file}", "keeps a preshared key of the interface", *keeping)
    if have.key_mode and have.key_mode != want.key_mode:
        why = f"readable by others ({have.key_mode}); consider a new one"
        yield change("~", "private key", why, command("chmod", "600", want.key_file))


def _generate(want: State, have: State) -> tuple[tuple[str, ...], str]:
    if have.key_mode:
        return ("stage_key", want.key_file), "a new one is to replace it"
    return ("generate_key", want.key_file), "the host has none yet"


def _import(want: State, have: State, key: str) -> tuple[tuple[str, ...], str]:
    found = f"another one ({key[:8]}…)" if have.key_mode else "it"
    return ("import_key", want.key_file, *want.key_source), f"{' '.join(want.key_source)} has {found}"


def _have(facts: Facts, _network: Network) -> Slice:
    return {
        "key_mode": facts.keys.mode,
        "keys": frozenset({*facts.keys.staged, facts.keys.public} - {""}),
        "kept_secrets": frozenset(name for name in facts.keys.preshared if name.startswith(FOREIGN)),
    }


def _target(target: Target) -> Slice:
    adopted = ("wg", "show", target.tunnel, "private-key") if target.facts.adopted else ()
    peers = target.facts.wg(target.network).peers.values() if target.facts.is_managed(target.network) else ()
    return {
        "key_mode": KEY_FILE_MODE,
        "keys": frozenset({target.key(target.desired.name)}),
        "kept_secrets": frozenset(peer.preshared for peer in peers if peer.preshared.startswith(FOREIGN)),
        "key_source": target.desired.host.private_key or adopted,
    }


NOUN = Noun(
    state=("key_mode", "keys", "kept_secrets", "key_source"),
    steps=(step(keys),),
    have=_have,
    target=_target,
    functions=("generate_key", "stage_key", "import_key", "keep_preshared"),
    unprobed="generated before the lease; which key the interface has is the interface's probe",
)
