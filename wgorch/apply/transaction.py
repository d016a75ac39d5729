"""A change on several hosts, one phase and one exchange a host: lock, apply, confirm, finish; or roll back.

The host's referee (host/referee.sh) has the last word on whether a change is confirmed; what is reported is its reply.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from wgorch.apply import scripts
from wgorch.apply.lease import INSTALL_S, LEASE_S, MAX_LEASE_S, PHASE_S, RECENT_S, VERIFY_S
from wgorch.apply.replies import (
    ROLLBACK_TEXTS,
    Failure,
    Word,
    begun,
    cut_short,
    failure_of,
    head_of,
    holder_of,
    mismatches,
    rejected_rules,
    rollback_of,
    says,
    unwritable,
)
from wgorch.apply.upload import pieces, referee, rule_tests, word
from wgorch.base.sh import EMPTY, Sh, quote, sh_lines
from wgorch.base.text import one_line
from wgorch.errors import Changed, HostError, Locked, Unfit
from wgorch.events import Event, Listener
from wgorch.gather.gather import Ask, Exchange, Scope, gather
from wgorch.gather.observed import Observed, differences
from wgorch.host.library import often_needed
from wgorch.inventory.model import Network
from wgorch.membership import author
from wgorch.memory import known_heads, remember_heads
from wgorch.outcome import HostOutcome, HostState
from wgorch.plan.host import HostPlan
from wgorch.plan.journals import Head, head_words
from wgorch.remote.fleet import Fleet


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
    """Monotonic time at which the lease of each host ends."""
    about: str = ""
    """Words on the change, for the journals of its hosts."""
    heads: dict[str, Head] = field(init=False)
    """Where the journals of the network's hosts end, as far as this controller knows."""

    def __post_init__(self) -> None:
        self.heads = known_heads(self.network.name)

    # --- before anything that runs is touched

    def lock(self, host: str, plan: HostPlan, seen: Observed, shared: Mapping[str, str]) -> Observed:
        """Lock a host, install what is missing, generate its key, test the rules, and read it again under the lock.

        `shared`: new preshared keys by file name; they go into files of the host and nowhere else. Raises Locked where
        another run holds it, Changed where it differs from what was planned for, Unfit where it cannot be prepared.
        """
        installs = any(change.step == "install" for change in plan.prepare)
        tests = sh_lines(rule_tests(plan))
        about = " ".join(filter(None, [f"changes={len(plan.changes)}", self.about]))
        hold_s = INSTALL_S if installs else self.lease_s + 30
        lock = (self.change_id, author(), hold_s, about)
        script = scripts.lock_script(self.network.directory, lock, seen.clock, plan, shared)
        self.listener.event(host, Event.LOCK)
        exchange = Exchange(
            before=sh_lines([script, tests]) if installs and tests else script,
            action="lock the host",
            deadline_s=INSTALL_S if installs else PHASE_S,
            # Rules that need no installation are tested beside the rest: three tables take 45 ms, nearly all of it waiting.
            beside=EMPTY if installs else tests,
            requires=referee(),
            preload=pieces(often_needed()),
            # An installation takes its time; and a key's command may keep its output open.
            live=installs or bool(plan.want.key_source),
        )
        scope = Scope.OWN if self._is_recent(plan, seen) else Scope.ALL
        output, again = self._exchange(host, plan, scope, seen, exchange)
        self._check_lock(host, output)
        self._check_prepared(host, output, plan, seen, again)
        # Path MTUs are measured once a run.
        return replace(again, paths=seen.paths)

    def _is_recent(self, plan: HostPlan, seen: Observed) -> bool:
        """True where a reading still holds, but for what another run of wgorch may have changed since.

        Not where a change was open at that moment: what was read then may have been rolled back.
        """
        open_then = seen.files.pending or seen.files.reverting or seen.files.lock is not None
        recent = time.monotonic() - seen.read_at < self.recent_s and not open_then
        return recent and all(c.step == "keys" for c in plan.prepare)

    def _check_lock(self, host: str, output: str) -> None:
        if says(output, Word.LOCKED, self.change_id):
            return
        if holder := holder_of(output):
            since = time.strftime("%H:%M:%S %Z", time.localtime(holder.since)) if holder.since else "?"
            until = time.strftime("%H:%M:%S %Z", time.localtime(time.time() + holder.left_s))
            problem = f"held by {holder.who} since {since}, free by {until} at the latest"
            if holder.is_hold:
                problem = f"a change by {holder.who} is held since {since}, and rolls back at {until}"
                raise Locked(host, "lock the host", problem, "wgorch confirm makes it permanent, or wgorch rollback")
            raise Locked(host, "lock the host", problem, f"wait (--wait SECONDS), or contact {holder.who}")
        raise Unfit(host, "lock the host", one_line(output) or "no reply", f"is {self.network.directory} writable?")

    def _check_prepared(self, host: str, output: str, plan: HostPlan, seen: Observed, again: Observed) -> None:
        rejected = rejected_rules(output)
        if rejected is None and (failed := failure_of(output, plan.prepare)):
            raise Unfit(host, failed.action, failed.problem, "re-run with -v to see the commands")
        if rejected is None and (files := unwritable(output)):
            hint = (
                f"make it writable (lsattr {quote(files[0])} shows whether it is immutable), or leave out what needs it"
            )
            raise Unfit(host, f"write {files[0]} after the change", "it is read-only, or immutable", hint)
        if differs := list(dict.fromkeys(differences(seen, again))):
            raise Changed(
                host, "apply the plan", f"changed since it was made: {', '.join(differs)}", "re-run wgorch plan"
            )
        if rejected is not None:
            hint = "install the matches comment, conntrack, tcp, udp and the targets MASQUERADE, TCPMSS (xtables, kmod-ipt-…)"
            raise Unfit(host, "use iptables", rejected, hint)

    # --- under the lease

    def apply(self, host: str, plan: HostPlan, seen: Observed) -> Observed:
        """Arm the lease, make the changes, and read them back. Raises Lost or HostError."""
        self.standing[host] = HostOutcome(HostState.UNCONFIRMED, "changes are being applied")
        self.armed[host] = time.monotonic() + self.lease_s
        self.listener.event(host, Event.ARM, str(self.lease_s))
        script, requires = scripts.apply_script(self.network.directory, self.change_id, self.lease_s, plan)
        exchange = Exchange(script, "apply the plan", self.lease_s + PHASE_S, requires=requires, live=True)
        output, after = self._exchange(host, plan, Scope.CHANGED, seen, exchange)
        if not says(output, Word.APPLIED, self.change_id):
            failed = failure_of(output, plan.do) or cut_short(output, plan.do)
            if says(output, Word.LOST, self.change_id):
                failed = Failure("apply the plan", "the lock ended, and another run may hold it by now")
            self._note_rollback(host, output)
            raise ChangeFailed(host, *failed)
        if left := mismatches(plan, after, self.network):
            raise ChangeFailed(host, "verify the changes", f"still different: {'; '.join(left)}")
        self.listener.event(host, Event.APPLIED)
        return after

    def is_old(self, host: str) -> bool:
        """True where verification may outlast what is left of the lease."""
        return self.armed[host] - time.monotonic() < max(VERIFY_S, self.lease_s * 5 / 6)

    def renew(self) -> Sh:
        """sh that renews the lease; it rides on the phase that verifies."""
        return scripts.renew_script(self.network.directory, self.change_id, max(self.lease_s, VERIFY_S))

    def renewed(self, output: str) -> bool:
        """True where a host reports its lease as renewed."""
        return says(output, Word.RENEWED, self.change_id)

    def check_ssh(self, host: str) -> None:
        """Open a new connection to a host's SSH server, by the same route as the session. Raises Unreachable."""
        self.fleet.check_ssh(host)

    def hold(self, host: str, plan: HostPlan, hold_s: int, hosts: Iterable[str]) -> None:
        """Let a proven change stand unconfirmed for some seconds. `hosts`: those of the change. Raises HostError."""
        script = scripts.hold_script(self.network.directory, self.change_id, hold_s, plan, hosts)
        output = self.fleet.open(host).exchange(script, "hold the change", PHASE_S)
        if not says(output, Word.HELD, self.change_id):
            self._note_rollback(host, output)
            raise ChangeFailed(host, "hold the change", one_line(output) or "no reply from its referee")
        self.armed[host] = time.monotonic() + hold_s
        self.standing[host] = HostOutcome(HostState.UNCONFIRMED, "held")
        self.listener.event(host, Event.HELD)

    def finish_held(self, host: str) -> None:
        """Make a change last that was held and is confirmed, and release the lock. Raises HostError."""
        heads, action = head_words(host, self.heads), "make the change permanent"
        script = scripts.finish_held_script(self.network.directory, self.change_id, heads)
        output = self.fleet.open(host).exchange(script, action, INSTALL_S, live=True)
        if not says(output, Word.FINISHED, self.change_id) or "\n@fail " in f"\n{output}":
            raise ChangeFailed(host, action, one_line(output) or "no reply from its referee")
        self.listener.event(host, Event.FINISHED)

    def confirm(self, host: str) -> None:
        """Let the host confirm the change; only its own reply counts. Raises HostError."""
        output = self._call(host, ["confirm", self.change_id, author()], "confirm the change", PHASE_S)
        if not says(output, Word.CONFIRMED, self.change_id):
            self._note_rollback(host, output)
            raise ChangeFailed(host, "confirm the change", one_line(output) or "no reply from its referee")
        self.standing[host] = HostOutcome(HostState.APPLIED, "confirmed")
        if head := head_of(output, self.change_id):
            self.heads[host] = head
        self.listener.event(host, Event.CONFIRMED)

    def finish(self, host: str, plan: HostPlan, keep: str = "keep") -> None:
        """Make a confirmed change last (start-up) and release the lock. `keep`: keep, remove or purge files."""
        heads = head_words(host, self.heads) if keep == "keep" else []
        script = scripts.finish_script(self.network.directory, self.change_id, plan, keep, heads)
        deadline_s = INSTALL_S if any(c.step == "install" for c in plan.stay) else PHASE_S
        live, action = any(c.commands for c in plan.stay), "make the change permanent"
        output = self.fleet.open(host).exchange(script, action, deadline_s, live=live)
        if failed := failure_of(output, plan.stay):
            raise ChangeFailed(host, *failed)
        if not says(output, Word.FINISHED, self.change_id):
            raise ChangeFailed(host, action, one_line(output) or "no reply from its referee")
        self.listener.event(host, Event.FINISHED)

    def keep_heads(self, gone: Iterable[str] = ()) -> None:
        """Let this controller keep where the journals end, but for hosts whose journals go with the network."""
        remember_heads(self.network.name, {name: head for name, head in self.heads.items() if name not in {*gone}})

    # --- rollback

    def unlock(self, hosts: Iterable[str]) -> None:
        """Release the locks of hosts on which nothing was changed."""

        def work(host: str) -> None:
            self._call(host, ["unlock", self.change_id], "release the lock", PHASE_S)

        self.fleet.on_hosts([h for h in hosts if h in self.fleet.shells], work)

    def roll_back(self, hosts: Iterable[str], why: str, stop: Callable[[], bool] = lambda: False) -> None:
        """Roll the change back on hosts; one that is out of reach does so itself when its lease ends."""

        def work(host: str) -> None:
            self.listener.event(host, Event.ROLL_BACK, why)
            now = time.monotonic()
            # One that is held is not waited for: it rolls back by itself, or by another command.
            end = min(max(self.armed.get(host, 0), now), now + MAX_LEASE_S) + 20
            while not self._try_roll_back(host, why) and time.monotonic() < end and not stop():
                self.listener.event(host, Event.WAITING, f"for its lease to end: {self.standing[host].why}")
                time.sleep(2)

        self.fleet.on_hosts(hosts, work)

    def _try_roll_back(self, host: str, why: str) -> bool:
        words = ["revert", self.change_id, word(why)]
        try:
            output = self._call(host, words, "roll back", PHASE_S + 30)
        except HostError as error:
            self.standing[host] = HostOutcome(HostState.UNKNOWN, f"unreachable: {error.problem}")
            return False
        self._note_rollback(host, output)
        return True

    def _note_rollback(self, host: str, output: str) -> None:
        result = rollback_of(output, self.change_id)
        if result is None:
            return
        done = result in (Word.ROLLED_BACK, Word.UNTOUCHED, Word.BOOTED)
        why = ROLLBACK_TEXTS[result]
        self.standing[host] = HostOutcome(HostState.ROLLED_BACK if done else HostState.UNKNOWN, why)
        self.listener.event(host, Event.ROLLED_BACK if done else Event.MISMATCH, why)

    # --- exchanges

    def _call(self, host: str, words: Iterable[str], action: str, deadline_s: float) -> str:
        script = scripts.referee_script(self.network.directory, words)
        return self.fleet.open(host).exchange(script, action, deadline_s)

    def _exchange(
        self, host: str, plan: HostPlan, scope: Scope, known: Observed, exchange: Exchange
    ) -> tuple[str, Observed]:
        """Run a script and read the host afterwards; each change that begins is an event."""
        changes = plan.do if scope is Scope.CHANGED else plan.prepare

        def on_line(line: str) -> None:
            if change := begun(line, changes):
                self.listener.event(host, Event.CHANGE, f"{change.sign} {change.what}")
                if change is changes[0] and host in self.armed:
                    # The lease began only now: the scripts took their time to arrive.
                    self.armed[host] = time.monotonic() + self.lease_s
            elif line.startswith("@wait "):
                self.listener.event(host, Event.WAITING, one_line(line[6:], 200))

        managed_nft = bool(plan.want.nft or plan.have.nft)
        ask = replace(self.asks[host], no_counters=True, mtu_targets=(), scope=scope, managed_nft=managed_nft)
        return gather(self.fleet.open(host), self.network, ask, replace(exchange, on_line=on_line), known)


class ChangeFailed(HostError):
    """A change that did not come true; it is rolled back."""

    exit_code = 5
