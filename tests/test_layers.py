"""Who may import whom: each room only what lies lower in the river, and slow libraries only where they are needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "wgorch"

RIVER = [
    {"errors", "base"},
    {"inventory"},
    {"topology"},
    {"state"},
    {"adapters"},
    {"host"},
    {"facts"},
    {"steps"},
    {"remote/wire", "remote/root", "remote/answers"},
    {"remote/shell"},
    {"gather"},
    {"plan"},
    {"remote"},
    {"events", "journal", "memory"},
    {"approval", "membership"},
    {"run_options"},
    {"run"},
    {"verify"},
    {"outcome"},
    {"trace"},
    {"apply"},
    {"interop"},
    {"held", "history", "inspection", "workflow"},
    {"batches", "departed", "drain"},
    {"api"},
    {"report"},
    {"rehearsal"},
    {"cli"},
    {"__init__", "__main__"},
]
"""Rooms from the source of the river down; an import, lazy or not, goes only to a room that stands higher up here."""

LEVEL = {room: level for level, rooms in enumerate(RIVER) for room in rooms}

FOREIGN = {
    "fabric": {"remote/ssh"},
    "paramiko": {"remote/ssh"},
    "rich": {"report"},
    "pyroute2": {"rehearsal"},
    "yaml": {
        "inventory/sources/ansible/yaml.py",
        "inventory/dump.py",
        "inventory/edit.py",
        "inventory/reader.py",
        "inventory/yaml_errors.py",
    },
    "subprocess": {"base/local.py", "remote/process.py", "remote/openssh", "remote/ssh/config_dump.py", "rehearsal"},
}

MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "__pycache__" not in p.parts)


def room_of(path: Path) -> str:
    """The folder or file; the shell that every backend speaks through lies lower than the backends."""
    place = str(path.relative_to(PACKAGE)).removesuffix(".py")
    return place if place in LEVEL else place.split("/")[0]


def room_named(module: str) -> str:
    place = "/".join(module.split(".")[1:])
    return place if place in LEVEL else place.split("/")[0]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, *, lazy: bool) -> Iterator[str]:
    """The modules that a file imports; those inside functions and for type checkers only where `lazy`."""

    def look(node: ast.AST) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if not lazy and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if not lazy and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                yield from (name.name for name in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module:
                if child.module == "wgorch":
                    yield from (f"wgorch.{name.name}" for name in child.names)
                else:
                    yield child.module
            yield from look(child)

    yield from look(tree_of(path))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_what_lies_lower_in_the_river(path: Path) -> None:
    here = room_of(path)
    above = [
        name
        for name in imports(path, lazy=True)
        if name.startswith("wgorch.")
        and (room := room_named(name)) in LEVEL
        and room != here
        and LEVEL[room] > LEVEL[here]
    ]

    assert [] == above


def test_every_room_has_its_place_in_the_river() -> None:
    assert set() == {room_of(path) for path in MODULES} - set(LEVEL)


@pytest.mark.parametrize("library", FOREIGN)
def test_a_library_is_imported_only_where_it_is_needed(library: str) -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if any(name == library or name.startswith(f"{library}.") for name in imports(path, lazy=True))
        and not only_for_types(path, library)
    }

    assert set() == {user for user in users if not any(user == p or user.startswith(f"{p}/") for p in FOREIGN[library])}


def only_for_types(path: Path, library: str) -> bool:
    """True where a file names a library only for the type checker."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            guarded = ast.dump(node)
            count = guarded.count(f"module='{library}")
            whole = ast.dump(tree_of(path)).count(f"module='{library}")
            return count > 0 and count == whole
    return False


@pytest.mark.parametrize("room", ["topology", "steps", "plan", "state", "inventory", "adapters"])
def test_what_decides_never_sees_a_connection(room: str) -> None:
    paths = [p for p in MODULES if room_of(p) == room]

    assert paths
    assert [] == [
        n for p in paths for n in imports(p, lazy=True) if n.startswith(("wgorch.remote", "socket", "subprocess"))
    ]


def test_a_change_is_made_of_nothing_but_base_values() -> None:
    found = {n for n in imports(PACKAGE / "state" / "change.py", lazy=True) if n.startswith("wgorch")}

    assert {"wgorch.base.sh", "wgorch.base.value"} == found


def loaded_by(*argv: str) -> tuple[int, set[str]]:
    """The exit code of a verb, and the slow libraries that it has loaded."""
    code = (
        "import sys\nfrom wgorch.cli.main import main\n"
        "try:\n    code = main(sys.argv[1:])\nexcept SystemExit as end:\n    code = end.code or 0\n"
        "slow = [m for m in ('fabric', 'paramiko', 'pyroute2', 'rich', 'invoke', 'cryptography') if m in sys.modules]\n"
        "print('\\n@', code, *slow)"
    )
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, cwd=ROOT, check=False)
    found, *slow = done.stdout.rsplit("@ ", 1)[1].split()
    return int(found), set(slow)


@pytest.mark.parametrize(
    "argv",
    [("--help",), ("up", "--help"), ("--version",), ("check", "inventory/home-company.yaml"), ("check", "--schema")],
)
def test_a_verb_that_needs_no_host_loads_no_slow_library(argv: tuple[str, ...]) -> None:
    assert (0, set()) == loaded_by(*argv)


BANNED = ("AutoAddPolicy", "WarningPolicy", "shell=True", "yaml.load(", "os.system", "eval(", "exec(")


def test_nothing_dangerous_is_written_anywhere() -> None:
    found = [
        (str(path.relative_to(PACKAGE)), word)
        for path in MODULES
        for word in BANNED
        for line in path.read_text(encoding="utf-8").split("\n")
        if word in line.replace("ast.literal_eval(", "")
        and not line.strip().startswith(("#", '"'))
        and f".{word}" not in line
    ]

    assert [] == found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_first_line_of_a_file_says_what_it_is_for(path: Path) -> None:
    doc = ast.get_docstring(tree_of(path)) or ""

    assert doc.split("\n")[0]
