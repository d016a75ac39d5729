"""Read the playbooks (playbooks/*.yaml): stages, the steps in each, the user's own steps, and checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from wgorch.base.assets import shipped
from wgorch.errors import InventoryError, UsageError
from wgorch.inventory import fields as f
from wgorch.inventory import nodes, reader
from wgorch.inventory.problems import Problems
from wgorch.state.state import Run
from wgorch.steps import all_steps

STAGES = ("prepare", "tunnel", "traffic", "stay")

CHECKS = ("handshakes", "tunnel", "flows", "full_size")
"""Checks of `verify`; playbooks/verify.yaml explains each."""

RENAMED = {
    "new_zones": "firewalld_prepare",
    "zones": "firewalld",
    "kept_zones": "firewalld_permanent",
    "tables": "empty_tables",
    "exits": "exit_routes",
    "others": "drop_ins",
}
"""Names of steps up to version 0.1, which playbooks of users may still have."""

MUST_PRECEDE = (
    ("install", "keys"),
    ("keys", "interface"),
    ("interface", "addresses"),
    ("interface", "peers"),
    ("interface", "routes"),
    ("interface", "forwarding"),
    ("masquerade", "empty_tables"),
    ("map_lans", "empty_tables"),
    ("interface", "exit_routes"),
)
"""Pairs of steps whose order `up` must keep; teardown has the reverse order."""

STAGE_OF = {"install": "prepare", "keys": "prepare", "persist": "stay"}
"""Steps that belong into one stage."""

Steps = tuple["str | UserStep", ...]
"""The steps of a stage: names of wgorch's steps, and the user's own."""


class UserStep(NamedTuple):
    """A `run:` step: a command of the user's."""

    name: str
    """Unique name."""
    run: Run
    """Command and undo command."""
    hosts: frozenset[str]
    """Hosts that it runs on; empty: all."""

    def is_for(self, host: str) -> bool:
        """True if it runs on a host."""
        return not self.hosts or host in self.hosts


class Playbook(NamedTuple):
    """The steps of one verb, in order."""

    stages: Mapping[str, Steps]
    """Steps by stage."""

    @property
    def user_steps(self) -> tuple[UserStep, ...]:
        """The user's own steps."""
        return tuple(step for steps in self.stages.values() for step in steps if isinstance(step, UserStep))

    def runs_for(self, host: str) -> dict[str, Run]:
        """Return the user's own steps of a host, by name."""
        return {step.name: step.run for step in self.user_steps if step.is_for(host)}

    def steps(self, *stages: str) -> Iterator[str | UserStep]:
        """Yield the steps of some stages, in the order of the file."""
        for stage, steps in self.stages.items():
            if stage in stages:
                yield from steps


class Playbooks(NamedTuple):
    """The playbooks of all verbs."""

    up: Playbook
    teardown: Playbook
    checks: frozenset[str]
    """Checks of `verify`, and of `up` before it confirms."""


NAMES = ("up.yaml", "teardown.yaml", "verify.yaml")
"""Playbooks; a directory may leave some to the shipped ones."""


def load_all(inventory: str | Path, directory: Path | None, hosts: frozenset[str] = frozenset()) -> Playbooks:
    """Load the playbooks for an inventory: those in a directory, or beside the inventory, or the shipped ones.

    `hosts` are the names that `on:` may use. Raises InventoryError, and UsageError for a directory without playbooks.
    """
    if directory is not None and not any(_is_file(directory / name) for name in NAMES):
        raise UsageError(f"no playbook in {directory}", f"a directory with {', '.join(NAMES[:-1])} or {NAMES[-1]}")
    return Playbooks(
        load(find("up.yaml", inventory, directory), hosts),
        load(find("teardown.yaml", inventory, directory), hosts),
        load_checks(find("verify.yaml", inventory, directory)),
    )


def find(name: str, inventory: str | Path, directory: Path | None = None) -> Path:
    """Return a playbook's file: in the directory given, or in `playbooks/` beside the inventory, or the shipped one."""
    own = (directory or Path(inventory).parent / "playbooks") / name
    return own if _is_file(own) else shipped("playbooks") / name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def load(path: Path, hosts: frozenset[str] = frozenset()) -> Playbook:
    """Load a playbook. Raises InventoryError with every problem in it."""
    problems = Problems(str(path))
    stages: dict[str, Steps] = {}
    node = _list_in(path, "stages", "see playbooks/up.yaml", problems)
    if node is not None:
        for item in node.items:
            _stage(item, stages, hosts, problems)
        if "up" in path.name:
            _check_order(stages, node, problems)
    if problems.errors:
        raise InventoryError(problems.lines())
    return Playbook(stages)


def load_checks(path: Path) -> frozenset[str]:
    """Load the checks of `verify`. Raises InventoryError with every problem in the file."""
    problems = Problems(str(path))
    found = set()
    node = _list_in(path, "checks", "see playbooks/verify.yaml", problems)
    for item in node.items if node is not None else ():
        if isinstance(item, nodes.Scalar) and item.text in CHECKS:
            found.add(item.text)
        else:
            text = item.text if isinstance(item, nodes.Scalar) else ""
            message = f'unknown check "{text}".{f.suggest(text, CHECKS)}' if text else "expected the name of a check"
            problems.add(item, "checks", message, f"one of {', '.join(CHECKS)}")
    if problems.errors:
        raise InventoryError(problems.lines())
    return frozenset(found)


