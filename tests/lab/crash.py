"""Crash points: one fault at the k-th command that one host runs, and what must be true of all hosts afterwards.

A shim stands before the external commands (COMMANDS) on a host. The k-th call, counted while a change holds the lock, fails,
hangs, or has its caller killed (SIGKILL) before or after it. Then: every host runs the old state or the new one; `up`
converges; `up` again finds no changes; `teardown` gives the baseline back.

Run as a program it tries a list of points in a world of its own and writes a JSON line for each.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wgorch import workflow
from wgorch.apply import scripts, transaction
from wgorch.apply.lease import VERIFY_S
from wgorch.errors import WgorchError
from wgorch.inventory.load import load
from wgorch.inventory.model import Host, Inventory
from wgorch.plan.playbook import load_all
from wgorch.rehearsal.handle import ENVIRONMENT
from wgorch.rehearsal.reference import ReferenceWorld
from wgorch.rehearsal.world import World
from wgorch.remote.fleet import Fleet
from wgorch.remote.process import ProcessWire
from wgorch.remote.wire import Wire
from wgorch.run import Run
from wgorch.verify import measure

HOSTS = ("bcc", "home", "company")
KINDS = ("fail", "hang", "kill-before", "kill-after")
VERBS = ("up", "revert", "boot", "teardown", "policy", "policy-revert")
INVENTORY = Path(__file__).resolve().parents[2] / "inventory" / "home-company.yaml"
LEASE_S = 6

COMMANDS = [
    "ip",
    "wg",
    "iptables",
    "iptables-save",
    "iptables-restore",
    "nft",
    "sync",
    "mv",
    "rm",
    "cat",
    "cmp",
    "cp",
    "chmod",
    "mkdir",
    "rmdir",
    "ln",
    "setsid",
    "sh",
    "date",
    "sort",
    "grep",
    "sed",
    "systemctl",
    "systemd-run",
    "wireguard-go",
    "ls",
    "sha256sum",
    "id",
    "uname",
]

SHIM = r"""#!/bin/dash
name=${0##*/}
real() { PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$name"; }
# What we run there ourselves may have its parent outside of this machine, and so none: 0 would be our whole process group.
strike() { [ "$PPID" = 0 ] || kill -9 "$PPID"; }
if [ -r /run/shim/fault ] && { [ -e /run/shim/always ] || [ -e /var/lib/wgorch/office/lock ]; }; then
    echo "$name $*" >>/run/shim/log
    n=0
    while read -r _; do n=$((n + 1)); done </run/shim/log
    read -r k kind </run/shim/fault
    if [ "$n" = "$k" ]; then
        echo "$kind $name $*" >/run/shim/fired
        case $kind in
        fail) exit 1 ;;
        hang) echo $$ >>/run/shim/hung; exec /bin/sleep 120 ;;
        kill-before) strike; exit 1 ;;
        kill-after) "$(real)" "$@"; strike; exit 1 ;;
        esac
    fi
fi
exec "$(real)" "$@"
"""


@dataclass(frozen=True, order=True)
class Point:
    """One crash point: during `verb`, on `host`, at its k-th command, a fault of a kind."""

    verb: str
    host: str
    k: int
    kind: str

    def __str__(self) -> str:
        return f"{self.verb}:{self.host}:{self.k}:{self.kind}"

    @classmethod
    def parse(cls, text: str) -> Point:
        verb, host, k, kind = text.split(":")
        return cls(verb, host, int(k), kind)


class InWorld(ProcessWire):
    """A root shell on a machine of the world, without SSH: thousands of runs need not log in."""

    def __init__(self, world: World, machine: str) -> None:
        super().__init__(world.argv(machine, ["/bin/sh"]), env=ENVIRONMENT)


class InWorldFleet(Fleet):
    """Sessions into the world."""

    def __init__(self, world: World, inventory: Inventory) -> None:
        super().__init__(inventory.hosts)
        self._world = world

    def _wire(self, host: Host, command: str, *, tty: bool = False) -> Wire:
        return InWorld(self._world, host.name)

    def check_ssh(self, name: str, timeout_s: float = 10) -> None:
        """There is no sshd in between."""


class Silent:
    """Hears everything, says nothing; keeps it for a failure's report."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def event(self, host: str, what: str, detail: str = "") -> None:
        self.heard.append(f"{host} {what} {detail}")


