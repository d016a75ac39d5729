"""A change on several hosts, made safe: lock, arm the lease, do, verify, confirm; or everything taken back.

Each method is one phase and one round trip a host. The host's referee (``remote/referee.sh``) has the last word on
whether a change is confirmed; what is reported here is only ever what it said.
"""

from __future__ import annotations

import getpass
import re
import secrets
import shlex
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Protocol

from wgorch.command import Change, quote_words
from wgorch.errors import Changed, HostError, Locked, Unfit
from wgorch.facts.gather import ENVIRONMENT, Ask, gather
from wgorch.facts.observed import Observed
from wgorch.inventory.model import Network
from wgorch.plan import HostPlan, changes_between
from wgorch.program import Program, library, often_needed
from wgorch.remote.fleet import Fleet
from wgorch.remote.shell import NONE, Definitions, Shell
from wgorch.resolve import in_scope
from wgorch.sh import text_of
from wgorch.steps.firewall import RESTORES
from wgorch.text import one_line

LEASE_S = 60
LEASE_MAX_S = 300
PROGRAM_S = 45
"""How long the program of a change may run on a host before that is a failure."""
RECENT_S = 15
"""How old a reading may be to be believed under the lock, but for what another run of ours may have done since.

Where a person was asked in between, none is: a minute's thought is long enough for somebody else's change.
"""
INSTALL_S = 900
PHASE_S = 60
"""How long a host may take for one phase in which nothing long is done."""


class Listener(Protocol):
    """Hears what happens, as it happens."""

    def event(self, host: str, what: str, detail: str = "") -> None:
        """Something happened on a host."""


@dataclass
class Standing:
    """Where a host stands: `old`, `new`, `unconfirmed` or `unknown`, and why."""

    state: str = "old"
    why: str = ""


