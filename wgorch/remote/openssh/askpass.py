"""Answer what ssh children ask: each asks a helper, which asks the controller, which asks a person once.

ssh runs $SSH_ASKPASS with its prompt; that script passes it on by a socket.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
from pathlib import Path

from wgorch.base.assets import PACKAGE
from wgorch.base.sh import quote_words, sh
from wgorch.base.text import visible
from wgorch.remote.answers import Answers

_PASSPHRASE = re.compile(r"passphrase for (?:key )?'?(.+?)'?: *$")
_OF_LOGIN = re.compile(r"^\([^)]*\) |^[^ ]+@[^ ]+'s ")
"""What ssh puts before a server's prompt: (user@host), or user@host's."""

NOTICE = "!"
"""Begins a prompt that wants no answer: a key waits for a touch."""

MAX_PROMPT = 4096


class Askpass:
    """Serves the helpers of a run. `asks`: whether there is a person, or a password, to answer."""

    def __init__(self, answers: Answers, directory: Path) -> None:
        self.asks = answers.has_terminal or answers.allows_password
        self.environment: dict[str, str] | None = None
        """The environment of a child; None: the controller's."""
        self._answers = answers
        self._path = directory / "ask"
        self._server: socket.socket | None = None
        if self.asks:
            self._listen(directory)

    def close(self) -> None:
        """Stop answering."""
        if self._server:
            self._server.close()

    def _listen(self, directory: Path) -> None:
        script = directory / "askpass"
        helper = PACKAGE / "remote" / "openssh" / "askpass_helper.py"
        run = quote_words([sys.executable, "-I", "-S", str(helper)])
        script.write_text(sh('#!/bin/sh\nexec {run} "$1"\n', run=run), encoding="utf-8")
        script.chmod(0o700)
        self.environment = {
            **os.environ,
            "SSH_ASKPASS": str(script),
            "SSH_ASKPASS_REQUIRE": "force",
            "DISPLAY": os.environ.get("DISPLAY", "none"),
            "WGORCH_ASKPASS": str(self._path),
        }
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self._path))
        self._server.listen(128)
        threading.Thread(target=self._serve, args=(self._server,), daemon=True, name="askpass").start()

    def _serve(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._reply, args=(connection,), daemon=True).start()

    def _reply(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                prompt = connection.recv(MAX_PROMPT).decode("utf-8", "replace")
                answer = self.answer(prompt)
                connection.sendall(b"" if answer is None else f"+{answer}".encode())
            except OSError:
                return

    def answer(self, prompt: str) -> str | None:
        """The answer to one of ssh's prompts; None: there is none."""
        if prompt.startswith(NOTICE):
            sys.stderr.write(f"{visible(prompt.removeprefix(NOTICE)).strip()}\n")
            return None
        of_key = _PASSPHRASE.search(prompt)
        if of_key:
            return self._passphrase(of_key[1])
        if prompt.startswith("Enter PIN for "):
            return self._answers.passphrase(prompt.removeprefix("Enter PIN for ").strip(": "))
        return self._answers.login(_OF_LOGIN.sub("", prompt))

    def _passphrase(self, path: str) -> str | None:
        """The right passphrase of a key file, as far as that can be tried here."""
        for attempt in range(self._answers.ATTEMPTS):
            given = self._answers.passphrase(path, attempt)
            if given is None or unlocks(path, given):
                return given
        return None


def unlocks(path: str, passphrase: str) -> bool:
    """False for a passphrase that is certainly wrong."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    try:
        data = Path(path).read_bytes()
        load = load_ssh_private_key if b"BEGIN OPENSSH" in data else load_pem_private_key
        load(data, passphrase.encode())
    except ValueError:
        return False
    except (OSError, TypeError, UnsupportedAlgorithm):
        return True
    return True
