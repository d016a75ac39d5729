"""One key pair a host, born there under umask 077 and never overwritten; only the public half is ever read.

A new key lies beside the old one until the change that takes it up is confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.state.change import Change, change, command
from wgorch.state.state import State


def keys(want: State, have: State) -> Iterator[Change]:
    if not want.key_mode:
        return
    missing = want.keys - have.keys
    if missing or not have.key_mode:
        why = "the host has none yet" if not have.key_mode else "another one is to take its place"
        making = ("import_key", want.key_file, *want.key_source) if want.key_source else ("generate_key", want.key_file)
        if have.key_mode and not want.key_source:
            making = ("stage_key", want.key_file)
        if want.key_source:
            why = (
                f"{' '.join(want.key_source)} has {'it' if not have.key_mode else f'another one ({min(missing)[:8]}…)'}"
            )
        yield change("~" if have.key_mode else "+", "private key", why, command(*making))
    if have.key_mode and have.key_mode != want.key_mode:
        why = f"others can read it ({have.key_mode}); consider a new one"
        yield change("~", "private key", why, command("chmod", "600", want.key_file))
