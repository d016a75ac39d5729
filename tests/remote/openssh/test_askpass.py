"""Prompts of ssh children: each is answered once a run, and only what was allowed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from wgorch.remote.answers import Answers
from wgorch.remote.openssh.askpass import Askpass, unlocks

SECRET = "four words of mine"


class Person:
    """Gives answers in turn, and counts the questions."""

    def __init__(self, *answers: str | None) -> None:
        self._left = list(answers)
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self._left.pop(0)


@pytest.fixture
def short_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)


def key(directory: Path, kind: str = "ed25519", *options: str) -> str:
    path = str(directory / "key")
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", SECRET, "-f", path, *options], check=True)
    return path


@pytest.mark.parametrize("form", ["ed25519", "ecdsa", "rsa -b 2048", "rsa -b 2048 -m PEM"])
def test_a_wrong_passphrase_is_not_given_to_ssh(short_path: Path, form: str) -> None:
    kind, *options = form.split()
    path = key(short_path, kind, *options)
    person = Person("wrong", SECRET)
    askpass = Askpass(Answers(person), short_path)

    assert [SECRET] * 3 == [askpass.answer(f"Enter passphrase for key '{path}': ") for _ in range(3)]
    assert [f"Passphrase for {path}: "] * 2 == person.asked
    assert (True, False) == (unlocks(path, SECRET), unlocks(path, "wrong"))


@pytest.mark.parametrize(
    "prompt",
    [
        "root@192.0.2.1's password: ",
        "(root@192.0.2.1) Password: ",
        "Password for root@box: ",
        "(a@b) Verification code: ",
    ],
)
def test_a_prompt_of_the_server_is_answered_only_where_that_was_asked_for(short_path: Path, prompt: str) -> None:
    person = Person("given")

    assert Askpass(Answers(person), short_path).answer(prompt) is None
    assert [] == person.asked
    allowed = Askpass(Answers(person, password=True), short_path)
    assert ["given"] * 2 == [allowed.answer(prompt), allowed.answer(prompt.replace("192.0.2.1", "192.0.2.2"))]
    allowed.close()


def test_the_helper_passes_prompts_and_answers(short_path: Path) -> None:
    person = Person("correct horse")
    askpass = Askpass(Answers(person, password=True), short_path)
    assert askpass.environment
    try:
        words = [askpass.environment["SSH_ASKPASS"], "root@192.0.2.1's password: "]
        given = [
            subprocess.run(words, env=askpass.environment, capture_output=True, text=True, check=True) for _ in range(2)
        ]
        notice = subprocess.run(
            [words[0], "Confirm user presence for key ED25519-SK"],
            env=askpass.environment | {"SSH_ASKPASS_PROMPT": "none"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        askpass.close()

    assert ["correct horse\n"] * 2 == [done.stdout for done in given]
    assert (1, "") == (notice.returncode, notice.stdout)
    assert "correct horse" not in str(os.environ) + str(askpass.environment)


def test_without_a_person_children_ask_nothing(short_path: Path) -> None:
    askpass = Askpass(Answers(lambda _prompt: None), short_path)

    assert (False, None) == (askpass.asks, askpass.environment)
