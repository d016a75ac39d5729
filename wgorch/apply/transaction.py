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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wgorch.apply.lease import INSTALL_S, LEASE_MAX_S, LEASE_S, PHASE_S, PROGRAM_S, RECENT_S
from wgorch.apply.replies import cut_short, differences, failure, mismatches
from wgorch.apply.upload import (
    abort_write,
    call_referee,
    pieces,
    referee,
    rule_tests,
    script_words,
    secret_file,
    word,
    write_file,
)
from wgorch.base.text import one_line
from wgorch.errors import Changed, HostError, Locked, Unfit
from wgorch.events import Event, Listener
from wgorch.facts.gather import ENVIRONMENT, Ask, gather
from wgorch.facts.observed import Observed
from wgorch.host.library import often_needed
from wgorch.inventory.model import Network
from wgorch.outcome import HostOutcome, HostState
from wgorch.plan.host import HostPlan
from wgorch.remote.fleet import Fleet
from wgorch.remote.shell import NONE, Definitions, Shell
from wgorch.state.change import Change, quote_words


@dataclass
class Transaction:
    """One change of one network on some hosts."""

    network: Network
    fleet: Fleet
    asks: Mapping[str, Ask]
    listener: Listener
    lease_s: int = LEASE_S
    recent_s: float = RECENT_S
    change_id: str = field(default_factory=lambda: secrets.token_hex(6))
    standing: dict[str, HostOutcome] = field(default_factory=dict)
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
        tests = list(rule_tests(plan))
        program = "\n".join(
            [
                f"{ENVIRONMENT}umask 077",
                f"[ -d {directory} ] || mkdir -p -m 700 {directory}; cd {directory} || {{ printf '@fail files\\n'; exit 1; }}",
                # While somebody holds the host, what he runs is not written over but put aside.
                f"to=referee; [ ! -e lock ] || to=referee.$$\nprintf '%s' \"${{referee:?}}\" >$to || {abort_write('referee')}",
                "[ $to = referee ] || mv -f $to referee",
                f"wgorch_epoch={seen.clock - seen.uptime}",
                f"( {call_referee(f'lock {self.change_id} {quote_words([who])} {hold}')} ) || exit 75",
                *([plan.prepare_program.text] if plan.prepare else []),
                *(secret_file(name, secret) for name, secret in shared.items()),
                *(tests if installs else ()),
            ]
        )
        # What need not wait for anything to be installed is tested meanwhile: three tables take 45 ms, nearly all of it waiting.
        beside = "" if installs else "\n".join(tests)
        self.listener.event(host, Event.LOCK)
        deadline = INSTALL_S if installs else PHASE_S
        # Where it was read just now, nobody but another run of ours is looked for; what else differs is read back later.
        # Nor is a reading of a host on which a change was open: what it saw is what is taken back now.
        open_then = seen.pending or seen.reverting or seen.lock is not None
        recent = time.monotonic() - seen.read_at < self.recent_s and not open_then
        recent = recent and all(c.step == "keys" for c in plan.prepare)
        ask = replace(self.asks[host], brief=True, ways=(), scope="own" if recent else "all")
        action = "lock it and read it again"
        often = pieces(often_needed())
        # An installation takes its time; and what it starts, or what tells a key, may hold its output.
        live = installs or bool(plan.want.key_source)
        said, again = self._ask(
            host, program, deadline, plan.prepare, action, ask, seen, beside, referee(), often, live=live
        )
        self._check_lock(host, said)
        refused = "@fail rules" in said.split("\n")
        if not refused and (failed := failure(said, plan.prepare)):
            raise Unfit(host, failed[0], failed[1], "see -v for what was run")
        if differs := differences(seen, again):
            problem = f"{'; '.join(differs)} changed since the plan"
            raise Changed(host, "change what was planned", problem, "look at `wgorch plan` again")
        if refused:
            problem = one_line(said.rpartition("@tests\n")[2].partition("@fail rules")[0], 400)
            hint = "it needs the matches comment, conntrack, tcp, udp and the targets MASQUERADE, TCPMSS (xtables, kmod-ipt-…)"
            raise Unfit(host, "use iptables there", problem, hint)
        # The ways were measured once, and are not asked about again.
        return replace(again, paths=seen.paths)

    def _check_lock(self, host: str, said: str) -> None:
        if re.search(rf"^locked {self.change_id}$", said, re.M):
            return
        if busy := re.search(r"^busy (\d+)$", said, re.M):
            who = re.search(r"^who=(.*)$", said, re.M)
            since = re.search(r"^since=(\d+)$", said, re.M)
            started = time.strftime("%H:%M:%S", time.localtime(int(since[1]))) if since else "?"
            until = time.strftime("%H:%M:%S", time.localtime(time.time() + int(busy[1])))
            problem = f"held by {who[1] if who else 'somebody'} since {started}, free by {until} at the latest"
            raise Locked(host, "lock it", problem, "wait, or ask them")
        raise Unfit(host, "lock it", one_line(said) or "no answer", f"is {self.network.directory} writable?")

    # --- under the lease

    def apply(self, host: str, plan: HostPlan, seen: Observed) -> Observed:
        """Arm the lease, make the changes, and read back whether they are true. Raises Lost or HostError."""
        self.standing[host] = HostOutcome(HostState.UNCONFIRMED, "being changed")
        self.armed[host] = time.monotonic() + self.lease_s
        self.listener.event(host, Event.ARM, str(self.lease_s))
        our_nft = bool(plan.want.nft or plan.have.nft)
        ask = replace(self.asks[host], brief=True, ways=(), scope="changed", our_nft=our_nft)
        most = self.lease_s + PHASE_S
        program, requires = self._applying(plan)
        said, after = self._ask(
            host, program, most, plan.do, "change it and read it back", ask, seen, requires=requires, live=True
        )
        if not re.search(rf"^applied {self.change_id}$", said, re.M):
            failed = failure(said, plan.do) or cut_short(said, plan.do)
            if f"lost {self.change_id}" in said.split("\n"):
                failed = ("change it", "our lock there ended, and another run may have it by now")
            self._heard(host, said)
            raise _Failed(host, *failed)
        left = mismatches(plan, after, self.network)
        if left:
            raise _Failed(host, "read back what was changed", f"still different: {'; '.join(left)}")
        self.listener.event(host, Event.APPLIED)
        return after

    def _applying(self, plan: HostPlan) -> tuple[str, Definitions]:
        """sh that puts the programs of a change on the host, arms the lease, and makes the change; and what it requires."""
        do, undo, boot = plan.do_program, plan.undo_program, plan.boot
        requires = pieces(frozenset((*do.pieces, *undo.pieces, *boot.pieces)))
        program = "\n".join(
            [
                f"{ENVIRONMENT}umask 077; cd {quote_words([self.network.directory])} || exit 1",
                # Nobody looks at these files before the lease is armed, as long as the host is still ours.
                f"IFS= read -r line <lock && [ \"$line\" = run={self.change_id} ] || {{ printf 'lost {self.change_id}\\n'; exit 1; }}",
                write_file("do", *script_words(do)),
                write_file("undo", *script_words(undo)),
                write_file("probe", shlex.quote(plan.probe.rstrip("\n"))),
                "start_up=" + "'\n'".join(script_words(boot)),
                call_referee(
                    f"apply {self.change_id} {self.lease_s} {LEASE_MAX_S} {min(PROGRAM_S, max(5, self.lease_s - 5))}"
                ),
            ]
        )
        return program, requires

    def is_old(self, host: str) -> bool:
        """True where so much of the lease has gone that proving the change may outlast it."""
        return time.monotonic() > self.armed[host] - self.lease_s * 5 / 6

    def renew(self) -> str:
        """The sh line that renews the lease; it rides on the phase that verifies."""
        directory = quote_words([self.network.directory])
        return f"( cd {directory} || exit 1; {call_referee(f'renew {self.change_id} {self.lease_s}')} )"

    def confirm(self, host: str) -> None:
        """Let the host confirm. Success is the host's own word."""
        said = self._call(host, f"confirm {self.change_id}", "confirm the change", PHASE_S)
        if not re.search(rf"^confirmed {self.change_id}$", said, re.M):
            self._heard(host, said)
            raise _Failed(host, "confirm the change", one_line(said) or "no word from its referee")
        self.standing[host] = HostOutcome(HostState.APPLIED, "confirmed")
        self.listener.event(host, Event.CONFIRMED)

    def finish(self, host: str, plan: HostPlan, keep: str = "keep") -> None:
        """What makes a confirmed change last (start-up), and the end of the lock. `keep`: keep, remove or purge."""
        stay = ["(", plan.stay_program.text, ")"] if any(c.commands for c in plan.stay) else []
        directory = quote_words([self.network.directory])
        program = "\n".join(
            [f"{ENVIRONMENT}cd {directory} || exit 1", *stay, call_referee(f"finish {self.change_id} {keep}")]
        )
        deadline_s = INSTALL_S if any(c.step == "install" for c in plan.stay) else PHASE_S
        said = self.fleet.open(host).exchange(program, "make the change last", deadline_s, live=bool(stay))
        if failed := failure(said, plan.stay):
            raise _Failed(host, *failed)
        if not re.search(rf"^finished {self.change_id}$", said, re.M):
            raise _Failed(host, "make the change last", one_line(said) or "no word from its referee")
        self.listener.event(host, Event.FINISHED)

    # --- back

    def unlock(self, hosts: Iterable[str]) -> None:
        """Give up before anything was changed."""

        def work(host: str) -> None:
            self._call(host, f"unlock {self.change_id}", "unlock it", PHASE_S)

        self.fleet.on_hosts([h for h in hosts if h in self.fleet.shells], work)

    def revert(self, hosts: Iterable[str], why: str, stop: Callable[[], bool] = lambda: False) -> None:
        """Take the change back on every host, waiting for its lease where it cannot be reached before."""

        def work(host: str) -> None:
            self.listener.event(host, Event.ROLL_BACK, why)
            end = max(self.armed.get(host, 0), time.monotonic()) + 20
            while True:
                try:
                    said = self._call(
                        host,
                        f"revert {self.change_id} {quote_words([word(why)])}",
                        "take the change back",
                        PHASE_S + 30,
                    )
                    self._heard(host, said)
                    return
                except HostError as error:
                    self.standing[host] = HostOutcome(HostState.UNKNOWN, f"not reached: {error.problem}")
                    if time.monotonic() >= end or stop():
                        return
                    self.listener.event(host, Event.WAITING, f"for its lease: {error.problem}")
                    time.sleep(2)

        self.fleet.on_hosts(hosts, work)

    def _heard(self, host: str, said: str) -> None:
        """Take over what the referee said of the outcome."""
        found = re.findall(rf"^(reverted|rebooted|unlike|nothing|reverting) {self.change_id}\b.*$", said, re.M)
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
        state = HostState.ROLLED_BACK if result in ("reverted", "nothing", "rebooted") else HostState.UNKNOWN
        self.standing[host] = HostOutcome(state, why)
        self.listener.event(host, Event.ROLLED_BACK if state is HostState.ROLLED_BACK else Event.MISMATCH, why)

    # --- talking

    def _call(self, host: str, words: str, action: str, deadline_s: float) -> str:
        shell: Shell = self.fleet.open(host)
        directory = quote_words([self.network.directory])
        program = f"{ENVIRONMENT}cd {directory} || exit 1\n{call_referee(words)}"
        return shell.exchange(program, action, deadline_s)

    def _ask(
        self,
        host: str,
        program: str,
        deadline_s: float,
        changes: Sequence[Change],
        action: str,
        ask: Ask,
        known: Observed,
        beside: str = "",
        requires: Definitions = NONE,
        preload: Definitions = NONE,
        *,
        live: bool = False,
    ) -> tuple[str, Observed]:
        """Run a program and ask afterwards, telling of each change that the host began; `beside` runs meanwhile."""

        def heard(line: str) -> None:
            if line.startswith("@at ") and line[4:].isdigit() and 0 < int(line[4:]) <= len(changes):
                change = changes[int(line[4:]) - 1]
                self.listener.event(host, Event.CHANGE, f"{change.sign} {change.what}")
                if line == "@at 1" and host in self.armed:
                    # The programs had a way to go before the lease began.
                    self.armed[host] = time.monotonic() + self.lease_s
            elif line.startswith("@wait "):
                self.listener.event(host, Event.WAITING, one_line(line[6:], 200))

        shell = self.fleet.open(host)
        return gather(
            shell, self.network, ask, program, deadline_s, heard, action, known, beside, requires, preload, live=live
        )


class _Failed(HostError):
    """A change that did not come true; everything is taken back."""

    exit_code = 5
