"""The order of the steps, read from playbooks/*.yaml: stages, the steps in each, steps of the user's own, and checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from wgorch.base.value import value
from wgorch.errors import InventoryError
from wgorch.inventory import fields as f
from wgorch.inventory import nodes, reader
from wgorch.inventory.problems import Problems
from wgorch.state.state import Run
from wgorch.steps import all_steps

STAGES = ("prepare", "tunnel", "traffic", "stay")


CHECKS = ("handshakes", "tunnel", "flows", "full_size")
"""What `verify` can measure; playbooks/verify.yaml says what each is."""


RENAMED = {
    "new_zones": "firewalld_prepare",
    "zones": "firewalld",
    "kept_zones": "firewalld_permanent",
    "tables": "empty_tables",
    "exits": "exit_routes",
    "others": "drop_ins",
}
"""Names of steps up to version 0.1; playbooks that users keep may still have them."""

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
"""Pairs of steps of which the first must come first when something is built; teardown goes the other way."""


@value
class UserStep:
    """A `run:` step: a command of the user's, on all hosts or on some."""

    name: str
    run: Run
    hosts: frozenset[str]

    def is_for(self, host: str) -> bool:
        return not self.hosts or host in self.hosts


@value
class Playbook:
    """Steps in their order, by stage."""

    stages: Mapping[str, tuple[str | UserStep, ...]]

    @property
    def user_steps(self) -> tuple[UserStep, ...]:
        return tuple(step for steps in self.stages.values() for step in steps if isinstance(step, UserStep))

    def runs_for(self, host: str) -> dict[str, Run]:
        """The user's own steps of one host."""
        return {step.name: step.run for step in self.user_steps if step.is_for(host)}

    def steps(self, *stages: str) -> Iterator[str | UserStep]:
        """The steps of some stages, in the order of the file."""
        for stage, steps in self.stages.items():
            if stage in stages:
                yield from steps


@value
class Playbooks:
    """The order of the steps of each verb, and what `verify` measures (and `up`, before it confirms)."""

    up: Playbook
    teardown: Playbook
    checks: frozenset[str]


def load_all(inventory: str | Path, directory: Path | None, hosts: frozenset[str] = frozenset()) -> Playbooks:
    """Every playbook that goes with an inventory of these hosts. Raises InventoryError."""
    return Playbooks(
        load(find("up.yaml", inventory, directory), hosts),
        load(find("teardown.yaml", inventory, directory), hosts),
        load_checks(find("verify.yaml", inventory, directory)),
    )


def shipped() -> Path:
    """Where the playbooks lie that come with wgorch."""
    here = Path(__file__).parents[1]
    return next(p for p in (here / "playbooks", here.parent / "playbooks") if p.is_dir())


def find(name: str, inventory: str | Path, directory: Path | None = None) -> Path:
    """A playbook: from the directory given, from `playbooks/` beside the inventory, or the shipped one."""
    places = [directory] if directory else [Path(inventory).parent / "playbooks"]
    found = next((p / name for p in places if (p / name).is_file()), None)
    return found or shipped() / name


def load(path: Path, hosts: frozenset[str] = frozenset()) -> Playbook:
    """A playbook from its file. Raises InventoryError with every trouble in it."""
    problems = Problems(str(path))
    stages: dict[str, tuple[str | UserStep, ...]] = {}
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
    """What `verify` is to measure. Raises InventoryError with every trouble in the file."""
    problems = Problems(str(path))
    found = set()
    node = _list_in(path, "checks", "see playbooks/verify.yaml", problems)
    for item in node.items if node is not None else ():
        if isinstance(item, nodes.Scalar) and item.text in CHECKS:
            found.add(item.text)
        else:
            text = item.text if isinstance(item, nodes.Scalar) else ""
            what = f'unknown check "{text}".{f.suggest(text, CHECKS)}' if text else "expected the name of a check"
            problems.add(item, "checks", what, f"one of {', '.join(CHECKS)}")
    if problems.errors:
        raise InventoryError(problems.lines())
    return frozenset(found)


def _list_in(path: Path, key: str, fix: str, problems: Problems) -> nodes.Sequence | None:
    """The list that a playbook consists of."""
    try:
        root = reader.read(path.read_text(encoding="utf-8"), problems)
    except OSError as error:
        raise InventoryError([f"{path}: error: cannot read it: {error.strerror}"]) from None
    node = root.get(key) if isinstance(root, nodes.Mapping) else None
    if isinstance(root, nodes.Mapping):
        f.check_keys(root, (key,), "", problems)
    if isinstance(node, nodes.Sequence):
        return node
    if root is not None or not problems.errors:  # otherwise it is not YAML, and told already
        problems.add(node or root, key, f"expected a list of {key}", fix)
    return None


