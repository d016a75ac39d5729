"""Render the sh of each phase of a change on one host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wgorch.apply.lease import MAX_LEASE_S, PROGRAM_S
from wgorch.apply.upload import abort_write, call_referee, pieces, script_words, secret_file, write_file
from wgorch.base.sh import Sh, quote, quote_words, sh, sh_lines
from wgorch.facts.facts import Clock
from wgorch.gather.gather import ENVIRONMENT
from wgorch.plan.host import HostPlan
from wgorch.remote.shell import Definitions


def lock_script(
    directory: str, lock: tuple[str, str, int, str], clock: Clock, plan: HostPlan, secrets: Mapping[str, str]
) -> Sh:
    """sh that takes the lock, prepares, and writes preshared keys.

    `lock`: id of the change, who, seconds to hold it, and what the journal says of it.
    """
    place = quote(directory)
    change_id, who, hold_s, about = lock
    return sh_lines(
        [
            sh("{environment}umask 077", environment=ENVIRONMENT),
            sh(
                "[ -d {place} ] || mkdir -p -m 700 {place}; cd {place} || {{ printf '@fail files\\n'; exit 1; }}",
                place=place,
            ),
            # Another run may be executing `referee`: write a private copy, and move it only where the host is free.
            sh("to=referee; [ ! -e lock ] || to=referee.$$"),
            sh("printf '%s' \"${{referee:?}}\" >$to || {abort}", abort=abort_write("referee")),
            sh("[ $to = referee ] || mv -f $to referee"),
            sh("wgorch_epoch={epoch}", epoch=clock.time - clock.uptime),
            sh("( {call} ) || exit 75", call=call_referee(["lock", change_id, who, str(hold_s), about])),
            *([plan.prepare_program.text] if plan.prepare else []),
            *(secret_file(name, secret) for name, secret in secrets.items()),
            *_trial(written_last(plan)),
        ]
    )


def written_last(plan: HostPlan) -> list[str]:
    """Files that are written only after a change is confirmed."""
    found = []
    for cmd in (cmd for change in plan.stay for cmd in change.commands):
        if cmd.argv[0] == "write_file":
            found.append(cmd.argv[1])
        elif cmd.argv[0] in ("set_dns", "restore_dns"):
            found.append("/etc/resolv.conf")
    return list(dict.fromkeys(found))


def _trial(files: list[str]) -> Iterator[Sh]:
    """sh that says which files could not be written: read-only, or immutable."""
    if files:
        yield sh(
            'for file in {files}; do at=$file; while [ ! -e "$at" ] && [ "$at" != "" ]; do at=${{at%/*}}; done; '
            '[ -w "${{at:-/}}" ] || printf \'@unwritable %s\n\' "$file"; done',
            files=quote_words(files),
        )


def apply_script(directory: str, change_id: str, lease_s: int, plan: HostPlan) -> tuple[Sh, Definitions]:
    """sh that writes the scripts of a change, arms the lease and makes the change; and the definitions it needs."""
    do, undo, boot = plan.do_program, plan.undo_program, plan.boot
    seconds = (lease_s, MAX_LEASE_S, min(PROGRAM_S, max(5, lease_s - 5)))
    script = sh_lines(
        [
            sh("{environment}umask 077; cd {place} || exit 1", environment=ENVIRONMENT, place=quote(directory)),
            # These files are read only once the lease is armed, as long as this run holds the lock.
            _guard(change_id),
            write_file("do", *script_words(do)),
            write_file("undo", *script_words(undo)),
            write_file("probe", quote(plan.probe.rstrip("\n"))),
            sh("start_up={words}", words=sh_lines(script_words(boot), by="'\n'")),
            call_referee(["apply", change_id, *map(str, seconds)]),
        ]
    )
    return script, pieces(frozenset((*do.pieces, *undo.pieces, *boot.pieces)))


def _guard(change_id: str) -> Sh:
    """sh that ends the script where the lock is another run's by now."""
    return sh(
        "IFS= read -r line <lock && [ \"$line\" = run={id} ] || {{ printf 'lost %s\\n' {id}; exit 1; }}",
        id=quote(change_id),
    )


def finish_script(directory: str, change_id: str, plan: HostPlan, keep: str, heads: Iterable[str] = ()) -> Sh:
    """sh that makes a confirmed change last and releases the lock.

    `keep`: keep, remove or purge; `heads`: where the journals of other hosts end, which this one keeps.
    """
    stay = [sh("(\n{script}\n)", script=plan.stay_program.text)] if any(c.commands for c in plan.stay) else []
    return sh_lines([_enter(directory), *stay, call_referee(["finish", change_id, keep, *heads])])


def hold_script(directory: str, change_id: str, hold_s: int, plan: HostPlan, hosts: Iterable[str]) -> Sh:
    """sh that lets a proven change stand unconfirmed, with what is to be done after it. `hosts`: those of the change."""
    stay = plan.stay_program.text if any(c.commands for c in plan.stay) else sh(":")
    return sh_lines(
        [
            _enter(directory),
            sh("umask 077"),
            _guard(change_id),
            secret_file("stay", stay),
            write_file("hold", quote(f"run={change_id}"), *map(quote, hosts)),
            call_referee(["hold", change_id, str(hold_s)]),
        ]
    )


def finish_held_script(directory: str, change_id: str, heads: Iterable[str]) -> Sh:
    """sh that does what a held change left for after its confirmation, and releases the lock."""
    return sh_lines([_enter(directory), sh("sh ./stay"), call_referee(["finish", change_id, "keep", *heads])])


def renew_script(directory: str, change_id: str, lease_s: int) -> Sh:
    """sh that renews the lease; it rides on the phase that verifies."""
    renew = call_referee(["renew", change_id, str(lease_s)])
    return sh("( cd {place} || exit 1; {renew} )", place=quote(directory), renew=renew)


def referee_script(directory: str, words: Iterable[str]) -> Sh:
    """sh that calls the referee of a network."""
    return sh_lines([_enter(directory), call_referee(words)])


def _enter(directory: str) -> Sh:
    return sh("{environment}cd {place} || exit 1", environment=ENVIRONMENT, place=quote(directory))
