"""Every sh text: what the linter finds, what three shells parse, and what is left out of it on its way to a host."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host.functions import FUNCTION
from tests.host.rendered import HOST, commented, rendered, sources
from tests.host.room import SHELLS
from wgorch.host import programs
from wgorch.host.library import library

ROOT = Path(__file__).parents[2]
OTHERS = [ROOT / "scripts/setup", *sorted((ROOT / "tests").rglob("*.sh"))]
FILES = [*sources(), *OTHERS]
SHELLCHECK = Path(sys.executable).parent / "shellcheck"
SCRIPTS = ("boot", "do", "undo")
"""Programs that are put together from functions of the library."""


def found(*words: str, text: str | None = None) -> str:
    argv = [str(SHELLCHECK), "--shell=sh", "--format=gcc", *words]
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=False).stdout


def test_the_linter_finds_nothing_in_any_file() -> None:
    assert "" == found(*map(str, FILES))


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_linter_finds_nothing_in_a_whole_script(name: str) -> None:
    assert "" == found("-", text=commented(rendered()[name]))


def test_the_linter_finds_nothing_in_the_whole_fact_script() -> None:
    parts = [(HOST / f"facts/{name}.sh").read_text() for name in ("path_mtu", *programs.FACTS)]

    assert "" == found("-", text="\n".join(parts))


@pytest.mark.parametrize("name", sorted(set(rendered()) - {*SCRIPTS, "stay", "apply", "probe"}))
def test_the_linter_warns_of_nothing_in_what_is_sent(name: str) -> None:
    """Words that are to be split are decided upon in the files, whose comments are not sent."""
    assert "" == found("--severity=warning", "-", text=rendered()[name])


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", rendered())
def test_every_program_parses(name: str, shell: str) -> None:
    assert (0, "") == _parsed(shell, rendered()[name])


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_parses(path: Path, shell: str) -> None:
    assert (0, "") == _parsed(shell, path.read_text())


def _parsed(shell: str, text: str) -> tuple[int, str]:
    done = subprocess.run([*SHELLS[shell], "-n"], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


# --- what is left out on the way to a host


def meaning(text: str) -> str:
    """A text as bash prints it after parsing: without comments, indentation, and ends of lines."""
    done = subprocess.run(
        ["bash", "-c", f"f() {{\n{text}\n:\n}}\ndeclare -f f"], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


PROGRAMS = [str(path.relative_to(HOST)) for path in sources() if path.is_relative_to(HOST)]


@pytest.mark.parametrize("file", [f for f in PROGRAMS if not f.startswith(("lib/", "prelude")) or f == "lib/ping.sh"])
def test_what_is_uploaded_means_the_same(file: str) -> None:
    text = re.sub(r'^: "\$\{.*\n', "", (HOST / file).read_text(), flags=re.M)

    assert meaning(text) == meaning(programs.uploaded(file))
    assert not re.search(r"^(#|[ \t])", programs.uploaded(file), re.M)


def test_functions_of_the_library_mean_what_their_files_say() -> None:
    text = "\n".join((HOST / file).read_text() for file in PROGRAMS if file.startswith(("lib/", "prelude")))
    bodies = dict(FUNCTION.findall(text))

    for name, body in bodies.items():
        assert meaning(f"{name}() {{{body}}}") == meaning(library()[name])


@pytest.mark.parametrize("file", PROGRAMS)
def test_every_parameter_that_a_program_declares_is_set(file: str) -> None:
    declared = re.findall(r'^: ("\$\{.*)$', (HOST / file).read_text(), re.M)
    names = set(re.findall(r"\$\{([a-z_0-9]+):?\?\}", " ".join(declared)))
    whole = rendered().get(Path(file).stem, "\n".join(rendered().values()))
    given = set(re.findall(r"(?:^|[\s'])([a-z_0-9]+)=", whole))

    assert set() == names - given - {"directory", "boot_id"}


# --- how it reads


@pytest.mark.parametrize("file", [f for f in PROGRAMS if not f.startswith("facts/")])
def test_every_function_says_in_a_comment_what_it_is_for(file: str) -> None:
    text = (HOST / file).read_text()
    bare = [m[1] for m in re.finditer(r"^([a-z_0-9]+)\(\) \{", text, re.M) if not _comment_before(text, m.start())]

    assert [] == bare


def _comment_before(text: str, start: int) -> bool:
    return text[:start].rstrip("\n").rpartition("\n")[2].startswith("#")


@pytest.mark.parametrize("file", PROGRAMS)
def test_functions_stand_apart_and_their_ends_can_be_found(file: str) -> None:
    text = (HOST / file).read_text()

    assert len(re.findall(r"^[a-z_0-9]+\(\)", text, re.M)) == len(FUNCTION.findall(text))
    assert [] == re.findall(r"^\}\n[^\n].*", text, re.M)
    assert "\n\n\n" not in text


def test_no_python_file_holds_a_program() -> None:
    """Up to ten lines may stand in a string; more is a file of its own."""
    held = [
        f"{path.name}:{node.lineno}"
        for path in sorted((ROOT / "wgorch").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count("\n") > 10
        if re.search(r"^\s*(fi|done|esac)\b", node.value, re.M)
    ]

    assert [] == held
