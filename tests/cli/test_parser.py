"""The parser: each verb's help and declared options, and what the shell completes."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from wgorch.cli.main import main
from wgorch.cli.options import DEFAULTS, Options
from wgorch.cli.parser import build_parser
from wgorch.cli.verbs import NAMES, verb
from wgorch.errors import UsageError

ROOT = Path(__file__).parents[2]
REFERENCE = str(ROOT / "inventory" / "home-company.yaml")
CLI = ROOT / "wgorch" / "cli"

REQUIRED = {
    "add": ["root@branch"],
    "adopt": ["root@home"],
    "ask": ["who reaches home"],
    "completion": ["bash"],
    "diff": ["7"],
    "drain": ["bcc"],
    "undrain": ["bcc"],
    "forget": ["branch"],
    "facts": ["-o", "facts"],
    "show": ["change.plan"],
    "approve": ["change.plan"],
    "apply": ["change.plan"],
    "map": ["-o", "network.svg"],
    "rotate-key": ["home"],
    "ssh": ["home"],
    "trace": ["home", "company"],
    "trust": ["home"],
}
"""The arguments that a verb does not go without."""


def parsed(name: str) -> Options:
    return build_parser().parse([name, *REQUIRED.get(name, [])])


def options_type(name: str) -> type[Options]:
    """The type of a verb's options: the annotation of its `run`."""
    module = importlib.import_module(f"wgorch.cli.verbs.{name.replace('-', '_')}")
    hint = typing.get_type_hints(module.run)["options"]
    assert issubclass(hint, Options)
    return hint


def test_help_names_every_verb_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    printed = capsys.readouterr().out

    assert 0 == end.value.code
    assert [] == [name for name in NAMES if f"\n  {name} " not in printed]
    assert [] == [number for number in ("0", "1", "2", "3", "4", "5", "6", "75", "130") if f"{number} " not in printed]


def test_a_verb_is_a_file_and_a_file_is_a_verb() -> None:
    files = {path.stem.replace("_", "-") for path in (CLI / "verbs").glob("*.py")} - {"--init--"}

    assert files == set(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_verb_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    printed = capsys.readouterr().out

    assert 0 == end.value.code
    assert printed.startswith(verb(name).SUMMARY)
    assert f"usage: wgorch {name}" in printed
    assert [] == [example for example in verb(name).EXAMPLES if f"\n  {example}\n" not in printed]


@pytest.mark.parametrize("name", NAMES)
def test_a_summary_is_one_sentence_without_its_stop(name: str) -> None:
    summary = verb(name).SUMMARY

    assert summary[0].isupper()
    assert summary.endswith(".") is False
    assert "\n" not in summary


@pytest.mark.parametrize("name", NAMES)
def test_the_type_of_a_verbs_options_names_exactly_what_is_parsed(name: str) -> None:
    assert set(vars(parsed(name))) == set(typing.get_type_hints(options_type(name)))


@pytest.mark.parametrize("name", NAMES)
def test_an_option_that_a_verb_lacks_has_its_default(name: str) -> None:
    alone = build_parser([name]).parse([name, *REQUIRED.get(name, [])])

    assert parsed(name) == alone
    assert {**DEFAULTS, **vars(alone)} == vars(alone)


def test_every_shared_option_has_a_default() -> None:
    assert set(DEFAULTS) == set(typing.get_type_hints(Options)) - {"verb"}


@pytest.mark.parametrize("path", sorted(CLI.rglob("*.py")), ids=lambda path: path.stem)
def test_options_are_read_only_and_have_no_defaults_where_they_are_read(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    targets = [
        target
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete)
        for target in (node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target])
    ]
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]

    assert [] == [ast.unparse(t) for t in targets if ast.unparse(t).startswith(("options.", "args."))]
    assert not {"getattr", "setattr", "hasattr", "vars"} & set(calls)


@pytest.mark.parametrize(
    ("prefix", "completed"),
    [("", ["bcc", "home", "company"]), ("h", ["home"]), ("bcc,c", ["bcc,company"]), ("x", [])],
)
def test_names_of_the_inventory_are_completed(prefix: str, completed: list[str]) -> None:
    limit = next(a for a in build_parser(["plan"]).verbs["plan"]._actions if a.dest == "limit")
    options = build_parser(["plan"]).parse(["plan", REFERENCE])

    assert completed == limit.completer(prefix, options)  # type: ignore[attr-defined]


def test_without_an_inventory_no_name_is_completed() -> None:
    limit = next(a for a in build_parser(["plan"]).verbs["plan"]._actions if a.dest == "limit")

    assert [] == limit.completer("", build_parser(["plan"]).parse(["plan"]))  # type: ignore[attr-defined]


def test_help_loads_the_verbs_and_nothing_that_they_run_on() -> None:
    code = "import sys\nfrom wgorch.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: print('@', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name for name in done.stdout.rsplit("@ ", 1)[1].split() if name.startswith("wgorch.")}
    light = {"wgorch.errors", "wgorch.base", "wgorch.base.text", "wgorch.apply", "wgorch.apply.lease"}

    assert light == {name for name in loaded if not name.startswith("wgorch.cli")}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("trace a b --tcp 80 inv.yaml", {"source": "a", "target": "b", "tcp": 80, "inventory": "inv.yaml"}),
        ("trace a --tcp 80 b", {"source": "a", "target": "b", "tcp": 80, "inventory": None}),
        (
            "ssh home -i inv.yaml -- wg show -x",
            {"host": "home", "inventory": "inv.yaml", "command": ["wg", "show", "-x"]},
        ),
        ("ssh home -- wg -i show", {"host": "home", "inventory": None, "command": ["wg", "-i", "show"]}),
        ("rotate-key a -i inv.yaml b", {"hosts": ["a", "b"], "inventory": "inv.yaml"}),
        ("export phone --qr inv.yaml", {"what": "phone", "qr": True, "inventory": "inv.yaml"}),
        ("up -- -x.yaml", {"inventory": "-x.yaml"}),
    ],
)
def test_arguments_may_stand_before_between_and_after_options(line: str, wanted: dict[str, object]) -> None:
    options = vars(build_parser().parse(line.split()))
    assert wanted == {name: options[name] for name in wanted}


@pytest.mark.parametrize("line", ["up a.yaml --yes b.yaml", "trace a --tcp 80", "ssh home ls -la"])
def test_too_many_and_too_few_arguments_are_named(line: str) -> None:
    with pytest.raises(UsageError):
        build_parser().parse(line.split())