@dataclass
class Transaction:
    """One change of one network on some hosts."""

    network: Network
    fleet: Fleet
    asks: Mapping[str, Ask]
    listener: Listener
    lease_s: int = LEASE_S
    recent_s: float = RECENT_S
    run: str = field(default_factory=lambda: secrets.token_hex(6))
    standing: dict[str, Standing] = field(default_factory=dict)
    armed: dict[str, float] = field(default_factory=dict)

    # --- before anything that runs is touched

    def lock(self, host: str, plan: HostPlan, seen: Observed, shared: Mapping[str, str]) -> Observed:
        """Lock the host, install what is missing, let its key be born, test the rules, and read it again under the lock.

        `shared`: the preshared keys that are new, by file name; they go into files of the host and nowhere else. Raises
        Locked where another run holds it, Changed where it is no longer as it was planned for, Unfit where it cannot be
        made so. Nothing that runs is touched.
        """
        who = f"{getpass.getuser()}@{socket.gethostname()}"
        installs = any(change.step == "install" for change in plan.prepare)
        hold = INSTALL_S if installs else self.lease_s + 30
        directory = quote_words([self.network.directory])
        tests = list(_tests(plan))
        program = "\n".join(
            [
                f"{ENVIRONMENT}umask 077",
                f"[ -d {directory} ] || mkdir -p -m 700 {directory}; cd {directory} || {{ printf '@fail files\\n'; exit 1; }}",
                # While somebody holds the host, what he runs is not written over but put aside.
                f"to=referee; [ ! -e lock ] || to=referee.$$\nprintf '%s' \"${{referee:?}}\" >$to || {_not_written('referee')}",
                "[ $to = referee ] || mv -f $to referee",
                f"wgorch_epoch={seen.clock - seen.uptime}",
                f"( {_referee(f'lock {self.run} {quote_words([who])} {hold}')} ) || exit 75",
                *([plan.prepare_program.text] if plan.prepare else []),
                *(_file(name, secret) for name, secret in shared.items()),
                *(tests if installs else ()),
            ]
        )
        # What need not wait for anything to be installed is tested meanwhile: three tables take 45 ms, nearly all of it waiting.
        beside = "" if installs else "\n".join(tests)
        self.listener.event(host, "lock")
        deadline = INSTALL_S if installs else PHASE_S
        # Where it was read just now, nobody but another run of ours is looked for; what else differs is read back later.
        # Nor is a reading of a host on which a change was open: what it saw is what is taken back now.
        open_then = seen.pending or seen.reverting or seen.lock is not None
        recent = time.monotonic() - seen.read_at < self.recent_s and not open_then
        recent = recent and all(c.step == "keys" for c in plan.prepare)
        ask = replace(self.asks[host], brief=True, ways=(), scope="own" if recent else "all")
        wish = "lock it and read it again"
        often = _functions(often_needed())
        # An installation takes its time; and what it starts, or what tells a key, may hold its output.
        live = installs or bool(plan.want.key_source)
        said, again = self._ask(
            host, program, deadline, plan.prepare, wish, ask, seen, beside, referee(), often, live=live
        )
        self._check_lock(host, said)
        refused = "@fail rules" in said.split("\n")
        if not refused and (problem := _failure(said, plan.prepare)):
            raise Unfit(host, problem[0], problem[1], "see -v for what was run")
        if differs := _differences(seen, again):
            saw = f"{'; '.join(differs)} changed since the plan"
            raise Changed(host, "change what was planned", saw, "look at `wgorch plan` again")
        if refused:
            saw = one_line(said.rpartition("@tests\n")[2].partition("@fail rules")[0], 400)
            fix = "it needs the matches comment, conntrack, tcp, udp and the targets MASQUERADE, TCPMSS (xtables, kmod-ipt-…)"
            raise Unfit(host, "use iptables there", saw, fix)
        # The ways were measured once, and are not asked about again.
        return replace(again, paths=seen.paths)

    def _check_lock(self, host: str, said: str) -> None:
        if re.search(rf"^locked {self.run}$", said, re.M):
            return
        if busy := re.search(r"^busy (\d+)$", said, re.M):
            who = re.search(r"^who=(.*)$", said, re.M)
            since = re.search(r"^since=(\d+)$", said, re.M)
            started = time.strftime("%H:%M:%S", time.localtime(int(since[1]))) if since else "?"
            until = time.strftime("%H:%M:%S", time.localtime(time.time() + int(busy[1])))
            saw = f"held by {who[1] if who else 'somebody'} since {started}, free by {until} at the latest"
            raise Locked(host, "lock it", saw, "wait, or ask them")
        raise Unfit(host, "lock it", one_line(said) or "no answer", f"is {self.network.directory} writable?")

    # --- under the lease

    def apply(self, host: str, plan: HostPlan, seen: Observed) -> Observed:
        """Arm the lease, make the changes, and read back whether they are true. Raises Lost or HostError."""
        self.standing[host] = Standing("unconfirmed", "being changed")
        self.armed[host] = time.monotonic() + self.lease_s
        self.listener.event(host, "arm", str(self.lease_s))
        our_nft = bool(plan.want.nft or plan.have.nft)
        ask = replace(self.asks[host], brief=True, ways=(), scope="changed", our_nft=our_nft)
        most = self.lease_s + PHASE_S
        program, needs = self._applying(plan)
        said, after = self._ask(
            host, program, most, plan.do, "change it and read it back", ask, seen, needs=needs, live=True
        )
        if not re.search(rf"^applied {self.run}$", said, re.M):
            problem = _failure(said, plan.do) or _cut_short(said, plan.do)
            if f"lost {self.run}" in said.split("\n"):
                problem = ("change it", "our lock there ended, and another run may have it by now")
            self._heard(host, said)
            raise _Failed(host, *problem)
        left = _left_over(plan, after, self.network)
        if left:
            raise _Failed(host, "read back what was changed", f"still different: {'; '.join(left)}")
        self.listener.event(host, "applied")
        return after

    def _applying(self, plan: HostPlan) -> tuple[str, Definitions]:
        """sh that puts the programs of a change on the host, arms the lease, and makes the change; and what it needs."""
        do, undo, boot = plan.do_program, plan.undo_program, plan.boot
        needs = _functions(frozenset((*do.pieces, *undo.pieces, *boot.pieces)))
        program = "\n".join(
            [
                f"{ENVIRONMENT}umask 077; cd {quote_words([self.network.directory])} || exit 1",
                # Nobody looks at these files before the lease is armed, as long as the host is still ours.
                f"IFS= read -r line <lock && [ \"$line\" = run={self.run} ] || {{ printf 'lost {self.run}\\n'; exit 1; }}",
                _written("do", *_words(do)),
                _written("undo", *_words(undo)),
                _written("probe", shlex.quote(plan.probe.rstrip("\n"))),
                "start_up=" + "'\n'".join(_words(boot)),
                _referee(f"apply {self.run} {self.lease_s} {LEASE_MAX_S} {min(PROGRAM_S, max(5, self.lease_s - 5))}"),
            ]
        )
        return program, needs

    def is_old(self, host: str) -> bool:
        """True where so much of the lease has gone that proving the change may outlast it."""
        return time.monotonic() > self.armed[host] - self.lease_s * 5 / 6

    def renew(self) -> str:
        """The sh line that renews the lease; it rides on the phase that verifies."""
        directory = quote_words([self.network.directory])
        return f"( cd {directory} || exit 1; {_referee(f'renew {self.run} {self.lease_s}')} )"

    def confirm(self, host: str) -> None:
        """Let the host confirm. Success is the host's own word."""
        said = self._referee(host, f"confirm {self.run}", "confirm the change", PHASE_S)
        if not re.search(rf"^confirmed {self.run}$", said, re.M):
            self._heard(host, said)
            raise _Failed(host, "confirm the change", one_line(said) or "no word from its referee")
        self.standing[host] = Standing("new", "confirmed")
        self.listener.event(host, "confirmed")

    def finish(self, host: str, plan: HostPlan, keep: str = "keep") -> None:
        """What makes a confirmed change last (start-up), and the end of the lock. `keep`: keep, remove or purge."""
        stay = ["(", plan.stay_program.text, ")"] if any(c.commands for c in plan.stay) else []
        directory = quote_words([self.network.directory])
        program = "\n".join([f"{ENVIRONMENT}cd {directory} || exit 1", *stay, _referee(f"finish {self.run} {keep}")])
        deadline_s = INSTALL_S if any(c.step == "install" for c in plan.stay) else PHASE_S
        said = self.fleet.open(host).exchange(program, "make the change last", deadline_s, live=bool(stay))
        if problem := _failure(said, plan.stay):
            raise _Failed(host, *problem)
        if not re.search(rf"^finished {self.run}$", said, re.M):
            raise _Failed(host, "make the change last", one_line(said) or "no word from its referee")
        self.listener.event(host, "finished")

    # --- back

    def unlock(self, hosts: Iterable[str]) -> None:
        """Give up before anything was changed."""

        def work(host: str) -> None:
            self._referee(host, f"unlock {self.run}", "unlock it", PHASE_S)

        self.fleet.each([h for h in hosts if h in self.fleet.shells], work)

    def revert(self, hosts: Iterable[str], why: str, stop: Callable[[], bool] = lambda: False) -> None:
        """Take the change back on every host, waiting for its lease where it cannot be reached before."""

        def work(host: str) -> None:
            self.listener.event(host, "revert", why)
            end = max(self.armed.get(host, 0), time.monotonic()) + 20
            while True:
                try:
                    said = self._referee(
                        host, f"revert {self.run} {quote_words([_word(why)])}", "take the change back", PHASE_S + 30
                    )
                    self._heard(host, said)
                    return
                except HostError as error:
                    self.standing[host] = Standing("unknown", f"not reached: {error.saw}")
                    if time.monotonic() >= end or stop():
                        return
                    self.listener.event(host, "waiting", f"for its lease: {error.saw}")
                    time.sleep(2)

        self.fleet.each(hosts, work)

    def _heard(self, host: str, said: str) -> None:
        """Take over what the referee said of the outcome."""
        found = re.findall(rf"^(reverted|rebooted|unlike|nothing|reverting) {self.run}\b.*$", said, re.M)
        if not found:
            return
        result = found[-1]
        why = {
            "reverted": "taken back; as it was before",
            "nothing": "nothing was changed",
            "rebooted": "taken back by its last confirmed start-up program",
            "unlike": "NOT as it was before, nor as planned",
            "reverting": "being taken back",
        }[result]
        state = "old" if result in ("reverted", "nothing", "rebooted") else "unknown"
        self.standing[host] = Standing(state, why)
        self.listener.event(host, "reverted" if state == "old" else "unlike", why)

    # --- talking

    def _referee(self, host: str, words: str, wish: str, deadline_s: float) -> str:
        shell: Shell = self.fleet.open(host)
        directory = quote_words([self.network.directory])
        program = f"{ENVIRONMENT}cd {directory} || exit 1\n{_referee(words)}"
        return shell.exchange(program, wish, deadline_s)

    def _ask(
        self,
        host: str,
        program: str,
        deadline_s: float,
        changes: Sequence[Change],
        wish: str,
        ask: Ask,
        known: Observed,
        beside: str = "",
        needs: Definitions = NONE,
        ahead: Definitions = NONE,
        *,
        live: bool = False,
    ) -> tuple[str, Observed]:
        """Run a program and ask afterwards, telling of each change that the host began; `beside` runs meanwhile."""

        def heard(line: str) -> None:
            if line.startswith("@at ") and line[4:].isdigit() and 0 < int(line[4:]) <= len(changes):
                change = changes[int(line[4:]) - 1]
                self.listener.event(host, "change", f"{change.sign} {change.what}")
                if line == "@at 1" and host in self.armed:
                    # The programs had a way to go before the lease began.
                    self.armed[host] = time.monotonic() + self.lease_s
            elif line.startswith("@wait "):
                self.listener.event(host, "waiting", one_line(line[6:], 200))

        shell = self.fleet.open(host)
        return gather(
            shell, self.network, ask, program, deadline_s, heard, wish, known, beside, needs, ahead, live=live
        )


