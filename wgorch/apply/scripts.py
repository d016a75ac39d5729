"""Render the sh of each phase of a change on one host."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from wgorch.apply.lease import MAX_LEASE_S, PROGRAM_S
from wgorch.apply.upload import abort_write, call_referee, pieces, script_words, secret_file, write_file
from wgorch.facts.facts import Clock
from wgorch.gather.gather import ENVIRONMENT
from wgorch.plan.host import HostPlan
from wgorch.remote.shell import Definitions
from wgorch.state.change import quote_words


def lock_script(
    directory: str, lock: tuple[str, str, int], clock: Clock, plan: HostPlan, secrets: Mapping[str, str]
) -> str:
    """sh that takes the lock, prepares, and writes preshared keys. `lock`: id of the change, who, and seconds to hold it."""
    place = quote_words([directory])
    change_id, who, hold_s = lock
    return "\n".join(
        [
            f"{ENVIRONMENT}umask 077",
            f"[ -d {place} ] || mkdir -p -m 700 {place}; cd {place} || {{ printf '@fail files\\n'; exit 1; }}",
            # Another run may be executing `referee`: write a private copy, and move it only where the host is free.
            f"to=referee; [ ! -e lock ] || to=referee.$$\nprintf '%s' \"${{referee:?}}\" >$to || {abort_write('referee')}",
            "[ $to = referee ] || mv -f $to referee",
            f"wgorch_epoch={clock.time - clock.uptime}",
            f"( {call_referee(f'lock {change_id} {quote_words([who])} {hold_s}')} ) || exit 75",
            *([plan.prepare_program.text] if plan.prepare else []),
            *(secret_file(name, secret) for name, secret in secrets.items()),
        ]
    )


def apply_script(directory: str, change_id: str, lease_s: int, plan: HostPlan) -> tuple[str, Definitions]:
    """sh that writes the scripts of a change, arms the lease and makes the change; and the definitions it needs."""
    do, undo, boot = plan.do_program, plan.undo_program, plan.boot
    script = "\n".join(
        [
            f"{ENVIRONMENT}umask 077; cd {quote_words([directory])} || exit 1",
            # These files are read only once the lease is armed, as long as this run holds the lock.
            f"IFS= read -r line <lock && [ \"$line\" = run={change_id} ] || {{ printf 'lost {change_id}\\n'; exit 1; }}",
            write_file("do", *script_words(do)),
            write_file("undo", *script_words(undo)),
            write_file("probe", shlex.quote(plan.probe.rstrip("\n"))),
            "start_up=" + "'\n'".join(script_words(boot)),
            call_referee(f"apply {change_id} {lease_s} {MAX_LEASE_S} {min(PROGRAM_S, max(5, lease_s - 5))}"),
        ]
    )
    return script, pieces(frozenset((*do.pieces, *undo.pieces, *boot.pieces)))


def finish_script(directory: str, change_id: str, plan: HostPlan, keep: str) -> str:
    """sh that makes a confirmed change last and releases the lock. `keep`: keep, remove or purge."""
    stay = ["(", plan.stay_program.text, ")"] if any(c.commands for c in plan.stay) else []
    return "\n".join([_enter(directory), *stay, call_referee(f"finish {change_id} {keep}")])


def renew_script(directory: str, change_id: str, lease_s: int) -> str:
    """sh that renews the lease; it rides on the phase that verifies."""
    return f"( cd {quote_words([directory])} || exit 1; {call_referee(f'renew {change_id} {lease_s}')} )"


def referee_script(directory: str, words: str) -> str:
    """sh that calls the referee of a network."""
    return f"{_enter(directory)}\n{call_referee(words)}"


def _enter(directory: str) -> str:
    return f"{ENVIRONMENT}cd {quote_words([directory])} || exit 1"
