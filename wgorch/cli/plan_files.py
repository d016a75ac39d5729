"""Plans as files: write one, read one, and open the run that one was made in."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.errors import HostsFailed, UsageError

if TYPE_CHECKING:
    from wgorch.approval import Signed
    from wgorch.cli.context import Context
    from wgorch.cli.options import Options
    from wgorch.outcome import Outcome
    from wgorch.plan.file import PlanFile
    from wgorch.plan.host import HostPlan
    from wgorch.run import Run


def write_plan(path: Path, run: Run, outcome: Outcome, directory: Path | None) -> None:
    """Write the plan of a run. `directory`: of its playbooks, as given. Raises UsageError."""
    from wgorch import __version__
    from wgorch.approval import rules_in_force
    from wgorch.inventory.dump import dump_text
    from wgorch.membership import author
    from wgorch.plan.file import PlanFile, planned, to_text
    from wgorch.plan.playbook import NAMES, find
    from wgorch.report.files import write_text
    from wgorch.report.verdict import undone

    given = run.options
    file = PlanFile(
        network=run.network.name,
        path=run.inventory.path,
        inventory=dump_text(run.inventory, identities=True),
        playbooks={name: find(name, run.inventory.path, directory).read_text(encoding="utf-8") for name in NAMES},
        options={
            "limit": sorted(given.limit),
            "accept_new_keys": sorted(given.accept_new_keys),
            "rotate_keys": sorted(given.rotate_keys),
            "redo_mtu": given.redo_mtu,
            "adopt": given.adopt,
        },
        removed={name: str(host.ssh) for name, host in outcome.leaving.items()},
        hosts={name: planned(plan) for name, plan in outcome.plans.items()},
        undone=undone(run),
        made=int(time.time()),
        by=author(),
        version=__version__,
        approvals=tuple(rule.text for rule in rules_in_force(run.inventory, run.seen)),
    )
    write_text(to_text(file), path)


def read_plan(path: Path) -> PlanFile:
    """Read a plan. Raises UsageError."""
    from wgorch.plan.file import from_text

    try:
        return from_text(path.read_bytes().decode(errors="replace"), str(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "wgorch plan -o FILE writes a plan") from None


SIGNATURE = ".sig"
"""End of the name of a signature, which lies beside its plan: change.plan.anna.sig."""
MAX_SIGNATURES = 100
MAX_BYTES = 16384
"""Of a signature."""


def read_signatures(path: Path, file: PlanFile) -> Signed:
    """Read what lies beside a plan as its signatures. Raises UsageError."""
    from wgorch.approval import Signed

    try:
        beside = sorted(
            each for each in path.parent.iterdir() if each.name.startswith(f"{path.name}.") and each.suffix == SIGNATURE
        )
        texts = {
            each.name: each.read_bytes()[:MAX_BYTES].decode(errors="replace")
            for each in beside[:MAX_SIGNATURES]
            if each.is_file()
        }
    except OSError as error:
        problem = f"cannot read the signatures beside {path}: {error.strerror}"
        raise UsageError(problem, "make them readable, or remove them") from None
    return Signed(file.digest, texts)


@contextmanager
def open_planned(options: Options, file: PlanFile, signed: Signed, *, strict: bool) -> Iterator[Context]:
    """Open the run that a plan was made in, with its inventory, playbooks and options. Raises WgorchError.

    `signed`: what people signed of it.
    """
    from dataclasses import replace

    from wgorch.cli.context import build_topology, run_over
    from wgorch.inventory.load import loads
    from wgorch.inventory.locations import Locations
    from wgorch.plan.playbook import NAMES, load_all
    from wgorch.run_options import RunOptions

    inventory = replace(loads(file.inventory, file.path), path=file.path, locations=Locations())
    with tempfile.TemporaryDirectory() as place:
        for name in NAMES:
            (Path(place) / name).write_text(file.playbooks.get(name, ""), encoding="utf-8")
        playbooks = load_all("", Path(place), frozenset(inventory.hosts))
    given = file.options
    wanted = RunOptions(
        frozenset(given["limit"]),
        frozenset(given["accept_new_keys"]),
        frozenset(given["rotate_keys"]),
        redo_mtu=given["redo_mtu"],
        adopt=given["adopt"],
        signed=signed,
        strict=strict,
        is_from_file=True,
    )
    with run_over(options, inventory, playbooks, wanted, topology=build_topology(inventory), draws=True) as context:
        yield context


def refuse_others(file: PlanFile, run: Run, plans: Mapping[str, HostPlan]) -> None:
    """Refuse every plan but that of a file. Raises HostsFailed where a host is no longer as it was planned for."""
    from wgorch.plan.file import departures

    if failed := list(departures(file, plans, {name: str(host.ssh) for name, host in run.removed.items()})):
        raise HostsFailed(failed)
