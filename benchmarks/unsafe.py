"""`wgorch up` without what makes it safe: to be measured, never to be used. The difference is the cost of the safety.

python -m benchmarks.unsafe INVENTORY

Left out: the lock, the test of the rules, undo and the lease with its watcher, the reading after the change, the new
connection to SSH, the confirmation, and what follows it. Inventory, facts, plan, scripts and the verification at the end
are wgorch's own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.up import end, up
from wgorch.apply.lease import PHASE_S
from wgorch.apply.transaction import Transaction
from wgorch.base.sh import quote, sh, sh_lines
from wgorch.errors import Unfit
from wgorch.gather.gather import ENVIRONMENT, Exchange, Scope, gather
from wgorch.gather.observed import Observed
from wgorch.outcome import HostOutcome, HostState
from wgorch.plan.host import HostPlan


class Unsafe(Transaction):
    """A change that cannot be rolled back."""

    def lock(self, host: str, plan: HostPlan, seen: Observed, shared: Mapping[str, str]) -> Observed:
        """Generate the key, and read the host again."""
        place = sh("mkdir -p -m 700 {place}; cd {place} || exit 1", place=quote(self.network.directory))
        program = sh_lines([ENVIRONMENT, sh("umask 077"), place, plan.prepare_program.text])
        ask = replace(self.asks[host], no_counters=True, mtu_targets=(), scope=Scope.OWN)
        exchange = Exchange(program, "make its key", PHASE_S)
        _, again = gather(self.fleet.open(host), self.network, ask, exchange, seen)
        return again

    def apply(self, host: str, plan: HostPlan, seen: Observed) -> Observed:
        """Make the changes, and write the start-up script."""
        write = sh("printf '%s\\n' {boot} >boot", boot=quote(plan.boot.text.rstrip("\n")))
        program = sh_lines([plan.do_program.text, write])
        said = self.fleet.open(host).exchange(program, "change it", PHASE_S)
        if "@done" not in said.split("\n"):
            raise Unfit(host, "change it", said)
        self.armed[host], self.standing[host] = float("inf"), HostOutcome(HostState.APPLIED, "changed")
        return seen

    def check_ssh(self, host: str) -> None:
        """Check nothing."""

    def confirm(self, host: str) -> None:
        """Confirm nothing: there is no lease."""

    def finish(self, host: str, plan: HostPlan, keep: str = "keep") -> None:
        """Finish nothing: there is no lock."""


if __name__ == "__main__":
    end(up(sys.argv[1], transaction_type=Unsafe))
