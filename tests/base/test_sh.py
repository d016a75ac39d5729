"""Text that a shell runs: what may make it, and that no word in it is more than a word."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgorch.base.sh import comment, header_line, here_document, new_nonce, quote, quote_words, sh, sh_lines

PACKAGE = Path(__file__).resolve().parents[2] / "wgorch"
FILES = sorted(PACKAGE.rglob("*.py"))

MAKERS = {"base/sh.py", "host/programs.py", "host/library.py"}
"""Files that may call something sh: the quoting itself, and the package's own programs."""


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_sh_is_made_of_literals_and_quoted_words(path: Path) -> None:
    """mypy refuses a str where Sh is wanted; these are the ways around it."""
    found = []
    for call in calls(path):
        literal = [isinstance(argument, ast.Constant) for argument in call.args[:1]]
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        by = [k.value for k in call.keywords if k.arg == "by"]
        is_maker = str(path.relative_to(PACKAGE)) in MAKERS
        if name == "Sh" and not is_maker:
            found.append(f"{path}:{call.lineno}: Sh(…) outside of {sorted(MAKERS)}")
        if name == "sh" and literal != [True]:
            found.append(f"{path}:{call.lineno}: sh(…) of a template that is no literal")
        if name == "sh_lines" and not all(isinstance(value, ast.Constant) for value in by):
            found.append(f"{path}:{call.lineno}: sh_lines(…, by=…) of what is no literal")
        if name == "cast" and "Sh" in ast.dump(call.args[0]):
            found.append(f"{path}:{call.lineno}: a cast to Sh")

    assert found == []


def test_only_one_file_knows_how_a_shell_quotes() -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import) and any(alias.name == "shlex" for alias in node.names)
    }

    # One splits and joins ProxyCommand as paramiko does, one reads lines of Ansible: no shell runs them.
    assert {
        "base/sh.py",
        "inventory/sources/ansible/ini.py",
        "inventory/sources/ansible/ssh_args.py",
        "remote/ssh/connections.py",
    } == users - {"remote/ssh/proxy.py"}


def test_no_subprocess_runs_by_a_shell() -> None:
    found = [
        f"{path}:{call.lineno}"
        for path in FILES
        for call in calls(path)
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
        if (call.func.value.id, call.func.attr) in (("os", "system"), ("os", "popen"), ("subprocess", "getoutput"))
        or (call.func.value.id == "subprocess" and any(k.arg == "shell" for k in call.keywords))
    ]

    assert found == []


TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=30)


def run(script: str) -> str:
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=10)
    return done.stdout.decode()


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_word_is_one_word_whatever_is_in_it(words: list[str]) -> None:
    count = sh("set -- {words}; echo $#; printf '%s\\n' \"$@\"", words=quote_words(words))

    assert f"{len(words)}\n" + "".join(f"{word}\n" for word in words) == run(count)


@given(TEXTS)
def test_a_here_document_is_the_text_whatever_is_in_it(text: str) -> None:
    text = f"{text}\nEND\nEND_\n$(id)"

    assert f"{text}\n" == run(here_document(sh("cat"), text))


def test_what_follows_a_here_document_is_not_given_it() -> None:
    assert run(here_document(sh("cat >/dev/null; false"), "text", sh(" || cat </dev/null; echo behind"))) == "behind\n"


@given(TEXTS)
def test_a_comment_is_a_comment_whatever_is_in_it(text: str) -> None:
    assert run(sh_lines([comment(text), sh("echo done")])) == "done\n"


@pytest.mark.parametrize("text", ["a\nid", "a\rid", "a\u2028id", "\x1b[31m"])
def test_a_header_is_one_line_or_refused(text: str) -> None:
    with pytest.raises(ValueError, match="more than one line"):
        header_line("host", text)


def test_a_template_takes_words_and_numbers() -> None:
    assert sh("ip link show {name} {{ {n}", name=quote("$(id)"), n=3) == "ip link show '$(id)' { 3"
    assert len({new_nonce() for _ in range(100)}) == 100
