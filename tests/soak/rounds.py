"""One round: a network comes up, is edited, spoiled, struck and taken down; after each step it is judged."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.soak import judge
from tests.soak.troubles import BESIDE, BETWEEN, beside, between
from tests.soak.wish import ROLES, SECOND, Wish, edited
from wgorch.rehearsal.reference import ReferenceWorld

ROOT = Path(__file__).resolve().parents[2]
PLACE = "/root/soak"
STATE = "/root/.local/state/wgorch"
BUSY, REFUSED = 75, 4
KNOWN = {0, 1, 2, 3, 4, 5, 6, 7, 75, 130, -9, -1, -2, -15, 137, 143, 129}
"""Exit codes of docs/cli.md, and those of a process that a signal ended."""

LEGACY = (
    "mount -t tmpfs -o mode=755 shim /usr/local/sbin && for c in iptables iptables-save iptables-restore; do "
    "ln -s /usr/sbin/xtables-legacy-multi /usr/local/sbin/$c; done"
)
CLOCK = "mount -t tmpfs -o mode=755 shim /usr/local/sbin && printf '%s\\n' '#!/bin/sh' 'exec /bin/date -d \"{} seconds\" \"$@\"' >/usr/local/sbin/date && chmod 755 /usr/local/sbin/date"


class Violation(Exception):
    """A promise that was not kept."""


class Round:
    """One round in a world; `log` says what happened."""

    def __init__(self, world: ReferenceWorld, seed: str) -> None:
        self.world, self.chance = world, Random(seed)
        self.wish = Wish()
        self.standing: list[Wish] = []
        """The networks that are up, as far as `up` and `teardown` ended well."""
        self.log: list[str] = []
        self.settings: dict[str, str] = {}

    def run(self) -> None:
        """Run the round. Raises Violation."""
        chance = self.chance
        with self._settings():
            self.before = {role: judge.state(self.world, role) for role in ROLES}
            if chance.random() < 0.2:
                self._converge(SECOND)
            for _ in range(chance.randint(1, 3)):
                self.wish, what = edited(self.wish, chance)
                self.log.append(f"edit {what}")
            self._struck("up", self.wish)
            self._converge(self.wish)
            for _ in range(chance.randint(1, 3)):
                chance.choice([self._edit, self._spoil, self._verbs, self._second])()
            self._down()

    # --- steps

    def _edit(self) -> None:
        new, what = edited(self.wish, self.chance)
        self.log.append(f"edit {what}")
        if new.needs_teardown != self.wish.needs_teardown:
            self._refused(new)
            self._teardown(self.wish, new)
        else:
            self._struck("up", new)
        self.wish = new
        self._converge(new)

    def _refused(self, new: Wish) -> None:
        done = self._patiently("up", new)
        if done.returncode != REFUSED or "wgorch teardown" not in done.stderr:
            raise Violation(f"a renamed network was not refused with its remedy: {done.returncode}\n{done.stderr}")

    def _spoil(self) -> None:
        what = self.chance.choice(BETWEEN)
        role = self.chance.choice(ROLES)
        self.log.append(f"{what} on {role}")
        if what == "reboot":
            self._reboot(role)
        else:
            between(self.world, what, role, self.wish)
        for wish in list(self.standing):
            self._bring_up(wish)
        self._judge()

    def _verbs(self) -> None:
        verb = self.chance.choice(["status", "verify", "trace", "rotate-key", "plan"])
        words = {
            "trace": [self.wish.names["home"], self.wish.target],
            "rotate-key": [self.wish.names[self.chance.choice(ROLES)], "--yes"],
        }
        done = self._wgorch(verb, *words.get(verb, []), wish=self.wish)
        self.log.append(f"{verb}: {done.returncode}")
        if done.returncode:
            raise Violation(f"{verb} of a healthy network: {done.returncode}\n{done.stdout}\n{done.stderr}")
        self._judge()

    def _second(self) -> None:
        if SECOND in self.standing:
            self._teardown(SECOND, SECOND)
        else:
            self._converge(SECOND)
        self._judge()

    def _down(self) -> None:
        standing = self.chance.sample(self.standing, len(self.standing))
        if self.chance.random() < 0.4:
            self._struck("teardown", standing[0])
            self.log.append("after a struck teardown")
        for wish in standing:
            self._teardown(wish, wish)
        if faults := list(judge.baseline_faults(self.world, self.before)):
            raise Violation("; ".join(faults))

    # --- the program

    def _converge(self, wish: Wish) -> None:
        self._bring_up(wish)
        for other in [other for other in self.standing if other.name != wish.name]:
            self._bring_up(other)  # a reboot may have struck it, too
        self._judge()

    def _bring_up(self, wish: Wish) -> None:
        """`up` ends well, and a second one has nothing to do."""
        done = self._patiently("up", wish)
        if done.returncode:
            raise Violation(f"up does not converge: {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.standing = [*(other for other in self.standing if other.name != wish.name), wish]
        again = self._patiently("up", wish)
        if "No changes." not in again.stdout:
            raise Violation(f"up again: {again.returncode}\n{again.stdout}\n{again.stderr}")

    def _judge(self) -> None:
        faults = [*judge.network_faults(self.world, self.standing), *judge.secret_faults(self.world, STATE)]
        if faults:
            raise Violation("; ".join(faults))

    def _teardown(self, wish: Wish, new: Wish) -> None:
        """Take a network down, by its file, by a newer one with another interface, by its name, or by its hosts."""
        ways = ["file", "name", "hosts"] + (["newer file"] if new.name == wish.name else [])
        way = self.chance.choice(ways)
        ssh = ["root@203.0.113.13", "root@192.168.0.9"]
        words = {
            "name": ["--network", wish.name],
            "hosts": [*(word for target in ssh for word in ("--host", target)), "--network", wish.name],
        }.get(way)
        chosen = new if way == "newer file" else wish
        done = self._patiently("teardown", chosen, words)
        if way == "hosts" and done.returncode == 0:
            # company is behind a jump host, which --host does not say.
            done = self._patiently("teardown", wish)
        self.log.append(f"teardown by {way}: {done.returncode}")
        if done.returncode:
            raise Violation(f"teardown by {way}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.standing = [other for other in self.standing if other.name != wish.name]

    def _patiently(self, verb: str, wish: Wish, words: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a verb; a lock of a run that died is waited for."""
        purge = ["--purge"] if verb == "teardown" else []
        end = time.monotonic() + 75
        while True:
            done = self._wgorch(verb, *(words or []), "--yes", *purge, wish=None if words else wish)
            if done.returncode != BUSY or time.monotonic() > end:
                return done
            time.sleep(2)

    def _struck(self, verb: str, wish: Wish) -> None:
        """Run a verb, and let something happen meanwhile."""
        what = self.chance.choice(["nothing", *BESIDE])
        self.log.append(f"{verb} with {what}")
        if what == "nothing":
            return
        self._write(wish)
        purge = ["--purge"] if verb == "teardown" else []
        argv = self._argv(verb, f"{PLACE}/{wish.name}.yaml", "--yes", "--confirm-timeout", "10", *purge)
        with (self.world.place / "said.txt").open("w+") as said:

            def spawn() -> subprocess.Popen[str]:
                env = {"PYTHONPATH": str(ROOT)}
                return self.world.spawn("controller", *argv, env=env, start_new_session=True, stdout=said)

            process = spawn()
            beside(self.world, what, self.chance, process, spawn, self._reboot)
            said.seek(0)
            text = said.read()
        self.log.append(f"exit {process.returncode}")
        # A signal in the interpreter's first moments is answered by the interpreter itself.
        if ("Traceback" in text and "/wgorch/" in text) or process.returncode not in KNOWN:
            raise Violation(f"{verb} with {what}: exit {process.returncode}\n{text}")

    def _wgorch(self, verb: str, *words: str, wish: Wish | None) -> subprocess.CompletedProcess[str]:
        if wish:
            self._write(wish)
        lease = ["--confirm-timeout", "10"] if verb in ("up", "teardown", "rotate-key") else []
        argv = self._argv(verb, *words, *lease)
        env = {"PYTHONPATH": str(ROOT)} | ({"WGORCH_INVENTORY": f"{PLACE}/{wish.name}.yaml"} if wish else {})
        done = self.world.run("controller", *argv, check=False, timeout=200, env=env)
        if "Traceback" in done.stdout + done.stderr or done.returncode not in KNOWN:
            raise Violation(f"{verb}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def _argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "wgorch", *words]

    def _write(self, wish: Wish) -> None:
        self.world.write("controller", f"{PLACE}/{wish.name}.yaml", wish.text())

    # --- settings of hosts

    @contextmanager
    def _settings(self) -> Iterator[None]:
        """Settings of other distributions, for this round."""
        for role in ROLES:
            promote, filtered, forward = (self.chance.choice(values) for values in ("01", "02", "001"))
            script = (
                f"for c in all default; do echo {promote} >/proc/sys/net/ipv4/conf/$c/promote_secondaries; "
                f"echo {filtered} >/proc/sys/net/ipv4/conf/$c/rp_filter; done; echo {forward} >/proc/sys/net/ipv4/ip_forward"
            )
            drawn = self.chance.random()
            # With systemd a boot comes before the shim.
            if drawn < 0.3 and not (drawn < 0.15 and self.world.machines[role].systemd):
                what = "iptables-legacy" if drawn < 0.15 else "another clock"
                shim = LEGACY if drawn < 0.15 else CLOCK.format(self.chance.choice(["+86400", "-3600"]))
                script = f"{script}; {shim}"
                self.log.append(f"{role}: {what}")
            self.settings[role] = script
            self.world.sh(role, script)
        yield
        for role in ROLES:
            self.world.sh(role, "umount /usr/local/sbin 2>/dev/null; :")

    def _reboot(self, role: str) -> None:
        """Restart a host, whose distribution sets the same as before."""
        self.world.reboot(role)
        self.world.sh(role, self.settings[role])