RUNTIME = r"""
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
for p in /sys/class/net/*; do printf '%s %s %s\n' "${p##*/}" "$(cat $p/mtu)" "$(cat $p/ifalias)"; done
ip -o address show scope global | sed 's/^[0-9]*: //' | sort
ip -4 route show table all | sort
ip rule show
(cd /proc/sys/net/ipv4/conf && grep . */forwarding */send_redirects */rp_filter)
for part in public-key listen-port; do wg show wg0 $part 2>/dev/null; done
for part in allowed-ips persistent-keepalive; do wg show wg0 $part 2>/dev/null | sort; done
nft list tables | sort
nft list table inet wgorch-office 2>/dev/null
# The order of tables and chains says nothing; the order of the rules in a chain does.
for t in filter nat mangle; do
    case $(nft list tables) in *"table ip $t"*)
        iptables-save -t $t | grep -e '^:' -e '^-A' | sed 's/\[[0-9]*:[0-9]*\]//' | sort -s -k2,2
    esac
done
"""


POLICIES = (
    "policy:\n  - home -> 10.10.13.61: ping, tcp 7777\n  - bcc -> company: tcp 22 until 2100-01-31\n",
    "policy:\n  - home -> 10.10.13.61: ping, udp 7777\n  - any -> bcc: tcp 22\n",
)
"""What a change of the policy is between."""