def _list_in(path: Path, key: str, fix: str, problems: Problems) -> nodes.Sequence | None:
    """Return the list under a key, which is all of a playbook; None if a problem was added. Raises InventoryError."""
    try:
        root = reader.read(path.read_text(encoding="utf-8"), problems)
    except OSError as error:
        raise InventoryError([f"{path}: error: cannot read it: {error.strerror}"]) from None
    node = root.get(key) if isinstance(root, nodes.Mapping) else None
    if isinstance(root, nodes.Mapping):
        f.check_keys(root, (key,), "", problems)
    if isinstance(node, nodes.Sequence):
        return node
    if root is not None or not problems.errors:  # otherwise it is no YAML, and has its problem
        problems.add(node or root, key, f"expected a list of {key}", fix)
    return None


def _stage(node: nodes.Node, stages: dict[str, Steps], hosts: frozenset[str], problems: Problems) -> None:
    """Add the steps of a stage to `stages`, or a problem."""
    name = node.get("stage") if isinstance(node, nodes.Mapping) else None
    steps = node.get("steps") if isinstance(node, nodes.Mapping) else None
    if not isinstance(name, nodes.Scalar) or not isinstance(steps, nodes.Sequence):
        problems.add(node, "stages", "expected a stage: and its steps:", "see playbooks/up.yaml")
        return
    assert isinstance(node, nodes.Mapping)
    f.check_keys(node, ("stage", "steps"), "stages", problems)
    if name.text in stages:
        problems.add(name, "stages", f'the stage "{name.text}" is given twice', "keep one")
        return
    if name.text not in STAGES:
        message = f'unknown stage "{name.text}".{f.suggest(name.text, STAGES)}'
        problems.add(name, "stages", message, f"one of {', '.join(STAGES)}")
        return
    taken = {step.name for others in stages.values() for step in others if isinstance(step, UserStep)}
    found: list[str | UserStep] = []
    for item in steps.items:
        step = _step(item, name.text, hosts, taken, problems)
        if step is not None:
            found.append(step)
    stages[name.text] = tuple(found)


def _step(
    node: nodes.Node, stage: str, hosts: frozenset[str], taken: set[str], problems: Problems
) -> str | UserStep | None:
    """Return a step; None if a problem was added. Adds the name of a user's step to `taken`."""
    if isinstance(node, nodes.Scalar):
        known = all_steps()
        name = RENAMED.get(node.text, node.text)
        if name in known:
            return name
        message = f'unknown step "{node.text}".{f.suggest(node.text, known)}'
        problems.add(node, stage, message, f"one of {', '.join(known)}")
        return None
    if not isinstance(node, nodes.Mapping):
        problems.add(node, stage, "expected the name of a step, or a run: step")
        return None
    step = _user_step(node, stage, hosts, problems)
    if step is not None and step.name in taken:
        problems.add(node, stage, f'run: "{step.name}" is given twice', "give each its own name")
        return None
    taken |= {step.name} if step is not None else set()
    return step


def _user_step(node: nodes.Mapping, stage: str, hosts: frozenset[str], problems: Problems) -> UserStep | None:
    f.check_keys(node, ("run", "command", "undo", "on"), stage, problems)
    name, command, undo = node.get("run"), node.get("command"), node.get("undo")
    if not isinstance(name, nodes.Scalar) or not re.fullmatch(r"[a-z0-9][a-z0-9 _-]{0,40}", name.text):
        problems.add(node, stage, "a run: step needs a name of a-z 0-9 - _", "run: my-step")
        return None
    if stage not in ("tunnel", "traffic"):
        problems.add(node, stage, "run: steps belong into the stages tunnel or traffic")
    if not isinstance(command, nodes.Scalar) or not command.text.strip() or "\n" in command.text.strip():
        problems.add(node, stage, f"run: {name.text} needs a command: of one line", "command: logger wgorch is up")
        return None
    if undo is not None and (not isinstance(undo, nodes.Scalar) or "\n" in undo.text.strip()):
        problems.add(undo, stage, "undo: is one line")
        return None
    undo_text = undo.text.strip() if isinstance(undo, nodes.Scalar) else ""
    return UserStep(name.text, Run(command.text.strip(), undo_text), _hosts_of(node, stage, hosts, problems))


def _hosts_of(node: nodes.Mapping, stage: str, hosts: frozenset[str], problems: Problems) -> frozenset[str]:
    """Return the hosts in `on:` of a user's step."""
    on = node.get("on")
    if not isinstance(on, nodes.Sequence):
        if on is not None:
            problems.add(on, stage, "on: is a list of hosts", "on: [home]")
        return frozenset()
    names = [item.text for item in on.items if isinstance(item, nodes.Scalar)]
    for unknown in (name for name in names if hosts and name not in hosts):
        problems.add(on, stage, f'there is no host "{unknown}".{f.suggest(unknown, hosts)}')
    return frozenset(names)


def _check_order(stages: dict[str, Steps], node: nodes.Node, problems: Problems) -> None:
    """Add a problem for steps of `up` in another stage or order than they need."""
    misplaced = [
        (step, stage)
        for step, stage in STAGE_OF.items()
        if any(step in steps for other, steps in stages.items() if other != stage)
    ]
    for step, stage in misplaced:
        problems.add(node, "stages", f"{step} belongs into the stage {stage}")
    if misplaced:
        return
    if [s for s in stages if s in STAGES] != [s for s in STAGES if s in stages]:
        problems.add(node, "stages", f"the stages come in the order {', '.join(STAGES)}")
        return
    order = [s for stage in STAGES for s in stages.get(stage, ()) if isinstance(s, str)]
    for first, second in MUST_PRECEDE:
        if first in order and second in order and order.index(first) > order.index(second):
            problems.add(node, "stages", f"{first} must come before {second}", f"move {first} up")
