"""The library of sh functions: nothing is defined twice, missing, or sets another's variables."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.functions import FUNCTION, assigned, functions, reached
from tests.host.rendered import HOST, rendered
from wgorch.host import programs
from wgorch.host.library import PRELUDE, SELDOM_NEEDED, library, often_needed, pieces_of
from wgorch.steps import nouns

PACKAGE = HOST.parent
BINARIES = {"ip", "wg", "iptables-restore", "ip6tables-restore", "nft", "chmod", "rm", "sh", "systemctl", "rc-update"}
"""What commands of steps call that is no function of the library."""

BUILTINS = {":", "[", "!", "exit", "printf", "export", "set", "unset", "cd", "IFS=", "read", "return", "umask"}


def lib() -> str:
    return "\n".join(path.read_text() for path in [HOST / "prelude.sh", *sorted((HOST / "lib").glob("*.sh"))])


def test_the_library_has_every_function_of_its_files_once() -> None:
    defined = Counter(re.findall(r"^([a-z_0-9]+)\(\)", lib(), re.M))

    assert [] == [name for name, count in defined.items() if count > 1]
    assert defined.keys() == library().keys() - {PRELUDE}


def test_files_of_the_library_hold_nothing_but_functions() -> None:
    for path in sorted((HOST / "lib").glob("*.sh")):
        rest = FUNCTION.sub("", path.read_text())
        code = [line for line in rest.split("\n") if line and not line.startswith(("#", ': "${'))]

        assert ([], path.name) == (code, path.name)


def test_what_most_changes_need_is_all_but_what_few_do() -> None:
    seldom = "\n".join((HOST / f"lib/{name}.sh").read_text() for name in SELDOM_NEEDED)

    assert often_needed() == library().keys() - functions(seldom).keys()


@pytest.mark.parametrize("name", sorted(library().keys() - {PRELUDE}))
def test_a_script_carries_all_that_its_functions_call(name: str) -> None:
    own = functions("\n".join(library()[piece] for piece in library() if piece != PRELUDE))
    needed = {name, *reached(name, own)}

    assert needed <= set(pieces_of(frozenset({name})))


# --- variables: sh has no locals


def texts() -> Iterator[tuple[str, str]]:
    """Functions that run in one process, as one text each."""
    yield "library", lib()
    yield "facts", "\n".join((HOST / f"facts/{name}.sh").read_text() for name in programs.FACTS)
    for name in ("referee", "watch", "measure", "observe", "doctor", "facts/path_mtu"):
        yield name, (HOST / f"{name}.sh").read_text()


SHARED = re.compile(r"reply_\w+|lock_\w+|epoch")
"""Results that a function sets for its caller, by their names."""


@pytest.mark.parametrize(("name", "text"), list(texts()), ids=lambda value: value if "\n" not in value else "")
def test_no_function_sets_a_variable_of_its_callers(name: str, text: str) -> None:
    all_of = functions(text)
    found = {}
    for caller in all_of:
        for other in reached(caller, all_of) - {caller}:
            if both := {v for v in assigned(all_of[caller]) & assigned(all_of[other]) if not SHARED.fullmatch(v)}:
                found[caller, other] = both

    assert {} == found


def test_the_probe_sets_no_variable_of_the_referee_that_reads_it() -> None:
    referee = (HOST / "referee.sh").read_text()
    own = {v for body in functions(referee).values() for v in assigned(body)} | {"run", "directory", "boot_id", "epoch"}
    body = functions(referee)["apply_change"]
    probe = assigned(rendered()["probe"])

    assert probe & {*assigned(body), "run", "directory", "boot_id", "epoch"} <= {"rules4", "rules6"}
    assert {"run", "boot_id", "epoch"} <= own


# --- commands of steps


def first_words(path: Path) -> Iterator[str]:
    """The first words of the commands that a file makes, as far as they are written out in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("command", "Command"):
            if node.args:
                yield from _words(node.args[0])
        elif isinstance(node, ast.keyword) and node.arg in ("enable", "gone", "after"):
            for each in node.value.elts if isinstance(node.value, ast.Tuple) else ():
                yield from _words(each)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple | ast.IfExp):
            yield from (w for w in _words(node.value) if w in library() or "_" in w)


def _words(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _words(node.body)
        yield from _words(node.orelse)
    elif isinstance(node, ast.Tuple) and node.elts:
        yield from _words(node.elts[0])
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


STEPS = [*sorted((PACKAGE / "steps").glob("*.py")), PACKAGE / "adapters/startup.py", PACKAGE / "plan/host.py"]


@pytest.mark.parametrize("path", STEPS, ids=lambda path: path.name)
def test_the_first_word_of_every_command_is_a_binary_or_a_function(path: Path) -> None:
    assert set() == set(first_words(path)) - BINARIES - library().keys()


def test_the_functions_that_no_command_names_are_called_by_others() -> None:
    named = {word for path in STEPS for word in first_words(path)}
    named |= {function for noun in nouns().values() for function in noun.functions}
    start = frozenset(named | {"wait_for_interface", "reset_network", "reset_failover", "set_value", "adapt_ping"})

    assert library().keys() - {PRELUDE, "adapt_ping"} <= set(pieces_of(start))


@pytest.mark.parametrize("name", ["boot", "do", "undo", "stay", "watch"])
def test_every_line_of_a_script_begins_with_something_that_is_there(name: str) -> None:
    text = rendered()[name]
    known = {*functions(text), *BINARIES, *BUILTINS}
    lines = re.sub(r"<<'(\w+)'(.*)\n(?:.*\n)*?\1\n", r"\2\n", FUNCTION.sub("", text)).split("\n")
    words = {line.split(" ")[0] for line in lines if line and line[0] not in "#: " and not re.match(r"\w+=", line)}

    assert set() == words - known