class _Failed(HostError):
    """A change that did not come true; everything is taken back."""

    exit_code = 5


def _referee(words: str) -> str:
    """sh that asks the referee of the directory it is in, and ends with it: by itself it is the end of a program."""
    return f"set -- {words}; . ./referee"


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", text.lower())[:60] or "asked"


def _file(name: str, secret: str) -> str:
    """sh that writes a file whole or not at all, and onto the disk; what is in it is in no process's arguments."""
    end = f"WGORCH-{secrets.token_hex(6)}"
    whole = f"{{ sync {name}.$$ 2>/dev/null || sync; }} && mv -f {name}.$$ {name}"
    return f"cat >{name}.$$ <<'{end}' && {whole} || {_not_written(name)}\n{secret.rstrip(chr(10))}\n{end}"


def _written(name: str, *words: str) -> str:
    """sh that writes lines into a file, by the shell itself: no process, no pipe."""
    return f"printf '%s\\n' {' '.join(words)} >{name} || {_not_written(name)}"


def _words(program: Program) -> list[str]:
    """The lines of a program as words of sh, some of them many lines; the shell must know the pieces."""
    return [
        shlex.quote(program.head),
        *(f'"${{f_{piece}:?}}"' for piece in program.pieces),
        shlex.quote(program.body),
    ]


