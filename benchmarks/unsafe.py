"""`wgorch up` without what makes it safe: to be measured, never to be used. The difference is what the safety costs.

Left out: the lock, the test of the rules, the ways back and the lease with its watcher, the reading of what was changed, the
new connection to SSH, the confirmation, and what follows it. Inventory, facts, plan, programs and the measuring at the end
are wgorch's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wgorch import workflow
from wgorch.apply.lease import PHASE_S
from wgorch.apply.rollout import Rollout
from wgorch.apply.transaction import Transaction
from wgorch.cli.main import run
from wgorch.errors import Unfit
from wgorch.gather.gather import ENVIRONMENT
from wgorch.gather.observed import Observed
from wgorch.outcome import HostOutcome
from wgorch.plan.host import HostPlan
from wgorch.state.change import quote_words


class Unsafe(Transaction):
    """A change that nobody can take back."""

    def lock(self, host: str, plan: HostPlan, seen: Observed, shared: Mapping[str, str]) -> Observed:
        """Only the key is born."""
        place = quote_words([self.network.directory])
        program = f"{ENVIRONMENT}umask 077; mkdir -p -m 700 {place}; cd {place} || exit 1\n{plan.prepare_program.text}"
        ask = replace(self.asks[host], brief=True, ways=(), scope="own")
        _, again = self._ask(host, program, PHASE_S, plan.prepare, "make its key", ask, seen)
        return again

    def apply(self, host: str, plan: HostPlan, seen: Observed) -> Observed:
        """The changes are made, and the start-up program is put there."""
        boot = quote_words([plan.boot.text.rstrip("\n")])
        program = f"{plan.do_program.text}\nprintf '%s\\n' {boot} >boot"
        said = self.fleet.open(host).exchange(program, "change it", PHASE_S)
        if "@done" not in said:
            raise Unfit(host, "change it", said)
        self.armed[host], self.standing[host] = float("inf"), HostOutcome("new", "changed")
        return seen

    def confirm(self, host: str) -> None:
        """There is nothing to confirm."""

    def finish(self, host: str, plan: HostPlan, keep: str = "keep") -> None:
        """There is nothing to clear up."""


def no_knock(_phases: Rollout) -> bool:
    """Nobody looks whether a new connection gets in."""
    return True


workflow.Transaction = Unsafe  # type: ignore[misc]
Rollout._check_ssh = no_knock  # type: ignore[method-assign]
run()