class Bench:
    """A world, and the reference network's runs in it."""

    def __init__(self, name: str) -> None:
        # Where a host went back by its start script, a peer's session is dead for 15 s: `up` waits for that.
        transaction.PHASE_S, scripts.PROGRAM_S, measure.PATIENCE_S = 8, 4, 20
        self.world = ReferenceWorld(name)
        self.inventory = load(INVENTORY)

    def __enter__(self) -> Bench:
        self.world.up()
        for host in HOSTS:
            self.world.sh(host, "mkdir -p /run/shim && mount -t tmpfs -o mode=755 shim /usr/local/sbin")
            self.world.write(host, "/usr/local/sbin/.shim", SHIM, "755")
            self.world.sh(host, "cd /usr/local/sbin; for c in " + " ".join(COMMANDS) + "; do ln -sf .shim $c; done")
        self.old = self.runtime()
        code = self.up()
        assert code == 0, f"the reference network does not come up here: {code} {self.last}"
        self.new = self.runtime()
        assert self.teardown() == 0
        self.between = dict.fromkeys(VERBS, (self.old, self.new))
        self.between |= dict.fromkeys(("policy", "policy-revert"), (self._with_policy(0), self._with_policy(1)))
        assert self.teardown() == 0
        assert self.old == self.runtime()
        return self

    def _with_policy(self, number: int) -> dict[str, str]:
        """What runs with one of the two policies."""
        path = self.world.place / "policies" / f"{number}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(INVENTORY.read_text().replace("verify:", f"{POLICIES[number]}verify:"))
        self.inventory = load(path)
        assert self.up() == 0, self.last
        return self.runtime()

    def __exit__(self, *_: object) -> None:
        self.world.down()

    def runtime(self) -> dict[str, str]:
        """What runs on every host, in the words that old and new are compared in."""
        return {host: self.world.sh(host, RUNTIME, check=False) for host in HOSTS}

    # --- runs

    def up(self, *, broken: bool = False) -> int:
        return self._patiently("up", broken)

    def teardown(self) -> int:
        return self._patiently("teardown", False)

    def _patiently(self, verb: str, broken: bool) -> int:
        code = self._run(verb, broken)
        if code == 75:
            # A holder that is gone and could not unlock: its lock ends with its lease.
            time.sleep(max(LEASE_S + 31, VERIFY_S + 6))
            code = self._run(verb, broken)
        return code

    def _run(self, verb: str, broken: bool) -> int:
        listener = Silent()
        self.last: object = listener
        fleet = InWorldFleet(self.world, self.inventory)
        directory = self._broken_playbooks() if broken else None
        world = Run(self.inventory, fleet, listener, load_all(self.inventory.path, directory))

        def agreed(_plans: Mapping[str, object]) -> None:
            self.changes = sum(len(p.changes) for p in _plans.values())  # type: ignore[attr-defined]

        try:
            work = workflow.up if verb == "up" else workflow.teardown
            outcome = work(world, agreed, lease_s=LEASE_S)
            self.last = (
                listener.heard[-12:],
                [str(e) for e in outcome.failed],
                outcome.standing,
                outcome.verdict and outcome.verdict.findings,
            )
            return outcome.code
        except WgorchError as error:
            self.last = (listener.heard[-12:], str(error))
            return error.exit_code
        finally:
            fleet.close()

    def _broken_playbooks(self) -> Path:
        """Playbooks whose last step fails on every host, so that everything must be taken back."""
        place = self.world.place / "playbooks"
        place.mkdir(exist_ok=True)
        text = (INVENTORY.parents[1] / "playbooks" / "up.yaml").read_text()
        old = "exit_routes]"
        assert old in text
        added = "exit_routes, {run: broken, command: 'false'}]"
        (place / "up.yaml").write_text(text.replace(old, added))
        return place

    # --- faults

    def arm(self, host: str, k: int, kind: str, *, always: bool = False) -> None:
        flag = "touch /run/shim/always" if always else "rm -f /run/shim/always"
        self.world.sh(
            host,
            f"PATH=/usr/bin:/bin; mkdir -p /run/shim; rm -f /run/shim/*; {flag}; echo '{k} {kind}' >/run/shim/fault",
        )

    def disarm(self, host: str) -> str:
        """Take the fault away and let what hangs go on dying; what fired, if anything did."""
        script = (
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin; cat /run/shim/fired 2>/dev/null; rm -f /run/shim/fault /run/shim/always; "
            "[ -r /run/shim/hung ] && while read -r p; do kill -9 $p 2>/dev/null; done </run/shim/hung; rm -f /run/shim/hung; true"
        )
        # By its path: where the program had fewer commands than that, this sh would be the next one to be struck.
        return self.world.run(host, "/bin/sh", "-c", script).stdout.strip()

    def settle(self) -> None:
        """Wait until no lease runs any more."""
        end = time.monotonic() + LEASE_S + 30
        ask = (
            "d=/var/lib/wgorch/office; [ ! -e $d/pending ] && [ ! -e $d/reverting ] || exit 1; "
            "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' <$p/cmdline 2>/dev/null) in *'/ref'eree*) exit 1 ;; esac; done; exit 0"
        )
        for host in HOSTS:
            while self.world.run(host, "sh", "-c", ask, check=False).returncode:
                if time.monotonic() > end:
                    raise AssertionError(f"{host}: a change is still open")
                time.sleep(0.2)

    def commands(self, verb: str, host: str) -> list[str]:
        """The commands that one host runs during a verb, without a fault: the crash points."""
        self.prepare(verb)
        self.arm(host, 0, "fail", always=verb == "boot")
        self.act(verb, host)
        log = self.world.sh(host, "cat /run/shim/log 2>/dev/null", check=False).split("\n")
        self.disarm(host)
        self.settle()
        self.clean()
        return [line for line in log if line]

    def prepare(self, verb: str) -> None:
        """The state that a verb starts from."""
        self.inventory = load(INVENTORY)
        if verb.startswith("policy"):
            self._with_policy(0)
            self.inventory = load(self.world.place / "policies" / "1.yaml")
        elif verb in ("boot", "teardown"):
            assert self.up() == 0, self.last

    def act(self, verb: str, host: str) -> int:
        """The verb that the fault strikes."""
        if verb == "boot":
            return self.world.run(host, "sh", "/var/lib/wgorch/office/boot", check=False, timeout=60).returncode
        if verb == "teardown":
            return self.teardown()
        return self.up(broken=verb.endswith("revert"))

    def attempt(self, point: Point) -> dict[str, object]:
        """Try one point; `violation` says what was not as promised."""
        began = time.monotonic()
        told: dict[str, object] = {"point": str(point)}
        try:
            self._attempt(point, told)
        except AssertionError as error:
            told["violation"] = str(error)[:2000]
            with contextlib.suppress(Exception):
                self.reset()
        told["seconds"] = round(time.monotonic() - began, 2)
        return told

    def _attempt(self, point: Point, told: dict[str, object]) -> None:
        self.prepare(point.verb)
        self.arm(point.host, point.k, point.kind, always=point.verb == "boot")
        try:
            if point.verb == "boot" and point.kind == "hang":
                # Nobody watches a machine that starts; whoever waits for it gives up and starts it again.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.world.run(
                        point.host,
                        "timeout",
                        "-s",
                        "KILL",
                        "5",
                        "sh",
                        "/var/lib/wgorch/office/boot",
                        check=False,
                        timeout=20,
                    )
            else:
                told["code"] = self.act(point.verb, point.host)
        finally:
            told["fired"] = self.disarm(point.host)
        self.settle()
        before, after = self.between[point.verb]
        if point.verb != "boot":
            now = self.runtime()
            for host in HOSTS:
                delta = _delta(host, before, after, now)
                assert now[host] in (before[host], after[host]), f"{host} is neither old nor new:\n{delta}\n{self.last}"
                if point.verb.endswith("revert"):
                    assert now[host] == before[host], f"{host} was not taken back:\n{delta}"
        else:
            self.world.sh(point.host, "sh /var/lib/wgorch/office/boot")
            now = self.runtime()
            delta = _delta(point.host, before, after, now)
            assert now == after, f"boot, and boot again, is not the new state: {delta}"
        code = self.up()
        assert code == 0, f"up does not converge: {code} {self.last}"
        assert self.runtime() == after, "up converges to another state"
        assert self.up() == 0 and self.changes == 0, f"up is not done: {self.changes} changes"
        self.clean()

    def clean(self) -> None:
        code = self.teardown()
        assert code == 0, f"teardown: {code} {self.last}"
        now = self.runtime()
        deltas = [_delta(host, self.old, self.new, now) for host in HOSTS]
        assert now == self.old, f"teardown does not give back the baseline: {deltas}"

    def reset(self) -> None:
        """After a violation: by force, so that the next point starts clean."""
        for host in HOSTS:
            self.disarm(host)
            self.world.sh(
                host,
                "cd /var/lib/wgorch/office && ls | grep -v private_key | xargs rm -rf; ip link delete wg0; nft flush ruleset; rm -rf /etc/systemd/system/wgorch-*; true",
                check=False,
            )
            self.world.sh(
                host,
                "for t in filter nat mangle; do nft delete table ip $t; done; for c in all eth0 wlp2s0 ens192; do echo 1 >/proc/sys/net/ipv4/conf/$c/send_redirects; [ $c = all ] || echo 0 >/proc/sys/net/ipv4/conf/$c/forwarding; done; true",
                check=False,
            )


def _delta(host: str, before: Mapping[str, str], after: Mapping[str, str], now: Mapping[str, str]) -> str:
    old, new, here = (set(each[host].split("\n")) for each in (before, after, now))
    return f"{host}: neither: {sorted(here - old - new)}; of old only: {sorted((here & old) - new)}; of new only: {sorted((here & new) - old)}"


def main() -> None:
    """``python -m tests.lab.crash --name W --count`` or ``… POINT POINT …``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("points", nargs="*")
    args = parser.parse_args()
    with Bench(args.name) as bench:
        if args.count:
            found = {verb: {host: bench.commands(verb, host) for host in HOSTS} for verb in VERBS}
            sys.stdout.write(json.dumps(found) + "\n")
            return
        points = args.points or [line.strip() for line in sys.stdin if line.strip()]
        for text in points:
            sys.stdout.write(json.dumps(bench.attempt(Point.parse(text))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