@cache
def referee() -> Definitions:
    """The referee's text, which every change puts on its hosts."""
    return {"referee": f"referee={shlex.quote(text_of('remote', 'referee.sh'))}"}


@cache
def _functions(names: frozenset[str]) -> Definitions:
    """Pieces of the library as variables, of which programs on the host are put together."""
    return {f"f_{name}": f"f_{name}={shlex.quote(library()[name])}" for name in library() if name in names}


def _not_written(name: str) -> str:
    return f"{{ printf '@fail files %s\\n' {shlex.quote(name)}; exit 1; }}"


def _tests(plan: HostPlan) -> Iterator[str]:
    """sh in which `iptables-restore --test` judges rules before their chains exist; it says something only if it must."""
    for argv in RESTORES:
        made = [c.stdin for ch in plan.do for c in ch.commands if c.argv == argv and "-X " not in c.stdin]
        if made:
            text = "\n".join(made)
            test = f"tests=$({argv[0]} --wait 10 --noflush --test 2>&1 <<'END'\n{text}\nEND\n)"
            yield f"{test} || {{ printf '\\n@tests\\n%s\\n@fail rules\\n' \"$tests\"; exit 1; }}"


def _failure(said: str, changes: Sequence[Change]) -> tuple[str, str] | None:
    """What a program said of its own failure: the change's words, and the lines printed since it began."""
    lines = said.split("\n")
    for i, line in enumerate(lines):
        if line.startswith(("@fail", "@stop")):
            number = line.split(" ")[-1]
            began = max((j for j, text in enumerate(lines[:i]) if text.startswith("@at ")), default=-1)
            output = "; ".join(text for text in lines[began + 1 : i] if text.strip())[-400:] or "it said nothing"
            if number.isdigit() and 0 < int(number) <= len(changes):
                change = changes[int(number) - 1]
                return f"make {change.sign} {change.what}", output
            return "put our files there", output
    return None


def _cut_short(said: str, changes: Sequence[Change]) -> tuple[str, str]:
    """What to say of a program that neither ended well nor said where it failed: it was killed, or hung until it was."""
    begun = re.findall(r"^@at (\d+)$", said, re.M)
    if begun and 0 < int(begun[-1]) <= len(changes):
        change = changes[int(begun[-1]) - 1]
        return f"make {change.sign} {change.what}", "it did not end in time, or was killed"
    return "change it", one_line(said, 300) or "no word from its referee"


MOVES_IN_PREPARE = {
    "tools",
    "key_file",
    "key_file_mode",
    "key_file_public",
    "next_keys",
    "offered_key",
    "secrets",
    "installed",
    "zones",
    "zone_files",
    "kernel_wireguard",
    "os",
    "units",
}


def _differences(before: Observed, after: Observed) -> list[str]:
    """What changed on the host between the plan and the lock, apart from what preparing it does."""
    found = []
    for name in Observed.__dataclass_fields__:
        if not Observed.__dataclass_fields__[name].compare or name in MOVES_IN_PREPARE:
            continue
        if getattr(before, name) != getattr(after, name):
            found.append(name.replace("_", " "))
    return found


def _left_over(plan: HostPlan, after: Observed, network: Network) -> list[str]:
    """Differences that are still there although the host said that it made the changes."""
    have = after.state(network)
    steps = [s for s in dict.fromkeys(c.step for c in (*plan.do, *plan.undo)) if s and s != "run"]
    want = replace(plan.want, runs=have.runs)
    return [f"{c.what}: {c.why}" for c in changes_between(want, in_scope(have, want), steps)]