def _stage(
    node: nodes.Node, stages: dict[str, tuple[str | UserStep, ...]], hosts: frozenset[str], problems: Problems
) -> None:
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
        problems.add(
            name, "stages", f'unknown stage "{name.text}".{f.suggest(name.text, STAGES)}', f"one of {', '.join(STAGES)}"
        )
        return
    known = all_steps()
    found: list[str | UserStep] = []
    for step in steps.items:
        if isinstance(step, nodes.Scalar):
            if (name_now := RENAMED.get(step.text, step.text)) in known:
                found.append(name_now)
            else:
                hint = f.suggest(step.text, known)
                problems.add(step, name.text, f'unknown step "{step.text}".{hint}', f"one of {', '.join(known)}")
        elif isinstance(step, nodes.Mapping):
            own = _user_step(step, name.text, hosts, problems)
            others = {s.name for steps in (*stages.values(), found) for s in steps if isinstance(s, UserStep)}
            if own and own.name in others:
                problems.add(step, name.text, f'run: "{own.name}" is given twice', "give each its own name")
            elif own:
                found.append(own)
        else:
            problems.add(step, name.text, "expected the name of a step, or a run: step")
    stages[name.text] = tuple(found)


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
    on = node.get("on")
    if on is not None and not isinstance(on, nodes.Sequence):
        problems.add(on, stage, "on: is a list of hosts", "on: [home]")
    names = [item.text for item in on.items if isinstance(item, nodes.Scalar)] if isinstance(on, nodes.Sequence) else []
    for wrong in (n for n in names if hosts and n not in hosts):
        problems.add(on, stage, f'there is no host "{wrong}".{f.suggest(wrong, hosts)}')
    undo_text = undo.text.strip() if isinstance(undo, nodes.Scalar) else ""
    return UserStep(name.text, Run(command.text.strip(), undo_text), frozenset(names))


def _check_order(stages: dict[str, tuple[str | UserStep, ...]], node: nodes.Node, problems: Problems) -> None:
    misplaced = False
    for step, stage in (("install", "prepare"), ("keys", "prepare"), ("persist", "stay")):
        for other, steps in stages.items():
            if step in steps and other != stage:
                problems.add(node, "stages", f"{step} belongs into the stage {stage}")
                misplaced = True
    if misplaced:
        return
    if [s for s in stages if s in STAGES] != [s for s in STAGES if s in stages]:
        problems.add(node, "stages", f"the stages come in the order {', '.join(STAGES)}")
        return
    order = [s for stage in STAGES for s in stages.get(stage, ()) if isinstance(s, str)]
    for first, second in MUST_PRECEDE:
        if first in order and second in order and order.index(first) > order.index(second):
            problems.add(node, "stages", f"{first} must come before {second}", f"move {first} up")


def markdown() -> str:
    """docs/steps.md: every step by its stage, and the playbooks as they are shipped."""
    stages = {
        "prepare": "before the lease; never undone",
        "tunnel": "under the lease: a failure takes everything back",
        "traffic": "under the lease, too",
        "stay": "after the change is confirmed",
    }
    playbook, steps = load(shipped() / "up.yaml"), all_steps()
    lines = ["# Steps and playbooks", "", "Generated from the program: `make docs`.", ""]
    lines += [
        "A step compares what is wanted of a host with what is there, and finds the changes between. The way back, the start-up",
        "program and teardown are the same steps with other arguments.",
    ]
    for stage, text in stages.items():
        lines += ["", f"## {stage}", "", f"{text[0].upper()}{text[1:]}.", "", "| step | |", "| --- | --- |"]
        lines += [f"| `{name}` | {steps[str(name)].doc} |" for name in playbook.steps(stage)]
    for name, about in (
        ("up", "What `wgorch up` does"),
        ("teardown", "What `wgorch teardown` does"),
        ("verify", "Checks"),
    ):
        text = (shipped() / f"{name}.yaml").read_text(encoding="utf-8")
        lines += [
            "",
            f"## {name}.yaml",
            "",
            f"{about}. Copy it to `playbooks/` beside your inventory to change it.",
            "",
        ]
        lines += [f"    {line}".rstrip() for line in text.rstrip().split("\n")]
    return "\n".join(lines) + "\n"
